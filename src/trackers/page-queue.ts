/** A first-in, first-out queue of page numbers in a ring that grows. */
export class PageQueue {
  #ring = new Int32Array(1024);
  #head = 0;
  count = 0;

  push(page: number): void {
    if (this.count === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.count) & (this.#ring.length - 1)] = page;
    this.count++;
  }

  /** The oldest, or -1. */
  shift(): number {
    if (this.count === 0) return -1;
    const page = this.#ring[this.#head];
    this.#head = (this.#head + 1) & (this.#ring.length - 1);
    this.count--;
    return page;
  }

  #grow(): void {
    const larger = new Int32Array(2 * this.#ring.length);
    larger.set(this.#ring.subarray(this.#head));
    larger.set(this.#ring.subarray(0, this.#head), this.#ring.length - this.#head);
    this.#ring = larger;
    this.#head = 0;
  }
}
