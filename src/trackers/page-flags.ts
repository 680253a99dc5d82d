/** Some bits for every page of an address space; kept by run where neighbours are alike. */
import { PageRuns } from '../memory/page-runs.ts';
import { ADDRESS_LIMIT } from '../memory/range.ts';

export type FlagVisitor = (start: number, end: number, flags: number) => void;

export class PageFlags {
  readonly #runs = new PageRuns();
  /** Starts, ends and flags of the runs of one call; kept from call to call. */
  readonly #found: number[] = [];

  constructor() {
    this.#runs.set(0, ADDRESS_LIMIT, 0);
  }

  get(address: number): number {
    return this.#runs.get(address);
  }

  /**
   * Gives every page of `[start, end)` the flags that `next` has for those it had, and visits runs of the
   * new ones.
   */
  transform(start: number, end: number, next: Uint8Array, visit: FlagVisitor): void {
    const found = this.#found;
    found.length = 0;
    this.#runs.forEach(start, end, (from, to, value) => found.push(from, to, value));
    let [from, value] = [start, -1];
    for (let i = 0; i < found.length; i += 3) {
      const changed = next[found[i + 2]];
      if (changed !== found[i + 2]) this.#runs.set(found[i], found[i + 1], changed);
      if (changed === value) continue;
      if (value >= 0) visit(from, found[i], value);
      [from, value] = [found[i], changed];
    }
    if (value >= 0) visit(from, end, value);
  }

  /** Visits `[start, end)` in runs of equal flags. */
  forEach(start: number, end: number, visit: FlagVisitor): void {
    this.#runs.forEach(start, end, visit);
  }
}
