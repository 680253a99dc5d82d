/**
 * Heat over time and address on a grid: each cell the mean of what was seen of it, weighed by time and size. Cells
 * that nobody saw are NaN, which is not the same as 0.
 *
 * A region of some age was the same before the snapshot that shows it, so it is painted back in time; but only
 * to the end of the snapshot before, which saw for itself. (damo 3.3.0 does not stop there and counts such
 * times twice and more: damo PR #55.) damo also divides by the whole cell where only a part of it was seen;
 * this divides by what was seen.
 */
import { type AddressRange, coverRanges, joinRanges, overlapBytes, totalBytes } from '../../memory/range.ts';
import type { RecordedSnapshot, RegionRecord } from '../../memory/region-record.ts';

export interface HeatRaster {
  /** Time steps, the earliest first. */
  readonly rows: number;
  /** Address steps, the lowest first. */
  readonly columns: number;
  /** Row by row. */
  readonly cells: Float64Array;
  readonly startUs: number;
  readonly endUs: number;
  readonly range: AddressRange;
  /** Hz where the length of an aggregation is known, else samples of one. */
  readonly unit: 'accesses/s' | 'samples';
}

/** The time for which a snapshot speaks of a region, us since the record began. */
function seenSince(
  snapshot: RecordedSnapshot,
  i: number,
  startUs: number,
  endUs: number,
  previousUs: number,
): number {
  const age = snapshot.age[i];
  const ageUs = snapshot.ageUnitUs === null || Number.isNaN(age) ? 0 : age * snapshot.ageUnitUs;
  return Math.max(previousUs, Math.min(startUs, endUs - ageUs));
}

export interface RasterOptions {
  readonly rows: number;
  readonly columns: number;
  readonly range: AddressRange;
  /** Left out: all that the record speaks of. */
  readonly timeUs?: { readonly start: number; readonly end: number };
}

/** When the record's first region was seen first, and the end of its last snapshot; us since the record began. */
export function spanOf(record: RegionRecord): { start: number; end: number } {
  let start = 0;
  forEachSeen(record, (_snapshot, _i, since) => {
    start = Math.min(start, since);
  });
  const last = record.snapshots[record.snapshots.length - 1];
  return { start, end: Number(last.endNs - record.snapshots[0].startNs) / 1000 };
}

function forEachSeen(
  record: RegionRecord,
  visit: (snapshot: RecordedSnapshot, i: number, sinceUs: number, untilUs: number) => void,
): void {
  const originNs = record.snapshots[0].startNs;
  let previousUs = Number.NEGATIVE_INFINITY;
  for (const snapshot of record.snapshots) {
    const startUs = Number(snapshot.startNs - originNs) / 1000;
    const endUs = Number(snapshot.endNs - originNs) / 1000;
    for (let i = 0; i < snapshot.count; i++) {
      visit(snapshot, i, seenSince(snapshot, i, startUs, endUs, previousUs), endUs);
    }
    previousUs = endUs;
  }
}

export function heatRaster(record: RegionRecord, options: RasterOptions): HeatRaster {
  const { rows, columns, range } = options;
  const { start: startUs, end: endUs } = options.timeUs ?? spanOf(record);
  const heat = new Float64Array(rows * columns);
  const seen = new Float64Array(rows * columns);
  const rowUs = (endUs - startUs) / rows;
  const columnBytes = (range.end - range.start) / columns;
  const isTimed = record.snapshots.every(({ aggrUs }) => aggrUs !== null);
  forEachSeen(record, (snapshot, i, sinceUs, untilUs) => {
    const from = Math.max(snapshot.start[i], range.start) - range.start;
    const to = Math.min(snapshot.end[i], range.end) - range.start;
    const begin = Math.max(sinceUs, startUs) - startUs;
    const end = Math.min(untilUs, endUs) - startUs;
    if (from >= to || begin >= end) return;
    const value = isTimed
      ? snapshot.nrAccesses[i] / ((snapshot.aggrUs ?? Number.NaN) / 1e6)
      : snapshot.nrAccesses[i];
    const lastRow = Math.min(rows - 1, Math.ceil(end / rowUs) - 1);
    const lastColumn = Math.min(columns - 1, Math.ceil(to / columnBytes) - 1);
    for (let row = Math.floor(begin / rowUs); row <= lastRow; row++) {
      const us = overlapBytes(begin, end, row * rowUs, (row + 1) * rowUs);
      for (let column = Math.floor(from / columnBytes); column <= lastColumn; column++) {
        const area = us * overlapBytes(from, to, column * columnBytes, (column + 1) * columnBytes);
        heat[row * columns + column] += value * area;
        seen[row * columns + column] += area;
      }
    }
  });
  return {
    rows,
    columns,
    cells: heat.map((sum, i) => (seen[i] > 0 ? sum / seen[i] : Number.NaN)),
    startUs,
    endUs,
    range,
    unit: isTimed ? 'accesses/s' : 'samples',
  };
}

/** Areas of a record's memory that large gaps part, and the heat of each. */
export interface HeatArea extends AddressRange {
  /** Bytes x samples with an access, over all snapshots. */
  readonly heat: number;
}

/** Of a process the heap, the mapped files and the stack. */
const MAX_AREAS = 3;
/** Gaps below this share of what lies between them part nothing. */
const MIN_GAP_SHARE = 0.1;

export function heatAreas(record: RegionRecord): HeatArea[] {
  const ends: AddressRange[] = [];
  for (const { count, start, end } of record.snapshots) {
    for (let i = 0; i < count; i++) ends.push({ start: start[i], end: end[i] });
  }
  const joined = joinRanges(ends);
  const areas = coverRanges(joined, MAX_AREAS, MIN_GAP_SHARE * totalBytes(joined));
  return areas.map((area) => ({ ...area, heat: heatIn(record, area) }));
}

function heatIn(record: RegionRecord, area: AddressRange): number {
  let heat = 0;
  for (const { count, start, end, nrAccesses } of record.snapshots) {
    for (let i = 0; i < count; i++)
      heat += nrAccesses[i] * overlapBytes(start[i], end[i], area.start, area.end);
  }
  return heat;
}
