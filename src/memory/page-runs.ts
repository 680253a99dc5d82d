/**
 * A run-length map from addresses to small integers: which node holds each page, when an area was
 * last used. Neighbouring runs of equal value are one, so the cost follows the number of different
 * runs, never the size of the machine.
 *
 * Stored as leaves of at most 512 runs in typed arrays (a B+ tree of two levels): finding is two
 * binary searches, writing moves at most one leaf. Values are 0..65534; {@link NO_VALUE} marks holes.
 */
import { invariant } from './error.ts';

const LEAF_RUNS = 512;

/** The value of addresses that no one has written. */
export const NO_VALUE = 65535;

interface Leaf {
  count: number;
  /** First address of each run; a run ends where the next one (of this or the next leaf) begins. */
  readonly start: Float64Array;
  readonly value: Uint16Array;
}

function newLeaf(): Leaf {
  return { count: 0, start: new Float64Array(LEAF_RUNS), value: new Uint16Array(LEAF_RUNS) };
}

/** Called with each run of equal value inside the asked range, in address order. */
export type RunVisitor = (start: number, end: number, value: number) => void;

export class PageRuns {
  readonly #leaves: Leaf[];

  constructor() {
    const first = newLeaf();
    first.count = 1;
    first.start[0] = 0;
    first.value[0] = NO_VALUE;
    this.#leaves = [first];
  }

  get runCount(): number {
    let sum = 0;
    for (const leaf of this.#leaves) sum += leaf.count;
    return sum;
  }

  /** Bytes of memory that the map itself takes. */
  get metadataBytes(): number {
    return this.#leaves.length * LEAF_RUNS * 10;
  }

  get(address: number): number {
    const leaf = this.#leaves[this.#findLeaf(address)];
    return leaf.value[findRun(leaf, address)];
  }

  /** Visits the runs that make up `[start, end)`, clipped to it. Do not write while visiting. */
  forEach(start: number, end: number, visit: RunVisitor): void {
    if (start >= end) return;
    let leafIndex = this.#findLeaf(start);
    let leaf = this.#leaves[leafIndex];
    let run = findRun(leaf, start);
    let from = start;
    for (;;) {
      const value = leaf.value[run];
      run++;
      if (run === leaf.count) {
        leafIndex++;
        if (leafIndex === this.#leaves.length) {
          visit(from, end, value);
          return;
        }
        leaf = this.#leaves[leafIndex];
        run = 0;
      }
      const to = leaf.start[run];
      if (to >= end) {
        visit(from, end, value);
        return;
      }
      visit(from, to, value);
      from = to;
    }
  }

  /** Writes `value` over `[start, end)`. */
  set(start: number, end: number, value: number): void {
    invariant(start >= 0 && start < end, `PageRuns.set of an empty range [${start}, ${end})`);
    if (this.#setInLeaf(start, end, value)) return;
    const after = this.get(end);
    this.#removeBoundaries(start, end);
    const before = start === 0 ? -1 : this.get(start - 1);
    if (before !== value) this.#insertBoundary(start, value);
    if (after !== value) this.#insertBoundary(end, after);
  }

  /**
   * The common case: all that changes lies inside one leaf, which has room. Moves the rest of it once.
   * False: nothing was done.
   */
  #setInLeaf(start: number, end: number, value: number): boolean {
    const leaf = this.#leaves[this.#findLeaf(start)];
    const from = lowerBound(leaf, start);
    const to = upperBound(leaf, end);
    // The first run of a leaf stays, and what begins in the next leaf is another case.
    if (from === 0 || to === leaf.count || leaf.count > LEAF_RUNS - 2) return false;
    const before = leaf.value[from - 1];
    const after = leaf.value[to - 1];
    const hasStart = before !== value;
    const hasEnd = after !== value;
    const added = (hasStart ? 1 : 0) + (hasEnd ? 1 : 0);
    if (from + added !== to) {
      leaf.start.copyWithin(from + added, to, leaf.count);
      leaf.value.copyWithin(from + added, to, leaf.count);
      leaf.count += from + added - to;
    }
    if (hasStart) {
      leaf.start[from] = start;
      leaf.value[from] = value;
    }
    if (hasEnd) {
      leaf.start[from + added - 1] = end;
      leaf.value[from + added - 1] = after;
    }
    return true;
  }

  #findLeaf(address: number): number {
    let low = 0;
    let high = this.#leaves.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#leaves[middle].start[0] <= address) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Removes every run start inside `[start, end]`; the run before then covers the gap. */
  #removeBoundaries(start: number, end: number): void {
    let leafIndex = this.#findLeaf(start);
    while (leafIndex < this.#leaves.length) {
      const leaf = this.#leaves[leafIndex];
      if (leaf.start[0] > end) return;
      const from = lowerBound(leaf, start);
      const to = upperBound(leaf, end);
      leaf.start.copyWithin(from, to, leaf.count);
      leaf.value.copyWithin(from, to, leaf.count);
      leaf.count -= to - from;
      if (leaf.count === 0 && this.#leaves.length > 1) this.#leaves.splice(leafIndex, 1);
      else leafIndex++;
    }
  }

  #insertBoundary(start: number, value: number): void {
    let leafIndex = this.#findLeaf(start);
    let leaf = this.#leaves[leafIndex];
    if (leaf.count === LEAF_RUNS) {
      const right = newLeaf();
      const half = LEAF_RUNS >> 1;
      right.start.set(leaf.start.subarray(half));
      right.value.set(leaf.value.subarray(half));
      right.count = LEAF_RUNS - half;
      leaf.count = half;
      this.#leaves.splice(leafIndex + 1, 0, right);
      if (start >= right.start[0]) {
        leafIndex++;
        leaf = right;
      }
    }
    const at = lowerBound(leaf, start);
    leaf.start.copyWithin(at + 1, at, leaf.count);
    leaf.value.copyWithin(at + 1, at, leaf.count);
    leaf.start[at] = start;
    leaf.value[at] = value;
    leaf.count++;
  }
}

/** Index of the run that holds `address` (the last one that starts at or before it). */
function findRun(leaf: Leaf, address: number): number {
  return Math.max(0, upperBound(leaf, address) - 1);
}

/** First index whose start is at or after `address`. */
function lowerBound(leaf: Leaf, address: number): number {
  let low = 0;
  let high = leaf.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (leaf.start[middle] < address) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** First index whose start is after `address`. */
function upperBound(leaf: Leaf, address: number): number {
  let low = 0;
  let high = leaf.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (leaf.start[middle] <= address) low = middle + 1;
    else high = middle;
  }
  return low;
}
