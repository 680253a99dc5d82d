/**
 * A map from pages to small integers: which node holds each page, when an area was last used. Neighbours of
 * equal value are one run, so the cost follows the number of different runs, never the size of the machine.
 *
 * Stored as leaves in address order, each with up to 128 runs. A leaf of more runs is cut in two, or, once
 * it spans no more than {@link DENSE_PAGES} pages, has a value for each page: per-page systems leave next to
 * no two neighbours on the same node, and then a run costs ten bytes and a search, a page two bytes.
 * Finding a leaf is a binary search in one array. Values are 0..65534; {@link NO_VALUE} marks holes.
 *
 * Speed (Node 20, a busy core): 16 million single pages of 192 GiB set in random order, 0.35 us each.
 */
import { invariant } from './error.ts';
import { PAGE_SIZE } from './range.ts';

const LEAF_RUNS = 128;
const DENSE_PAGES = 8192;

/** The value of addresses that no one has written. */
export const NO_VALUE = 65535;

interface RunLeaf {
  readonly isDense: false;
  count: number;
  /** First address of each run; a run ends where the next one, or the next leaf, begins. */
  readonly start: Float64Array;
  readonly value: Uint16Array;
}

interface DenseLeaf {
  readonly isDense: true;
  /** By page. */
  readonly value: Uint16Array;
}

type Leaf = RunLeaf | DenseLeaf;

function oneRun(start: number, value: number): RunLeaf {
  const leaf = {
    isDense: false,
    count: 1,
    start: new Float64Array(LEAF_RUNS),
    value: new Uint16Array(LEAF_RUNS),
  } as const;
  leaf.start[0] = start;
  leaf.value[0] = value;
  return leaf;
}

/** Called with each run of equal value inside the asked range, in address order. */
export type RunVisitor = (start: number, end: number, value: number) => void;

export class PageRuns {
  readonly #pageBytes: number;
  readonly #leaves: Leaf[] = [oneRun(0, NO_VALUE)];
  /** First address of each leaf, in its first `#leaves.length` elements. */
  #firsts = new Float64Array(16);

  /** @param pageBytes what all addresses that are written are multiples of */
  constructor(pageBytes = PAGE_SIZE) {
    this.#pageBytes = pageBytes;
  }

