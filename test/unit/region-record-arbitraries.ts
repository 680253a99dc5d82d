/** Records of regions as any of our readers could give them. */
import { fc } from '@fast-check/vitest';
import {
  intervalsOf,
  type RecordedSnapshot,
  type RecordHead,
  type RegionRecord,
} from '../../src/memory/region-record.ts';

const PAGE = 4096;

const intervals = fc.record({
  sampleUs: fc.integer({ min: 1, max: 1_000_000 }),
  samples: fc.integer({ min: 1, max: 100 }),
  opsUpdateUs: fc.integer({ min: 0, max: 100_000_000 }),
  goal: fc.option(
    fc.record({
      accessBp: fc.nat({ max: 10_000 }),
      aggrs: fc.nat({ max: 10 }),
      minSampleUs: fc.nat({ max: 10_000 }),
      maxSampleUs: fc.nat({ max: 10_000_000 }),
    }),
  ),
});

const head: fc.Arbitrary<RecordHead> = fc
  .record({
    kdamondIdx: fc.option(fc.nat({ max: 3 })),
    contextIdx: fc.option(fc.nat({ max: 3 })),
    schemeIdx: fc.option(fc.nat({ max: 3 })),
    targetId: fc.option(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String)),
    intervals: fc.option(intervals),
    schemeFilters: fc.constantFrom([], [{ filter_type: 'anon', matching: true, allow: true }]),
    dataSource: fc.constantFrom('unknown', 'damon_stat'),
  })
  .map(({ intervals: given, ...rest }) => ({
    ...rest,
    intervals:
      given === null
        ? null
        : {
            sampleUs: given.sampleUs,
            aggrUs: given.sampleUs * given.samples,
            opsUpdateUs: given.opsUpdateUs,
            // A file does not tell a goal of nothing from none.
            goal: given.goal ?? { accessBp: 0, aggrs: 0, minSampleUs: 0, maxSampleUs: 0 },
          },
  }));

const region = fc.record({
  gap: fc.nat({ max: 1000 }),
  pages: fc.integer({ min: 1, max: 1_000_000 }),
  nrAccesses: fc.nat({ max: 100 }),
  age: fc.nat({ max: 1_000_000 }),
  passed: fc.nat({ max: 1_000_000 }),
});

interface Given {
  readonly ns: number;
  readonly regions: readonly {
    gap: number;
    pages: number;
    nrAccesses: number;
    age: number;
    passed: number;
  }[];
  readonly hasAges: boolean;
  readonly hasPassed: boolean;
  readonly hasStats: boolean;
}

function snapshotOf(of: RecordHead, startNs: bigint, given: Given): RecordedSnapshot {
  let at = 0x7f00_0000_0000;
  const ranges = given.regions.map(({ gap, pages }) => {
    const start = at + gap * PAGE;
    at = start + pages * PAGE;
    return { start, end: at };
  });
  const times = intervalsOf(of.intervals, null);
  const column = (value: (i: number) => number): Float64Array =>
    Float64Array.from(given.regions, (_, i) => value(i));
  return {
    startNs,
    endNs: startNs + BigInt(given.ns),
    count: ranges.length,
    start: column((i) => ranges[i].start),
    end: column((i) => ranges[i].end),
    nrAccesses: column((i) => given.regions[i].nrAccesses),
    age: column((i) => (given.hasAges ? given.regions[i].age : Number.NaN)),
    szFilterPassed: column((i) => (given.hasPassed ? given.regions[i].passed : Number.NaN)),
    ...times,
    totalBytes: ranges.reduce((sum, { start, end }) => sum + end - start, 0),
    damosStats: given.hasStats ? { nr_tried: 3, sz_tried: 4096 } : null,
  };
}

/** One record of some snapshots, whose times are of a wall clock. */
export const arbitraryRecord: fc.Arbitrary<RegionRecord> = fc
  .record({
    head,
    startNs: fc.bigInt({ min: 0n, max: 2n ** 61n }),
    snapshots: fc.array(
      fc.record({
        ns: fc.integer({ min: 1, max: 2 ** 40 }),
        regions: fc.array(region, { maxLength: 20 }),
        hasAges: fc.boolean(),
        hasPassed: fc.boolean(),
        hasStats: fc.boolean(),
      }),
      { minLength: 1, maxLength: 8 },
    ),
  })
  .map(({ head: of, startNs, snapshots }) => {
    let at = startNs;
    return {
      head: of,
      snapshots: snapshots.map((given) => {
        const snapshot = snapshotOf(of, at, given);
        at = snapshot.endNs;
        return snapshot;
      }),
    };
  });
