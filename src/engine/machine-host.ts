/**
 * The machine as schemes see it: memory in flight is a hole, and what monitoring costs is one of the
 * gauges.
 */
import type { Machine } from '../machines/machine.ts';
import type { ActionOutcome, ActionRequest, NodeGauge, PageQuery, SystemGauge } from '../memory/action.ts';
import { NO_VALUE, PageRuns, type RunVisitor } from '../memory/page-runs.ts';
import type { SchemeHost } from '../schemes/scheme-runner.ts';

/** In flight, but not to another node. */
const GOES_NOWHERE = NO_VALUE - 1;

export class MachineHost implements SchemeHost {
  readonly #machine: Machine;
  readonly #cpuShare: () => number;
  /**
   * Memory that was asked for and not acted on yet: schemes must not ask for it again. The value tells
   * where it goes.
   */
  readonly #inFlight = new PageRuns();
  /** Bytes of it by the node that they go to. */
  readonly #coming: Float64Array;

  /** @param cpuShare share of one CPU that monitoring takes at present */
  constructor(machine: Machine, cpuShare: () => number) {
    this.#machine = machine;
    this.#cpuShare = cpuShare;
    this.#coming = new Float64Array(1 + Math.max(...machine.nodes.map(({ nid }) => nid)));
  }

  placement(start: number, end: number, visit: RunVisitor): void {
    if (this.#machine.pendingBytes() === 0) {
      this.#machine.placement(start, end, visit);
      return;
    }
    this.#inFlight.forEach(start, end, (from, to, asked) => {
      if (asked === NO_VALUE) this.#machine.placement(from, to, visit);
      else visit(from, to, NO_VALUE);
    });
  }

  queryPages(query: PageQuery, start: number, end: number, visit: RunVisitor): void {
    this.#machine.queryPages(query, start, end, visit);
  }

  gauge(nid: number): NodeGauge {
    return this.#machine.gauge(nid);
  }

  systemGauge(): SystemGauge {
    return this.#machine.systemGauge();
  }

  memcgBytes(path: string, nid: number): number {
    return this.#machine.memcgBytes(path, nid);
  }

  monitoringCpuShare(): number {
    return this.#cpuShare();
  }

  comingBytes(nid: number): number {
    return this.#coming[nid];
  }

  act(request: ActionRequest): void {
    const { start, end, targetNid } = request;
    this.#inFlight.set(start, end, targetNid >= 0 ? targetNid : GOES_NOWHERE);
    if (targetNid >= 0) this.#coming[targetNid] += end - start;
    this.#machine.submit(request);
  }

  /** Share of all memory that is free. */
  freeShare(): number {
    let [free, total] = [0, 0];
    for (const { nid } of this.#machine.nodes) {
      const gauge = this.#machine.gauge(nid);
      free += gauge.freeBytes;
      total += gauge.totalBytes;
    }
    return free / total;
  }

  /** Takes what the machine has finished since the last call. */
  collect(record: (tag: number, bytes: number, outcome: ActionOutcome, cpuNs: number) => void): void {
    this.#machine.collect((tag, start, end, outcome, cpuNs) => {
      const targetNid = this.#inFlight.get(start);
      if (targetNid !== GOES_NOWHERE) this.#coming[targetNid] -= end - start;
      this.#inFlight.set(start, end, NO_VALUE);
      record(tag, end - start, outcome, cpuNs);
    });
  }
}
