import { NO_REGIONS, type Regions } from '../../src/monitor/monitor.ts';

const PAGE = 4096;

/** Regions from `[start, end, rate]` in pages; the age of each is its number. */
export function ratedPages(list: readonly (readonly [number, number, number])[]): Regions {
  return {
    ...NO_REGIONS,
    count: list.length,
    start: (i) => list[i][0] * PAGE,
    end: (i) => list[i][1] * PAGE,
    rate: (i) => list[i][2],
    age: (i) => i,
  };
}
