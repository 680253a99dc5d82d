/** Visits single pages as ranges: what every tracker's `forEachHot` does with the pages it knows. */
import { PAGE_SIZE } from '../memory/range.ts';

type RangeVisitor = (start: number, end: number) => void;

/** Joins ranges that come in address order and touch. */
export class RangeJoiner {
  readonly #visit: RangeVisitor;
  #start = -1;
  #end = -1;

  constructor(visit: RangeVisitor) {
    this.#visit = visit;
  }

  add(start: number, end: number): void {
    if (start !== this.#end) {
      this.finish();
      this.#start = start;
    }
    this.#end = end;
  }

  /** Visits what has not been visited yet. */
  finish(): void {
    if (this.#start >= 0) this.#visit(this.#start, this.#end);
    this.#start = -1;
  }
}

/** @param addresses of pages, in any order and without doubles; sorted in place */
export function visitPages(addresses: Float64Array, visit: RangeVisitor): void {
  const joiner = new RangeJoiner(visit);
  for (const address of addresses.sort()) joiner.add(address, address + PAGE_SIZE);
  joiner.finish();
}
