/**
 * Heat over time and address, in bounded memory: a grid of address rows and time columns that holds
 * the mean estimated rate. When the columns are used up, pairs of them become one.
 */
import type { AddressRange } from '../memory/range.ts';
import { overlapBytes, totalBytes } from '../memory/range.ts';
import type { Regions } from '../monitor/monitor.ts';

/** Address rows and time columns kept of a run. */
export const HEAT_ROWS = 256;
export const HEAT_COLUMNS = 512;

/** In address order. */
export type RatedAreas = Pick<Regions, 'count' | 'start' | 'end' | 'rate'>;

export interface HeatColumn {
  readonly timeUs: number;
  /** Mean accesses per page per second of each row. */
  readonly cells: Float64Array;
}

export class HeatGrid {
  readonly rows: number;
  readonly #ranges: readonly AddressRange[];
  readonly #maxColumns: number;
  readonly #columns: { endUs: number; cells: Float64Array; weight: number }[] = [];
  /** Aggregations per column. */
  #perColumn = 1;

  /** @param maxColumns even */
  constructor(ranges: readonly AddressRange[], rows: number, maxColumns: number) {
    this.#ranges = ranges;
    this.rows = rows;
    this.#maxColumns = maxColumns;
  }

  add(timeUs: number, regions: RatedAreas): void {
    let column = this.#columns.at(-1);
    if (column === undefined || column.weight >= this.#perColumn) {
      if (this.#columns.length === this.#maxColumns) this.#halve();
      column = { endUs: timeUs, cells: new Float64Array(this.rows), weight: 0 };
      this.#columns.push(column);
    }
    const { cells } = column;
    const cellBytes = totalBytes(this.#ranges) / this.rows;
    let offset = 0;
    let i = 0;
    for (const range of this.#ranges) {
      while (i < regions.count && regions.end(i) <= range.start) i++;
      for (; i < regions.count && regions.start(i) < range.end; i++) {
        const rate = regions.rate(i);
        if (rate > 0) {
          const from = offset + Math.max(regions.start(i), range.start) - range.start;
          const to = offset + Math.min(regions.end(i), range.end) - range.start;
          const last = Math.min(this.rows - 1, Math.ceil(to / cellBytes) - 1);
          for (let row = Math.floor(from / cellBytes); row <= last; row++) {
            cells[row] += (rate * overlapBytes(from, to, row * cellBytes, (row + 1) * cellBytes)) / cellBytes;
          }
        }
      }
      offset += range.end - range.start;
    }
    column.weight++;
    column.endUs = timeUs;
  }

  columns(): HeatColumn[] {
    return this.#columns.map(({ endUs, cells, weight }) => ({
      timeUs: endUs,
      cells: cells.map((sum) => sum / weight),
    }));
  }

  #halve(): void {
    const half = this.#columns.length / 2;
    for (let i = 0; i < half; i++) {
      const left = this.#columns[2 * i];
      const right = this.#columns[2 * i + 1];
      for (let row = 0; row < this.rows; row++) left.cells[row] += right.cells[row];
      left.weight += right.weight;
      left.endUs = right.endUs;
      this.#columns[i] = left;
    }
    this.#columns.length = half;
    this.#perColumn *= 2;
  }
}
