/**
 * Numbers the pages of a sparse address space in the order in which they are first seen.
 *
 * Open addressing over page numbers in typed arrays: about 30 bytes per page, no object per page,
 * some 10 ns per look-up. Speed matters here: replay asks once per access.
 */

const EMPTY = -1;

export class PageTable {
  /** Page numbers (address / 4096) by id. */
  #pages = new Float64Array(1024);
  #count = 0;
  #slotPage = new Float64Array(4096).fill(EMPTY);
  #slotId = new Int32Array(4096);
  #mask = 4095;

  get count(): number {
    return this.#count;
  }

  /** Page number of an id. */
  pageAt(id: number): number {
    return this.#pages[id];
  }

  /** Id of a page, or -1 if it was never added. */
  find(page: number): number {
    const slotPage = this.#slotPage;
    let slot = hashPage(page) & this.#mask;
    while (slotPage[slot] !== page) {
      if (slotPage[slot] === EMPTY) return -1;
      slot = (slot + 1) & this.#mask;
    }
    return this.#slotId[slot];
  }

  /** Id of a page; a new one gets the next number. */
  add(page: number): number {
    const slotPage = this.#slotPage;
    let slot = hashPage(page) & this.#mask;
    while (slotPage[slot] !== page) {
      if (slotPage[slot] === EMPTY) {
        slotPage[slot] = page;
        const id = this.#count++;
        this.#slotId[slot] = id;
        if (id === this.#pages.length) this.#growPages();
        this.#pages[id] = page;
        if (this.#count * 2 > this.#mask) this.#growSlots();
        return id;
      }
      slot = (slot + 1) & this.#mask;
    }
    return this.#slotId[slot];
  }

  /** All page numbers, ascending. */
  sortedPages(): Float64Array {
    return this.#pages.slice(0, this.#count).sort();
  }

  #growPages(): void {
    const larger = new Float64Array(this.#pages.length * 2);
    larger.set(this.#pages);
    this.#pages = larger;
  }

  #growSlots(): void {
    const size = (this.#mask + 1) * 2;
    this.#mask = size - 1;
    this.#slotPage = new Float64Array(size).fill(EMPTY);
    this.#slotId = new Int32Array(size);
    for (let id = 0; id < this.#count; id++) {
      let slot = hashPage(this.#pages[id]) & this.#mask;
      while (this.#slotPage[slot] !== EMPTY) slot = (slot + 1) & this.#mask;
      this.#slotPage[slot] = this.#pages[id];
      this.#slotId[slot] = id;
    }
  }
}

/** Multiplicative hash of a page number of up to 41 bits. */
function hashPage(page: number): number {
  const low = page | 0;
  const high = (page / 4294967296) | 0;
  const mixed = Math.imul(low ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