  get(address: number): number {
    const index = this.#findLeaf(address);
    const leaf = this.#leaves[index];
    return leaf.value[
      leaf.isDense ? Math.floor((address - this.#firsts[index]) / this.#pageBytes) : findRun(leaf, address)
    ];
  }

  /** Visits the runs that make up `[start, end)`, clipped to it. Do not write while visiting. */
  forEach(start: number, end: number, visit: RunVisitor): void {
    if (start >= end) return;
    let [from, value] = [start, -1];
    const see = (at: number, next: number): void => {
      if (next === value) return;
      if (value >= 0) visit(from, at, value);
      if (value >= 0) from = at;
      value = next;
    };
    for (let i = this.#findLeaf(start); i < this.#leaves.length && this.#firsts[i] < end; i++) {
      const leaf = this.#leaves[i];
      const first = this.#firsts[i];
      if (leaf.isDense) {
        const past = Math.min(leaf.value.length, Math.ceil((end - first) / this.#pageBytes));
        for (let k = Math.max(0, Math.floor((start - first) / this.#pageBytes)); k < past; k++) {
          if (leaf.value[k] !== value) see(first + k * this.#pageBytes, leaf.value[k]);
        }
      } else {
        const run = first < start ? findRun(leaf, start) : 0;
        for (let k = run; k < leaf.count && leaf.start[k] < end; k++) see(leaf.start[k], leaf.value[k]);
      }
    }
    visit(from, end, value);
  }

  /** Writes `value` over `[start, end)`. */
  set(start: number, end: number, value: number): void {
    // The text of an invariant would be made at each call.
    if (!(start >= 0 && start < end && this.#isPage(start) && this.#isPage(end))) {
      invariant(false, `PageRuns.set of [${start}, ${end}), which is empty or not whole pages`);
    }
    const index = this.#findLeaf(start);
    const endOfLeaf = this.#endOf(index);
    if (end <= endOfLeaf) {
      this.#setInLeaf(index, start, end, value);
      return;
    }
    // From the back, as a leaf that is cut or goes moves the ones behind it.
    const last = this.#findLeaf(end - 1);
    this.#setInLeaf(last, this.#firsts[last], end, value);
    if (last > index + 1) {
      this.#leaves[index + 1] = oneRun(endOfLeaf, value);
      this.#removeLeaves(index + 2, last);
    }
    this.#setInLeaf(index, start, endOfLeaf, value);
  }

  /** @param end at most the end of the leaf */
  #setInLeaf(index: number, start: number, end: number, value: number): void {
    const leaf = this.#leaves[index];
    const first = this.#firsts[index];
    if (leaf.isDense) {
      if (end - start === leaf.value.length * this.#pageBytes) this.#leaves[index] = oneRun(first, value);
      else if (end - start === this.#pageBytes) leaf.value[(start - first) / this.#pageBytes] = value;
      else leaf.value.fill(value, (start - first) / this.#pageBytes, (end - first) / this.#pageBytes);
      return;
    }
    const from = lowerBound(leaf, start);
    const isWholeRest = end >= this.#endOf(index);
    let to = isWholeRest ? leaf.count : lowerBound(leaf, end);
    const hasBoundary = to < leaf.count && leaf.start[to] === end;
    const after = isWholeRest ? value : leaf.value[hasBoundary ? to : to - 1];
    // Where a run of the same value follows, this one swallows it.
    if (hasBoundary && after === value) to++;
    const hasStart = from === 0 || leaf.value[from - 1] !== value;
    const hasEnd = !hasBoundary && after !== value;
    const past = from + (hasStart ? 1 : 0) + (hasEnd ? 1 : 0);
    if (leaf.count + past - to > LEAF_RUNS) {
      this.#makeRoom(index, leaf);
      this.set(start, end, value);
      return;
    }
    if (past !== to) {
      leaf.start.copyWithin(past, to, leaf.count);
      leaf.value.copyWithin(past, to, leaf.count);
      leaf.count += past - to;
    }
    if (hasStart) {
      leaf.start[from] = start;
      leaf.value[from] = value;
    }
    if (hasEnd) {
      leaf.start[past - 1] = end;
      leaf.value[past - 1] = after;
    }
    if (leaf.count === 1 && index > 0) this.#joinToLeft(index, value);
  }

  /** A leaf of one run is not worth a leaf. */
  #joinToLeft(index: number, value: number): void {
    const left = this.#leaves[index - 1];
    if (left.isDense) return;
    if (left.value[left.count - 1] !== value) {
      if (left.count === LEAF_RUNS) return;
      left.start[left.count] = this.#firsts[index];
      left.value[left.count] = value;
      left.count++;
    }
    this.#removeLeaves(index, index + 1);
  }

  /** Gives a value to each page of a full leaf, or cuts it in two. */
  #makeRoom(index: number, leaf: RunLeaf): void {
    const first = this.#firsts[index];
    const pages = (this.#endOf(index) - first) / this.#pageBytes;
    if (pages <= DENSE_PAGES) {
      const value = new Uint16Array(pages);
      for (let k = 0; k < leaf.count; k++) {
        value.fill(leaf.value[k], (leaf.start[k] - first) / this.#pageBytes);
      }
      this.#leaves[index] = { isDense: true, value };
      return;
    }
    const half = LEAF_RUNS >> 1;
    const right = oneRun(leaf.start[half], leaf.value[half]);
    right.start.set(leaf.start.subarray(half, leaf.count));
    right.value.set(leaf.value.subarray(half, leaf.count));
    right.count = leaf.count - half;
    leaf.count = half;
    if (this.#leaves.length === this.#firsts.length) {
      const wider = new Float64Array(this.#firsts.length * 2);
      wider.set(this.#firsts);
      this.#firsts = wider;
    }
    this.#firsts.copyWithin(index + 2, index + 1, this.#leaves.length);
    this.#firsts[index + 1] = right.start[0];
    this.#leaves.splice(index + 1, 0, right);
  }

  #removeLeaves(from: number, to: number): void {
    if (from >= to) return;
    this.#firsts.copyWithin(from, to, this.#leaves.length);
    this.#leaves.splice(from, to - from);
  }

  /** Faster than a remainder of large doubles. */
  #isPage(address: number): boolean {
    const page = address / this.#pageBytes;
    return Math.floor(page) === page;
  }

  #endOf(index: number): number {
    return index + 1 < this.#leaves.length ? this.#firsts[index + 1] : Number.POSITIVE_INFINITY;
  }

  #findLeaf(address: number): number {
    const firsts = this.#firsts;
    let low = 0;
    let high = this.#leaves.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (firsts[middle] <= address) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Index of the run that holds `address` (the last one that starts at or before it). */
function findRun(leaf: RunLeaf, address: number): number {
  let low = 0;
  let high = leaf.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (leaf.start[middle] <= address) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** First index whose start is at or after `address`. */
function lowerBound(leaf: RunLeaf, address: number): number {
  let low = 0;
  let high = leaf.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (leaf.start[middle] < address) low = middle + 1;
    else high = middle;
  }
  return low;
}
