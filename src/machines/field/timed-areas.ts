/** Areas that jump, come, go, cool and grow, as one {@link AccessField}. */
import { AccessField } from './access-field.ts';
import type { Draw } from './generate.ts';
import type { FieldArea } from './rate-map.ts';

/** From a time on an area has another rate or another end. */
export interface AreaChange {
  readonly atUs: number;
  readonly perS?: number;
  readonly end?: number;
}

export interface TimedArea extends FieldArea {
  /** Jumps to the next place above, by its own size, each time this long; from the top to the bottom. */
  readonly movesEveryUs?: number;
  /** In order of time. An area that moves keeps its end. */
  readonly changes?: readonly AreaChange[];
}

/** Makes areas, drawing what is random about them. */
export type AreaMaker = (draw: Draw) => readonly TimedArea[];

export interface TimedFieldConfig {
  readonly name: string;
  readonly sizeBytes: number;
  readonly backgroundPerS: number;
  readonly hotPerS?: number | undefined;
  readonly areas: readonly TimedArea[];
}

/** Areas with a rate of 0 are left out. */
export function timedField({ hotPerS, areas, ...config }: TimedFieldConfig): AccessField {
  const base = { ...config, ...(hotPerS === undefined ? {} : { hotPerS }) };
  const timed = areas.filter((area) => area.movesEveryUs !== undefined || area.changes !== undefined);
  const still = areas.filter((area) => area.movesEveryUs === undefined && area.changes === undefined);
  return new AccessField({
    ...base,
    areasAt: (timeUs) => [
      ...still,
      ...timed.map((area) => areaAt(area, timeUs, config.sizeBytes)).filter(({ perS }) => perS > 0),
    ],
    nextChangeUs: (timeUs) =>
      timed.reduce((first, area) => Math.min(first, nextChangeUs(area, timeUs)), Number.POSITIVE_INFINITY),
  });
}

function areaAt(area: TimedArea, timeUs: number, sizeBytes: number): FieldArea {
  let { start, end, perS } = area;
  for (const change of area.changes ?? []) {
    if (change.atUs > timeUs) break;
    perS = change.perS ?? perS;
    end = change.end ?? end;
  }
  if (area.movesEveryUs !== undefined) {
    const bytes = end - start;
    const offset = start % bytes;
    const places = Math.floor((sizeBytes - offset) / bytes);
    const place = (Math.floor(start / bytes) + Math.floor(timeUs / area.movesEveryUs)) % places;
    start = offset + place * bytes;
    end = start + bytes;
  }
  return { ...area, start, end, perS };
}

function nextChangeUs({ movesEveryUs, changes = [] }: TimedArea, timeUs: number): number {
  const jump =
    movesEveryUs === undefined
      ? Number.POSITIVE_INFINITY
      : (Math.floor(timeUs / movesEveryUs) + 1) * movesEveryUs;
  const change = changes.find(({ atUs }) => atUs > timeUs)?.atUs ?? Number.POSITIVE_INFINITY;
  return Math.min(jump, change);
}
