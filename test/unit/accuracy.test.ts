import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { kernelReference } from '../../src/lab/accuracy/kernel-reference.ts';
import { measureAccuracy } from '../../src/lab/accuracy/measure.ts';
import { runAccuracy } from '../../src/lab/accuracy/run-accuracy.ts';
import { AccuracyScorer } from '../../src/lab/accuracy/score.ts';
import { spreadOf } from '../../src/lab/accuracy/summary.ts';
import { AccessField } from '../../src/machines/field/access-field.ts';
import { builtinField } from '../../src/machines/field/builtin.ts';
import { loadField } from '../../src/machines/field/load-field.ts';
import { RateMap } from '../../src/machines/field/rate-map.ts';
import { RandomStream } from '../../src/memory/random.ts';
import { createMonitor } from '../../src/monitor/create-monitor.ts';
import { GridMonitor } from '../../src/monitor/grid-monitor.ts';
import { DEFAULT_ATTRS, NO_REGIONS, type Regions } from '../../src/monitor/monitor.ts';
import { forEachPiece } from '../../src/monitor/pieces.ts';
import { type AccuracyRow, renderAccuracy, type Score } from '../../src/view/accuracy-table.ts';
import { ratedPages as regionsOf } from './rated-pages.ts';

const PAGE = 4096;

function piecesOf(regions: Regions, spots: Regions): number[][] {
  const pieces: number[][] = [];
  forEachPiece(regions, spots, (start, end, rate) => pieces.push([start / PAGE, end / PAGE, rate]));
  return pieces;
}

describe('regions and spots are one sequence of pieces', () => {
  test('inside a spot its rate holds, elsewhere what the spots leave of the accesses of the region', () => {
    const regions = regionsOf([
      [0, 10, 5],
      [10, 20, 8],
      [30, 40, 9],
    ]);
    const spots = regionsOf([
      [0, 1, 7],
      [4, 6, 8],
      [9, 12, 9],
      [15, 20, 10],
      [22, 32, 11],
      [39, 50, 12],
    ]);
    expect(piecesOf(regions, spots)).toEqual([
      [0, 1, 7],
      [1, 4, 3],
      [4, 6, 8],
      [6, 9, 3],
      [9, 10, 9],
      [10, 12, 9],
      [12, 15, 4],
      [15, 20, 10],
      [30, 32, 11],
      [32, 39, 8],
      [39, 40, 12],
    ]);
    expect(piecesOf(regions, NO_REGIONS)).toHaveLength(3);
  });

  const cuts = fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 14 }).map((pages) => {
    const sorted = [...pages].sort((a, b) => a - b);
    const list: [number, number, number][] = [];
    for (let i = 0; i + 1 < sorted.length; i += 1 + (sorted[i] % 2)) {
      list.push([sorted[i], sorted[i + 1], i]);
    }
    return list;
  });
  propertyTest.prop([cuts, cuts])('page by page', (regions, spots) => {
    const hotter = spots.map(([a, b, r]): [number, number, number] => [a, b, r + 100]);
    const pieces = piecesOf(regionsOf(regions), regionsOf(hotter));
    const rateIn = (list: readonly (readonly number[])[], page: number): number | undefined =>
      list.find(([start, end]) => page >= start && page < end)?.[2];
    const restOf = ([start, end, rate]: readonly number[]): number => {
      let [accesses, pages] = [(end - start) * rate, end - start];
      for (let page = start; page < end; page++) {
        const spot = rateIn(hotter, page);
        if (spot === undefined) continue;
        accesses -= spot;
        pages--;
      }
      return Math.max(0, accesses / pages);
    };
    for (let page = 0; page < 62; page++) {
      const region = regions.find(([start, end]) => page >= start && page < end);
      const found = rateIn(pieces, page);
      if (region === undefined) expect(found).toBeUndefined();
      else expect(found).toBeCloseTo(rateIn(hotter, page) ?? restOf(region), 9);
    }
  });
});

