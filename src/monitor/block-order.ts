/**
 * Sorts table entries by the number of their block: a radix sort in three passes of 11 bits, since the
 * platform's sort of 10,000 doubles takes ten times as long (0.8 ms).
 */
const BITS = 11;
const BUCKETS = 2 ** BITS;
const PASSES = [0, BITS, 2 * BITS] as const;

export class BlockOrder {
  /** Sorted in place, with `entry`; below 2^32. */
  block: Uint32Array;
  entry: Uint16Array;
  #otherBlock: Uint32Array;
  #otherEntry: Uint16Array;
  readonly #next = new Uint32Array(BUCKETS);

  constructor(capacity: number) {
    this.block = new Uint32Array(capacity);
    this.entry = new Uint16Array(capacity);
    this.#otherBlock = new Uint32Array(capacity);
    this.#otherEntry = new Uint16Array(capacity);
  }

  /** Sorts the first `count` by rising block; equal ones keep their order. */
  sort(count: number): void {
    for (const shift of PASSES) {
      this.#pass(count, shift);
      [this.block, this.#otherBlock] = [this.#otherBlock, this.block];
      [this.entry, this.#otherEntry] = [this.#otherEntry, this.entry];
    }
  }

  #pass(count: number, shift: number): void {
    const { block, entry } = this;
    const toBlock = this.#otherBlock;
    const toEntry = this.#otherEntry;
    const next = this.#next.fill(0);
    for (let i = 0; i < count; i++) next[(block[i] >>> shift) & 2047]++;
    let sum = 0;
    for (let b = 0; b < next.length; b++) {
      const size = next[b];
      next[b] = sum;
      sum += size;
    }
    for (let i = 0; i < count; i++) {
      const at = next[(block[i] >>> shift) & 2047]++;
      toBlock[at] = block[i];
      toEntry[at] = entry[i];
    }
  }
}
