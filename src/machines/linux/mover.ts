/**
 * Carries out requests in the order in which they came: a migration in batches of pages, everything on a
 * worker thread. What becomes of each page is known by errno and told in parts that add up to the request.
 */
import type { ActionOutcome, ActionRequest } from '../../memory/action.ts';
import { NO_VALUE } from '../../memory/page-runs.ts';
import { PAGE_SIZE } from '../../memory/range.ts';
import type { ActionResultVisitor } from '../machine.ts';
import type { MoveVisitor } from './linux-machine.ts';
import { ESRCH, type MovedBatch, statusName } from './native/move-batch.ts';
import type { MoveAnswer, MoveOrder } from './native/move-worker.ts';
import { AddressList } from './native/page-calls.ts';
import type { PageNodes } from './page-nodes.ts';

/** Whoever executes orders, one at a time: the worker thread, or a stub. */
export interface MoveExecutor {
  execute(order: MoveOrder): Promise<MoveAnswer>;
  close(): void;
}

/** Pages of a call: below 512 the call itself costs, above 4,096 nothing is gained (measured). */
export const BATCH_PAGES = 1024;

/** Advice of process_madvise by action (include/uapi/asm-generic/mman-common.h). */
const ADVICE = { willneed: 3, cold: 20, pageout: 21, collapse: 25 } as const;

interface Part {
  readonly start: number;
  readonly end: number;
  /** Node that it is on; NO_VALUE where nothing is mapped, -1 where it does not matter. */
  readonly nid: number;
}

interface Result extends Part {
  readonly request: ActionRequest;
  readonly outcome: ActionOutcome;
  readonly cpuNs: number;
}

export class LinuxMover {
  readonly #pid: number;
  readonly #nodes: PageNodes;
  readonly #executor: MoveExecutor;
  readonly #queue: ActionRequest[] = [];
  readonly #results: Result[] = [];
  #isWorking = false;
  #isClosed = false;
  #pendingBytes = 0;
  /** Pages by what became of them: `moved`, or the name of the error. */
  readonly byStatus = new Map<string, number>();
  retried = 0;
  /** Time in calls that move. */
  moveNs = 0;

  constructor(pid: number, nodes: PageNodes, executor: MoveExecutor) {
    this.#pid = pid;
    this.#nodes = nodes;
    this.#executor = executor;
  }

  submit(request: ActionRequest): void {
    this.#queue.push(request);
    this.#pendingBytes += request.end - request.start;
    if (!this.#isWorking) void this.#work();
  }

  pendingBytes(): number {
    return this.#pendingBytes;
  }

  collect(visit: ActionResultVisitor, moved: MoveVisitor): void {
    for (const { request, start, end, nid, outcome, cpuNs } of this.#results.splice(0)) {
      this.#pendingBytes -= end - start;
      if (outcome === 'applied' && request.targetNid >= 0) moved(start, end, nid, request.targetNid);
      visit(request.tag, start, end, outcome, cpuNs);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#queue.length = 0;
    this.#executor.close();
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    for (let request = this.#queue.shift(); request !== undefined; request = this.#queue.shift()) {
      if (this.#isClosed) break;
      if (request.targetNid >= 0) await this.#migrate(request);
      else await this.#advise(request);
    }
    this.#isWorking = false;
  }

  async #migrate(request: ActionRequest): Promise<void> {
    const parts: Part[] = [];
    this.#nodes.forEach(request.start, request.end, (start, end, nid) => parts.push({ start, end, nid }));
    for (const part of parts) {
      if (part.nid === NO_VALUE) this.#finish(request, part, 'not_mapped', 0);
      else if (part.nid === request.targetNid) this.#finish(request, part, 'already_there', 0);
      else {
        for (let start = part.start; start < part.end; start += BATCH_PAGES * PAGE_SIZE) {
          const end = Math.min(part.end, start + BATCH_PAGES * PAGE_SIZE);
          await this.#moveBatch(request, { start, end, nid: part.nid });
        }
      }
    }
  }

  async #moveBatch(request: ActionRequest, part: Part): Promise<void> {
    const { start, end } = part;
    const count = (end - start) / PAGE_SIZE;
    const addresses = new AddressList(count);
    for (let i = 0; i < count; i++) addresses.set(i, start + i * PAGE_SIZE);
    const answer = await this.#executor.execute({
      kind: 'move',
      batch: { pid: this.#pid, count, words: addresses.words, target: request.targetNid },
    });
    if (answer.kind === 'moved') this.#takeMoved(request, part, answer.moved);
  }

  #takeMoved(request: ActionRequest, { start, nid }: Part, { status, cpuNs, retried }: MovedBatch): void {
    this.moveNs += cpuNs;
    this.retried += retried;
    const perPageNs = cpuNs / status.length;
    for (let i = 0; i < status.length; ) {
      let next = i + 1;
      while (next < status.length && status[next] === status[i]) next++;
      const [from, to] = [start + i * PAGE_SIZE, start + next * PAGE_SIZE];
      const name = statusName(status[i]);
      this.byStatus.set(name, (this.byStatus.get(name) ?? 0) + next - i);
      if (status[i] >= 0) this.#nodes.set(from, to, status[i]);
      const cpu = (next - i) * perPageNs;
      this.#finish(request, { start: from, end: to, nid }, outcomeOf(status[i]), cpu);
      i = next;
    }
  }

  async #advise(request: ActionRequest): Promise<void> {
    const { action, start, end } = request;
    const advice = action in ADVICE ? ADVICE[action as keyof typeof ADVICE] : undefined;
    if (advice === undefined) {
      this.#finish(request, { start, end, nid: -1 }, 'busy', 0);
      return;
    }
    const answer = await this.#executor.execute({ kind: 'advise', pid: this.#pid, start, end, advice });
    if (answer.kind !== 'advised') return;
    const name = answer.error === '' ? 'advised' : answer.error;
    const done = Math.min(end - start, Math.floor(answer.bytes / PAGE_SIZE) * PAGE_SIZE);
    this.byStatus.set(name, (this.byStatus.get(name) ?? 0) + (end - start) / PAGE_SIZE);
    if (done > 0) this.#finish(request, { start, end: start + done, nid: -1 }, 'applied', answer.cpuNs);
    if (done < end - start) {
      const outcome = answer.error === 'ENOMEM' || answer.error === 'ESRCH' ? 'not_mapped' : 'busy';
      this.#finish(request, { start: start + done, end, nid: -1 }, outcome, done > 0 ? 0 : answer.cpuNs);
    }
  }

  #finish(request: ActionRequest, part: Part, outcome: ActionOutcome, cpuNs: number): void {
    this.#results.push({ ...part, request, outcome, cpuNs });
  }
}

/** ENOMEM: no room; ENOENT, EFAULT, ESRCH: nothing there (any more); the rest is in use or not ours to move. */
function outcomeOf(status: number): ActionOutcome {
  if (status >= 0) return 'applied';
  const name = statusName(status);
  if (name === 'ENOMEM') return 'destination_full';
  if (name === 'ENOENT' || name === 'EFAULT' || status === ESRCH) return 'not_mapped';
  return 'busy';
}
