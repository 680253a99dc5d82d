/** fast-check arbitraries: address layouts, access streams, region tables and scripts for a monitor. */
import fc from 'fast-check';
import { RandomStream } from '../memory/random.ts';
import { type AddressRange, PAGE_SIZE } from '../memory/range.ts';
import { BINS, binCount } from '../monitor/bins.ts';
import type { MonitorAttrs } from '../monitor/monitor.ts';
import { RegionTable } from '../monitor/region-table.ts';

/** Sorted, disjoint ranges, aligned to `alignment`; sizes from one unit to `maxUnits`. */
export function rangesArbitrary(
  options: { readonly maxRanges?: number; readonly maxUnits?: number; readonly alignment?: number } = {},
): fc.Arbitrary<AddressRange[]> {
  const { maxRanges = 4, maxUnits = 4096, alignment = PAGE_SIZE } = options;
  // Small layouts matter most, huge gaps occur (heap and stack).
  const gap = fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 10_000 }), fc.nat({ max: 2 ** 33 }));
  const size = fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: maxUnits }));
  return fc.array(fc.tuple(gap, size), { minLength: 1, maxLength: maxRanges }).map((parts) => {
    const ranges: { start: number; end: number }[] = [];
    let at = 0;
    for (const [gapUnits, sizeUnits] of parts) {
      const start = at + gapUnits * alignment;
      const last = ranges.at(-1);
      at = start + sizeUnits * alignment;
      if (last !== undefined && last.end === start) last.end = at;
      else ranges.push({ start, end: at });
    }
    return ranges;
  });
}

/** Attributes that pass validation, with few regions so that limits are met. */
export function attrsArbitrary(): fc.Arbitrary<MonitorAttrs> {
  return fc
    .record({
      minNrRegions: fc.integer({ min: 3, max: 10 }),
      more: fc.integer({ min: 13, max: 60 }),
      minRegionSz: fc.constantFrom(4096, 8192, 65536),
      samples: fc.integer({ min: 1, max: 20 }),
      checks: fc.constantFrom(0, 1, 20, 75),
    })
    .map(({ minNrRegions, more, minRegionSz, samples, checks }) => ({
      sampleUs: 5000,
      aggrUs: 5000 * samples,
      minNrRegions,
      maxNrRegions: minNrRegions + more,
      minRegionSz,
      pullPerS: checks * 200,
    }));
}

/** What a stream of accesses does to a monitor: a share of hot pages and samples of them. */
export interface AccessPattern {
  /** Place of the hot part in the watched bytes, 0..1. */
  readonly hotAt: number;
  /** Size of it, 0..1 of the watched bytes. */
  readonly hotShare: number;
  /** Probability that a check of a hot page hits. */
  readonly hitShare: number;
  /** Samples per sampling interval. */
  readonly samples: number;
  /** Samples lost per sampling interval. */
  readonly dropped: number;
}

export function accessPatternArbitrary(): fc.Arbitrary<AccessPattern> {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  return fc.record({
    hotAt: share,
    hotShare: share,
    hitShare: share,
    samples: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 200 })),
    dropped: fc.oneof(fc.constant(0), fc.nat({ max: 50 })),
  });
}

/** One step of a monitor's life. */
export type MonitorStep =
  | { readonly kind: 'sample'; readonly pattern: AccessPattern }
  | { readonly kind: 'aggregate' }
  | { readonly kind: 'setRanges'; readonly ranges: readonly AddressRange[] };

/** A script: ranges first, then samples, aggregations and range updates in any order. */
export function monitorScriptArbitrary(alignment: number, maxRanges = 3): fc.Arbitrary<MonitorStep[]> {
  const ranges = rangesArbitrary({ alignment, maxRanges }).map(
    (value): MonitorStep => ({ kind: 'setRanges', ranges: value }),
  );
  const sample = accessPatternArbitrary().map((pattern): MonitorStep => ({ kind: 'sample', pattern }));
  const aggregate = fc.constant<MonitorStep>({ kind: 'aggregate' });
  const step = fc.oneof(
    { weight: 6, arbitrary: sample },
    { weight: 4, arbitrary: aggregate },
    { weight: 1, arbitrary: ranges },
  );
  return fc.tuple(ranges, fc.array(step, { maxLength: 60 })).map(([first, rest]) => [first, ...rest]);
}

/** A region table with random layout and evidence, for tests of split and merge. */
export function regionTableArbitrary(capacity = 24): fc.Arbitrary<RegionTable> {
  return fc
    .record({
      ranges: rangesArbitrary({ maxRanges: 2, maxUnits: 64 }),
      pieces: fc.integer({ min: 1, max: capacity >> 1 }),
      seed: fc.nat(),
    })
    .map(({ ranges, pieces, seed }) => {
      const table = new RegionTable(capacity, PAGE_SIZE);
      table.setRanges(ranges, pieces);
      const random = new RandomStream(seed, 'regionTableArbitrary');
      for (let i = 0; i < table.count; i++) fillRecord(table, table.order[i], random);
      // A counterexample shows how it was made, not its thousands of numbers.
      const text = `RegionTable(${JSON.stringify({ ranges, pieces, seed })})`;
      return Object.assign(table, { [fc.toStringMethod]: () => text });
    });
}

function fillRecord(table: RegionTable, slot: number, random: RandomStream): void {
  const used = binCount(table, slot);
  for (let b = slot * BINS; b < slot * BINS + used; b++) {
    table.binTrials[b] = random.below(20);
    table.binHits[b] = random.below(table.binTrials[b] + 1);
    table.binPushes[b] = random.unit() < 0.5 ? 0 : random.below(50);
  }
  table.binExposureS[slot] = 1;
  table.sumsFromBins(slot);
  table.age[slot] = random.below(100);
  table.nowTrials[slot] = random.below(10);
}
