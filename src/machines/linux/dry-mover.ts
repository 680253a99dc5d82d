/**
 * What would be done, without doing it: requests are told to whoever listens, and from then on the memory
 * counts as if it had moved, so that the plan goes on as it would.
 */
import type { ActionRequest } from '../../memory/action.ts';
import { NO_VALUE, PageRuns, type RunVisitor } from '../../memory/page-runs.ts';
import type { ActionResultVisitor } from '../machine.ts';
import type { MoveVisitor } from './linux-machine.ts';
import type { PageNodes } from './page-nodes.ts';

/** What would be done to `[start, end)`; `fromNid` and `targetNid` are -1 where the action moves nothing. */
export interface PlannedAction {
  readonly action: ActionRequest['action'];
  readonly start: number;
  readonly end: number;
  readonly fromNid: number;
  readonly targetNid: number;
}

export class DryMover {
  readonly #nodes: PageNodes;
  readonly #tell: (planned: PlannedAction) => void;
  readonly #planned = new PageRuns();
  readonly #requests: ActionRequest[] = [];
  #pendingBytes = 0;

  constructor(nodes: PageNodes, tell: (planned: PlannedAction) => void) {
    this.#nodes = nodes;
    this.#tell = tell;
  }

  submit(request: ActionRequest): void {
    this.#requests.push(request);
    this.#pendingBytes += request.end - request.start;
  }

  pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Placement as it would be. */
  placement(start: number, end: number, visit: RunVisitor): void {
    this.#planned.forEach(start, end, (from, to, nid) => {
      if (nid === NO_VALUE) this.#nodes.forEach(from, to, visit);
      else visit(from, to, nid);
    });
  }

  collect(visit: ActionResultVisitor, moved: MoveVisitor): void {
    for (const request of this.#requests.splice(0)) {
      this.#pendingBytes -= request.end - request.start;
      if (request.targetNid < 0) {
        this.#tell({ ...request, fromNid: -1 });
        visit(request.tag, request.start, request.end, 'applied', 0);
      } else this.#plan(request, visit, moved);
    }
  }

  #plan(request: ActionRequest, visit: ActionResultVisitor, moved: MoveVisitor): void {
    const { action, start, end, targetNid, tag } = request;
    const runs: { from: number; to: number; nid: number }[] = [];
    this.placement(start, end, (from, to, nid) => runs.push({ from, to, nid }));
    for (const { from, to, nid } of runs) {
      if (nid === NO_VALUE) visit(tag, from, to, 'not_mapped', 0);
      else if (nid === targetNid) visit(tag, from, to, 'already_there', 0);
      else {
        this.#tell({ action, start: from, end: to, fromNid: nid, targetNid });
        this.#planned.set(from, to, targetNid);
        moved(from, to, nid, targetNid);
        visit(tag, from, to, 'applied', 0);
      }
    }
  }

  close(): void {
    this.#requests.length = 0;
  }
}
