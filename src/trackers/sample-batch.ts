/** A batch of samples without doubles: which pages, and how often each. Typed arrays, emptied by `clear`. */

export class SampleBatch {
  /** Samples taken in. */
  samples = 0;
  /** Different pages among them. */
  count = 0;
  readonly page: Int32Array;
  readonly times: Int32Array;
  /** Position + 1 by hash; 0: empty. */
  readonly #table: Int32Array;

  constructor(capacity: number) {
    this.page = new Int32Array(capacity);
    this.times = new Int32Array(capacity);
    this.#table = new Int32Array(2 ** Math.ceil(Math.log2(2 * capacity)));
  }

  /** @returns whether the batch is full now */
  add(page: number): boolean {
    const mask = this.#table.length - 1;
    let at = (Math.imul(page, 0x9e3779b1) >>> 8) & mask;
    while (this.#table[at] !== 0 && this.page[this.#table[at] - 1] !== page) at = (at + 1) & mask;
    if (this.#table[at] === 0) {
      this.page[this.count] = page;
      this.times[this.count] = 0;
      this.#table[at] = ++this.count;
    }
    this.times[this.#table[at] - 1]++;
    this.samples++;
    return this.samples === this.page.length;
  }

  clear(): void {
    this.samples = 0;
    this.count = 0;
    this.#table.fill(0);
  }
}
