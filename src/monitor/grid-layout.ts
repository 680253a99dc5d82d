/** Equal cells over address ranges: which cell holds an address, and where a cell lies. */
import { type AddressRange, roundUp, totalBytes } from '../memory/range.ts';

export class GridLayout {
  readonly ranges: readonly AddressRange[];
  /** A multiple of the minimum region size; the last cell of a range may be smaller. */
  readonly cellBytes: number;
  readonly count: number;
  /** First cell of each range, and the number of all cells. */
  readonly #base: Uint32Array;
  #lastRange = 0;

  /** @param maxCells more than there are ranges */
  constructor(ranges: readonly AddressRange[], minRegionSz: number, maxCells: number) {
    this.ranges = ranges;
    const bytes = totalBytes(ranges);
    const cellsOf = (cellBytes: number): number =>
      ranges.reduce((sum, { start, end }) => sum + Math.ceil((end - start) / cellBytes), 0);
    // Each range may waste a part of its last cell, so this many cells are enough in any case.
    const safe = roundUp(bytes / Math.max(1, maxCells - ranges.length), minRegionSz);
    const best = roundUp(bytes / maxCells, minRegionSz);
    this.cellBytes = Math.max(minRegionSz, cellsOf(best) <= maxCells ? best : safe);
    this.#base = new Uint32Array(ranges.length + 1);
    ranges.forEach(({ start, end }, r) => {
      this.#base[r + 1] = this.#base[r] + Math.ceil((end - start) / this.cellBytes);
    });
    this.count = this.#base[ranges.length];
  }

  start(cell: number): number {
    const r = this.#rangeOf(cell);
    return this.ranges[r].start + (cell - this.#base[r]) * this.cellBytes;
  }

  end(cell: number): number {
    const r = this.#rangeOf(cell);
    const { start, end } = this.ranges[r];
    return Math.min(end, start + (cell - this.#base[r] + 1) * this.cellBytes);
  }

  /** The cell that holds an address, or -1 outside all ranges. */
  locate(address: number): number {
    let low = 0;
    let high = this.ranges.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.ranges[middle].start <= address) low = middle;
      else high = middle - 1;
    }
    const range = this.ranges[low];
    if (range === undefined || address < range.start || address >= range.end) return -1;
    return this.#base[low] + Math.floor((address - range.start) / this.cellBytes);
  }

  /** Cells are mostly walked in order: begin where the last one was. */
  #rangeOf(cell: number): number {
    let r = this.#lastRange;
    while (cell < this.#base[r]) r--;
    while (cell >= this.#base[r + 1]) r++;
    this.#lastRange = r;
    return r;
  }
}
