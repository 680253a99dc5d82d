/** A set of page numbers: a bitmap whose parts of 1 Mi pages are made when first written. */

const PART_BITS = 20;

export class PageSet {
  readonly #parts: (Uint8Array | undefined)[];

  /** @param sizeBytes pages lie below this */
  constructor(sizeBytes: number) {
    this.#parts = new Array<Uint8Array | undefined>(Math.ceil(sizeBytes / 4096 / 2 ** PART_BITS)).fill(
      undefined,
    );
  }

  has(page: number): boolean {
    const part = this.#parts[Math.floor(page / 2 ** PART_BITS)];
    const bit = page % 2 ** PART_BITS;
    return part !== undefined && (part[bit >> 3] & (1 << (bit & 7))) !== 0;
  }

  add(page: number): void {
    const index = Math.floor(page / 2 ** PART_BITS);
    const part = this.#parts[index] ?? new Uint8Array(2 ** (PART_BITS - 3));
    this.#parts[index] = part;
    const bit = page % 2 ** PART_BITS;
    part[bit >> 3] |= 1 << (bit & 7);
  }
}
