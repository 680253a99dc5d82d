import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { PushSetting } from '../../src/memory/push-setting.ts';
import { MONITOR_NAMES } from '../../src/monitor/create-monitor.ts';
import { explainSchemes } from '../../src/schemes/explain.ts';
import { loadSchemes } from '../../src/schemes/load.ts';
import type { MonitorSettings } from '../../src/schemes/monitor-block.ts';

const INTERVALS = { sampleUs: 5000, aggrUs: 100_000 };

describe('the monitor block', () => {
  const read = (block: string) =>
    loadSchemes(`version: 1\nmonitor: ${block}\nschemes: [stat]\n`, 'f', INTERVALS).monitor;

  test('says everything that the command line can say about monitoring', () => {
    const text = `
  name: damon@push-rfc
  intervals:
    sample_us: 1ms
    aggr_us: 20ms
    intervals_goal: {access_bp: 4 %, aggrs: 3, min_sample_us: 1ms, max_sample_us: 10s}
  nr_regions: {min: 10, max: 500}
  min_region_sz: 2 MiB
  pull: 15k/s
  push: period=10000
  weights: {pull: 50 %, push: 1}
  overhead: 1%`;
    expect(read(text)).toEqual({
      name: 'damon@push-rfc',
      sampleUs: 1000,
      aggrUs: 20_000,
      intervalsGoal: { accessBp: 400, aggrs: 3, minSampleUs: 1000, maxSampleUs: 1e7 },
      minNrRegions: 10,
      maxNrRegions: 500,
      minRegionSz: 2 ** 21,
      pullPerS: 15_000,
      push: { kind: 'period', accesses: 10_000 },
      weights: { pull: 0.5, push: 1 },
      overhead: 0.01,
    });
  });

  test('knows off, and bare numbers in the unit of their key', () => {
    expect(read('{pull: off, push: off, overhead: off}')).toEqual({
      pullPerS: 0,
      push: { kind: 'off' },
      overhead: 'off',
    });
    const goal = '{access_bp: 250, aggrs: 1, min_sample_us: 100, max_sample_us: 2000}';
    expect(read(`{intervals: {sample_us: 200, intervals_goal: ${goal}}}`)).toEqual({
      sampleUs: 200,
      intervalsGoal: { accessBp: 250, aggrs: 1, minSampleUs: 100, maxSampleUs: 2000 },
    });
  });

  test('fills what a goal or weights leave out, and nothing else', () => {
    expect(read('{}')).toEqual({});
    expect(read('{intervals: {intervals_goal: {}}, weights: {push: 0}}')).toEqual({
      intervalsGoal: { accessBp: 400, aggrs: 3, minSampleUs: 5000, maxSampleUs: 1e7 },
      weights: { pull: 1, push: 0 },
    });
  });

  /** Swaps and widens what could not stand in one file. */
  const withoutContradictions = (settings: MonitorSettings): MonitorSettings => {
    const { sampleUs, aggrUs, minNrRegions, maxNrRegions, intervalsGoal } = settings;
    const isSwapped = sampleUs !== undefined && aggrUs !== undefined && aggrUs < sampleUs;
    const areSwapped =
      minNrRegions !== undefined && maxNrRegions !== undefined && maxNrRegions < minNrRegions;
    const [sample, aggr] = isSwapped ? [aggrUs, sampleUs] : [sampleUs, aggrUs];
    const [min, max] = areSwapped ? [maxNrRegions, minNrRegions] : [minNrRegions, maxNrRegions];
    const goal =
      intervalsGoal === undefined || sample === undefined
        ? intervalsGoal
        : {
            ...intervalsGoal,
            minSampleUs: Math.min(intervalsGoal.minSampleUs, sample),
            maxSampleUs: Math.max(intervalsGoal.maxSampleUs, sample),
          };
    const all = { sampleUs: sample, aggrUs: aggr, minNrRegions: min, maxNrRegions: max, intervalsGoal: goal };
    // Keys whose value is undefined are dropped by the next step.
    return { ...settings, ...all } as MonitorSettings;
  };

  const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
  const us = fc.integer({ min: 1000, max: 1e12 }).map((ns) => ns / 1000);
  const perS = fc.double({ min: 1e-3, max: 1e8, noNaN: true });
  const settings = fc
    .record({
      name: maybe(fc.constantFrom(...MONITOR_NAMES)),
      sampleUs: maybe(us),
      aggrUs: maybe(us),
      intervalsGoal: maybe(
        fc
          .record({
            accessBp: fc.integer({ min: 1, max: 10000 }),
            aggrs: fc.integer({ min: 1, max: 99 }),
            a: us,
            b: us,
          })
          .map(({ a, b, ...rest }) => ({
            ...rest,
            minSampleUs: Math.max(1, Math.min(a, b)),
            maxSampleUs: Math.max(1, a, b),
          })),
      ),
      minNrRegions: maybe(fc.integer({ min: 3, max: 60_000 })),
      maxNrRegions: maybe(fc.integer({ min: 3, max: 60_000 })),
      minRegionSz: maybe(fc.integer({ min: 12, max: 45 }).map((bits) => 2 ** bits)),
      pullPerS: maybe(fc.oneof(fc.constant(0), perS)),
      push: maybe(
        fc.oneof(
          fc.constant<PushSetting>({ kind: 'off' }),
          perS.map((each): PushSetting => ({ kind: 'rate', perS: each })),
          fc.integer({ min: 1, max: 2 ** 27 }).map((accesses): PushSetting => ({ kind: 'period', accesses })),
        ),
      ),
      weights: maybe(
        fc.record({
          pull: fc.double({ min: 1e-9, max: 1, noNaN: true }),
          push: fc.double({ min: 0, max: 1, noNaN: true }),
        }),
      ),
      overhead: maybe(
        fc.oneof(
          fc.constant('off' as const),
          fc.integer({ min: 1, max: 1e9 }).map((millionths) => millionths / 1e7 / 100),
        ),
      ),
    })
    .map((each) => withoutContradictions(each as MonitorSettings))
    // Keys without a value are left out, as a file does.
    .map((each) => Object.fromEntries(Object.entries(each).filter(([, value]) => value !== undefined)));
  propertyTest.prop([settings])(
    'printed by explain reads back to the same settings',
    (monitor: MonitorSettings) => {
      const { schemes } = loadSchemes('version: 1\nschemes: [stat]', 'a', INTERVALS);
      const text = explainSchemes({ file: 'a', schemes, monitor });
      expect(loadSchemes(text, 'b', INTERVALS).monitor).toEqual(monitor);
    },
  );
});