describe('a score', () => {
  /** 100 pages at 1/s; pages 10..20 at 100/s more, 50..60 at 50/s more. */
  const map = new RateMap(100 * PAGE, 1, [
    { start: 10 * PAGE, end: 20 * PAGE, perS: 100 },
    { start: 50 * PAGE, end: 60 * PAGE, perS: 50 },
  ]);
  const score = (regions: readonly (readonly [number, number, number])[]): Score =>
    new AccuracyScorer(30).score(regionsOf(regions), NO_REGIONS, map);

  test('of the truth itself is 1 in everything', () => {
    const truth = score([
      [0, 10, 1],
      [10, 20, 101],
      [20, 50, 1],
      [50, 60, 51],
      [60, 100, 1],
    ]);
    expect(truth).toEqual({ precision: 1, recall: 1, f1: 1, bestF1: 1, hotShare: 1 });
  });

  test('counts bytes', () => {
    // Detected: 0..20 and 50..55; both: 15 pages; hot: 20.
    const half = score([
      [0, 20, 40],
      [20, 50, 0],
      [50, 55, 40],
      [55, 100, 20],
    ]);
    expect(half.precision).toBeCloseTo(15 / 25, 12);
    expect(half.recall).toBeCloseTo(15 / 20, 12);
    expect(half.f1).toBeCloseTo(30 / 45, 12);
    // One threshold for both pieces of 40: 30/45; all from 20 on: 2 x 20 / (20 + 70).
    expect(half.bestF1).toBeCloseTo(30 / 45, 12);
    // 20 pages by falling rate, ties by address: 0..20.
    expect(half.hotShare).toBeCloseTo((10 * 101 + 10) / (10 * 101 + 10 * 51), 12);
  });

  test('takes the last piece pro rata', () => {
    const { hotShare } = score([
      [0, 50, 0],
      [50, 60, 9],
      [60, 100, 5],
    ]);
    expect(hotShare).toBeCloseTo((10 * 51 + 10) / 1520, 12);
  });

  test('of a monitor that found nothing, and of a field where nothing is hot', () => {
    expect(score([[0, 100, 0]])).toMatchObject({ precision: 1, recall: 0, f1: 0, bestF1: 0 });
    const cold = new RateMap(100 * PAGE, 1, []);
    const found = new AccuracyScorer(30).score(regionsOf([[0, 100, 90]]), NO_REGIONS, cold);
    expect(found).toEqual({ precision: 0, recall: 1, f1: 0, bestF1: 1, hotShare: 1 });
  });

  const rates = fc.array(
    fc.integer({ min: 0, max: 6 }).map((rate) => rate * 20),
    { minLength: 1, maxLength: 40 },
  );
  propertyTest.prop([rates, rates])('is what a plain count of pages gives', (truth, guess) => {
    const pages = Math.max(truth.length, guess.length);
    const padded = (list: readonly number[], page: number): number => list[page] ?? 0;
    const field = new RateMap(
      pages * PAGE,
      1,
      truth.map((perS, page) => ({ start: page * PAGE, end: (page + 1) * PAGE, perS })),
    );
    const regions = Array.from({ length: pages }, (_, page): [number, number, number] => [
      page,
      page + 1,
      padded(guess, page),
    ]);
    const at = (threshold: number): { both: number; detected: number; hot: number } => {
      let [both, detected, hot] = [0, 0, 0];
      for (let page = 0; page < pages; page++) {
        const isHot = padded(truth, page) + 1 >= 50;
        const isDetected = padded(guess, page) >= threshold;
        both += isHot && isDetected ? 1 : 0;
        detected += isDetected ? 1 : 0;
        hot += isHot ? 1 : 0;
      }
      return { both, detected, hot };
    };
    const f1 = ({ both, detected, hot }: ReturnType<typeof at>): number =>
      detected + hot > 0 ? (2 * both) / (detected + hot) : 1;
    const actual = new AccuracyScorer(50).score(regionsOf(regions), NO_REGIONS, field);
    expect(actual.f1).toBeCloseTo(f1(at(50)), 12);
    const { hot } = at(50);
    const best = hot === 0 ? 1 : Math.max(0, ...[20, 40, 60, 80, 100, 120].map((rate) => f1(at(rate))));
    expect(actual.bestF1).toBeCloseTo(best, 12);
    // Equal rates that touch are one piece, the last piece is taken pro rata.
    const runs: { rate: number; pages: number; accesses: number }[] = [];
    let hotAccesses = 0;
    for (let page = 0; page < pages; page++) {
      const rate = padded(guess, page);
      if (page === 0 || rate !== padded(guess, page - 1)) runs.push({ rate, pages: 0, accesses: 0 });
      const run = runs[runs.length - 1];
      run.pages++;
      run.accesses += padded(truth, page) + 1;
      if (padded(truth, page) + 1 >= 50) hotAccesses += padded(truth, page) + 1;
    }
    let [room, caught] = [hot, 0];
    for (const run of runs.sort((x, y) => y.rate - x.rate)) {
      const taken = Math.min(room, run.pages);
      caught += (run.accesses * taken) / run.pages;
      room -= taken;
    }
    expect(actual.hotShare).toBeCloseTo(hot === 0 ? 1 : caught / hotAccesses, 12);
  });
});

