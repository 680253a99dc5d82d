/**
 * Memory that was asked to move and has not arrived: schemes must not ask for it again.
 */
import type { Machine } from '../machines/machine.ts';
import { NO_VALUE, PageRuns, type RunVisitor } from '../memory/page-runs.ts';

export class InFlight {
  readonly #asked = new PageRuns();

  add(start: number, end: number): void {
    this.#asked.set(start, end, 1);
  }

  remove(start: number, end: number): void {
    this.#asked.set(start, end, NO_VALUE);
  }

  /** The machine's placement, with memory in flight shown as a hole. */
  placement(machine: Machine, start: number, end: number, visit: RunVisitor): void {
    if (machine.pendingBytes() === 0) {
      machine.placement(start, end, visit);
      return;
    }
    this.#asked.forEach(start, end, (from, to, asked) => {
      if (asked === NO_VALUE) machine.placement(from, to, visit);
      else visit(from, to, NO_VALUE);
    });
  }
}
