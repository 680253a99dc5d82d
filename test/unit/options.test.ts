import { describe, expect, test } from 'vitest';
import { resolveAttrs, resolveMonitor } from '../../src/cli/monitor-settings.ts';
import { parseIntervalsGoal, parseWeights } from '../../src/cli/options.ts';
import { ThermoError } from '../../src/memory/error.ts';
import { DEFAULT_ATTRS } from '../../src/monitor/monitor.ts';
import { type MonitorSettings, parseOverhead } from '../../src/schemes/monitor-block.ts';

describe('--intervals-goal', () => {
  const recommended = { accessBp: 400, aggrs: 3, minSampleUs: 5000, maxSampleUs: 10_000_000 };
  test.each([
    ['4%', recommended],
    ['access=4%,aggrs=3,min=5ms,max=10s', recommended],
    [' 0.5 % ', { ...recommended, accessBp: 50 }],
    ['max = 1s, access = 10%', { ...recommended, accessBp: 1000, maxSampleUs: 1_000_000 }],
    ['aggrs=0', { ...recommended, aggrs: 0 }],
    ['off', { ...recommended, aggrs: 0 }],
  ])('"%s" is read, and what it leaves out is what DAMON recommends', (text, goal) => {
    expect(parseIntervalsGoal(text)).toEqual(goal);
  });

  test.each(['', '4', 'access=4', 'min=5', 'agrs=3', '4%,,', '120%'])('"%s" is refused', (text) => {
    expect(() => parseIntervalsGoal(text)).toThrow(ThermoError);
  });

  test('names the nearest key', () => {
    expect(() => parseIntervalsGoal('agrs=3')).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('did you mean "aggrs"?') }),
    );
  });

  test('becomes an attribute, and without it there is none', () => {
    expect(resolveAttrs({ seed: 1 }, {})).toEqual(DEFAULT_ATTRS);
    expect(resolveAttrs({ seed: 1, intervalsGoal: recommended }, {}).intervalsGoal).toBe(recommended);
  });
});

describe('--weights', () => {
  test.each([
    ['pull=1,push=0.5', { pull: 1, push: 0.5 }],
    ['push=0', { pull: 1, push: 0 }],
    [' pull = 25 % ', { pull: 0.25, push: 1 }],
  ])('"%s" is read, and what it leaves out is 1', (text, weights) => {
    expect(parseWeights(text)).toEqual(weights);
  });

  test.each(['', '0.5', 'pull', 'pull=', 'pull=1.01', 'pull=-1', 'poll=1', 'pull=0,push=0', 'pull=1,,'])(
    '"%s" is refused',
    (text) => expect(() => parseWeights(text)).toThrow(ThermoError),
  );
});

describe('what holds of monitoring', () => {
  const file: MonitorSettings = {
    name: 'grid',
    sampleUs: 1000,
    aggrUs: 50_000,
    intervalsGoal: { accessBp: 100, aggrs: 2, minSampleUs: 1000, maxSampleUs: 1e6 },
    minNrRegions: 20,
    maxNrRegions: 200,
    minRegionSz: 8192,
    pullPerS: 7,
    push: { kind: 'period', accesses: 300 },
    weights: { pull: 0.5, push: 1 },
    overhead: 0.02,
  };
  const { name, push, overhead, ...attrs } = file;

  test('is what the file says, where the command line says nothing', () => {
    expect(resolveMonitor({ seed: 1 }, file)).toEqual({ name, push, overheadShare: overhead, attrs });
  });

  test('is what the command line says, key by key', () => {
    const intervalsGoal = { accessBp: 400, aggrs: 3, minSampleUs: 5000, maxSampleUs: 1e7 };
    const options = {
      seed: 1,
      monitor: 'damon',
      sample: 6000,
      aggr: 60_000,
      intervalsGoal,
      minRegions: 11,
      maxRegions: 111,
      pull: 0,
      push: { kind: 'off' },
      weights: { pull: 1, push: 0 },
      overhead: 'off',
    } as const;
    expect(resolveMonitor(options, file)).toEqual({
      name: 'damon',
      push: { kind: 'off' },
      overheadShare: undefined,
      attrs: {
        sampleUs: 6000,
        aggrUs: 60_000,
        intervalsGoal,
        minNrRegions: 11,
        maxNrRegions: 111,
        minRegionSz: 8192,
        pullPerS: 0,
        weights: { pull: 1, push: 0 },
      },
    });
  });

  test('is the default where neither says anything; a monitor that takes no samples pays for none', () => {
    const nothing = { name: 'evidence', push: undefined, overheadShare: undefined, attrs: DEFAULT_ATTRS };
    expect(resolveMonitor({ seed: 1 }, {})).toEqual(nothing);
    expect(resolveMonitor({ seed: 1, monitor: 'damon' }, {}).push).toEqual({ kind: 'off' });
    expect(resolveMonitor({ seed: 1, monitor: 'damon' }, { push: { kind: 'rate', perS: 1 } }).push).toEqual({
      kind: 'rate',
      perS: 1,
    });
  });

  test('cannot be a budget for a monitor without rates, wherever the two were said', () => {
    const hint = expect.stringContaining('--overhead off');
    const refused = (code: string) => expect.objectContaining({ code, hint });
    expect(() => resolveMonitor({ seed: 1, monitor: 'damon' }, { overhead: 0.01 })).toThrow(
      refused('THERMO_USAGE'),
    );
    expect(() => resolveMonitor({ seed: 1, overhead: 0.01 }, { name: 'damon' })).toThrow(
      refused('THERMO_USAGE'),
    );
    expect(() => resolveMonitor({ seed: 1 }, { name: 'damon', overhead: 0.01 })).toThrow(
      refused('THERMO_MONITOR_CONFIG'),
    );
    expect(
      resolveMonitor({ seed: 1, overhead: 'off' }, { name: 'damon', overhead: 0.01 }).overheadShare,
    ).toBeUndefined();
  });
});

test('--overhead is a share of one CPU above 0, or off', () => {
  expect(parseOverhead('1%')).toBe(0.01);
  expect(parseOverhead('100 %')).toBe(1);
  expect(parseOverhead('off')).toBe('off');
  for (const text of ['0%', '101%', '1']) expect(() => parseOverhead(text)).toThrow(ThermoError);
});