describe('a run', () => {
  const small = loadField(
    'name: small\nsize: 1 GiB\nareas:\n  - { placement: anywhere, size: 64 MiB, align: 2 MiB, rate: 300/s }\n',
    'small.yaml',
  );
  const push = { kind: 'rate', perS: 5876 } as const;

  test('scores each time by the latest finished aggregation and counts what was spent', async () => {
    const monitor = createMonitor('grid', DEFAULT_ATTRS, new RandomStream(1, 'monitor'));
    const run = await runAccuracy({
      field: small.create(1),
      monitor,
      push,
      hotPerS: 30,
      atUs: [1e5, 3.5e5, 1e6],
      seed: 1,
    });
    expect(run?.moments.map(({ pullChecks }) => pullChecks)).toEqual([1500, 4500, 15_000]);
    expect(run?.moments.map(({ regions }) => regions)).toEqual([65_536, 65_536, 65_536]);
    expect(run?.metadataBytes).toBe(327_680);
  });

  test('scores a field that moves against the truth of each moment', async () => {
    const field = new AccessField({
      name: 'jump',
      sizeBytes: 1024 * PAGE,
      backgroundPerS: 0,
      areasAt: (us) => [
        { start: us < 5e5 ? 0 : 512 * PAGE, end: us < 5e5 ? 512 * PAGE : 1024 * PAGE, perS: 300 },
      ],
      nextChangeUs: (us) => (us < 5e5 ? 5e5 : Number.POSITIVE_INFINITY),
    });
    // A monitor that says for ever that the lower half is hot: right in 4 of 10 aggregations.
    const monitor = createMonitor('grid', DEFAULT_ATTRS, new RandomStream(1, 'monitor'));
    const stubborn = new Proxy(monitor, {
      get: (target, key) => {
        if (key === 'regions')
          return regionsOf([
            [0, 512, 300],
            [512, 1024, 0],
          ]);
        const value = Reflect.get(target, key, target) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const run = await runAccuracy({ field, monitor: stubborn, push, hotPerS: 30, atUs: [4e5, 1e6], seed: 1 });
    expect(run?.moments.map(({ f1 }) => f1)).toEqual([1, 0]);
    expect(run?.mean.f1).toBeCloseTo(0.4, 12);
  });

  test('the report has a row per field, monitor and time, and the mean', async () => {
    const options = {
      fields: [small],
      monitors: ['evidence', 'grid'] as const,
      attrs: DEFAULT_ATTRS,
      push,
      faults: {},
      hotPerS: undefined,
      atUs: [5e5, 1e6],
      seeds: [1, 2, 3],
      version: 'test',
    };
    const report = await measureAccuracy(options);
    expect(report?.rows.map(({ monitor, at }) => `${monitor} ${at}`)).toEqual([
      'evidence 0.5s',
      'evidence 1s',
      'evidence mean',
      'grid 0.5s',
      'grid 1s',
      'grid mean',
    ]);
    expect(report?.fields).toEqual([
      { name: 'small', sizeBytes: 2 ** 30, hotPerS: 30, hotBytes: 64 * 2 ** 20 },
    ]);
    for (const row of report?.rows ?? []) {
      expect(row.f1.min).toBeLessThanOrEqual(row.f1.median);
      expect(row.f1.median).toBeLessThanOrEqual(row.f1.max);
    }
    expect(await measureAccuracy(options)).toEqual(report);
    expect(await measureAccuracy({ ...options, shouldStop: () => true })).toBeUndefined();
  });
});

describe('the fields and their machine give what was measured elsewhere', () => {
  const none = { kind: 'off' } as const;
  const push = { kind: 'rate', perS: 5876 } as const;
  async function bestF1(pullPerS: number, setting: typeof push | typeof none, atS: number): Promise<number> {
    const run = await runAccuracy({
      field: builtinField('spots64').create(1),
      monitor: new GridMonitor({ ...DEFAULT_ATTRS, pullPerS }, new RandomStream(1, 'monitor'), {
        checks: 'random',
      }),
      push: setting,
      hotPerS: 30,
      atUs: [atS * 1e6],
      seed: 1,
    });
    return run?.moments[0].bestF1 ?? Number.NaN;
  }

  test('of plain counters on spots64: 1.000 after 1 s by push, 0.665 after 5 s by pull', async () => {
    expect(await bestF1(0, push, 1)).toBeGreaterThan(0.99);
    const pulled = await bestF1(15_000, none, 5);
    expect(pulled).toBeGreaterThan(0.6);
    expect(pulled).toBeLessThan(0.73);
  });

  test('of DAMON on moving: 0.943 in the mean over 60 s', async () => {
    const report = await measureAccuracy({
      fields: [builtinField('moving')],
      monitors: ['damon'],
      attrs: DEFAULT_ATTRS,
      push: none,
      faults: {},
      hotPerS: undefined,
      atUs: [60e6],
      seeds: [1, 2, 3],
      version: 'test',
    });
    const mean = report?.rows.at(-1)?.f1.median ?? Number.NaN;
    // The kernel's five runs lie within 0.931..0.946.
    expect(mean).toBeGreaterThan(0.92);
    expect(mean).toBeLessThan(0.96);
  });
});

test('a median of an even number is the mean of the middle two', () => {
  expect(spreadOf([4, 1, 3])).toEqual({ median: 3, min: 1, max: 4 });
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 });
});

describe('the measured numbers of the kernel', () => {
  const push = { kind: 'rate', perS: 5876 } as const;
  test('are those of the report', () => {
    const rows = kernelReference(DEFAULT_ATTRS, push, 60e6);
    const f1 = (field: string, at: string, monitor: RegExp): number | undefined =>
      rows.find((row) => row.field === field && row.at === at && monitor.test(row.monitor))?.f1.median;
    expect(rows).toHaveLength(66);
    expect(f1('onehot', '2s', /7\.3/)).toBe(0.999);
    expect(f1('spots64', '300s', /7\.3/)).toBe(0.078);
    expect(f1('onehot', '0.5s', /push/)).toBe(0.449);
    expect(f1('moving', 'mean', /7\.3/)).toBe(0.943);
  });

  test('stand only beside runs at the same settings', () => {
    expect(kernelReference({ ...DEFAULT_ATTRS, sampleUs: 1000 }, push, 60e6)).toEqual([]);
    expect(kernelReference(DEFAULT_ATTRS, { kind: 'off' }, 60e6)).toHaveLength(33);
    expect(kernelReference(DEFAULT_ATTRS, push, 10e6).some((row) => row.at === 'mean')).toBe(false);
  });
});

describe('the table', () => {
  const spread = (median: number) => ({ median, min: median - 0.01, max: Math.min(1, median + 0.01) });
  const row = (at: string, monitor: string, f1: number, spots = 0): AccuracyRow => ({
    field: 'spots64',
    monitor,
    at,
    f1: spread(f1),
    precision: spread(f1),
    recall: spread(0.9),
    bestF1: spread(f1),
    hotShare: spread(0.95),
    regions: 900,
    spots,
    pullChecks: 150_000,
    pushSamples: 58_790,
    metadataBytes: 286_278,
  });

  test.each([120, 80, 40])('at a width of %i is as it was looked at', async (width) => {
    const text = renderAccuracy(
      [
        { name: 'spots64', sizeBytes: 160 * 2 ** 30, hotPerS: 30, hotBytes: 2 ** 30 },
        { name: 'idle', sizeBytes: 2 ** 30, hotPerS: 40.329_963, hotBytes: 0 },
      ],
      [
        row('1s', 'evidence', 0.964, 2048),
        row('10s', 'evidence', 0.997),
        row('mean', 'evidence', 0.974),
        row('1s', 'grid', 0.998),
        row('10s', 'grid', 1),
        row('mean', 'grid', 0.999),
        { ...row('1s', 'evidence', 0.5), field: 'idle' },
      ],
      kernelReference(DEFAULT_ATTRS, { kind: 'off' }, 60e6),
      width,
    );
    expect(text.split('\n').every((line) => line.length <= width)).toBe(true);
    await expect(text).toMatchFileSnapshot(`../golden/accuracy-${width}.txt`);
  });
});
