/** Sources that fail, lie or go: the monitor degrades smoothly, and says so. */
import { describe, expect, test } from 'vitest';
import { Engine } from '../../src/engine/engine.ts';
import { AccuracyScorer } from '../../src/lab/accuracy/score.ts';
import { builtinField } from '../../src/machines/field/builtin.ts';
import { type FieldFaults, FieldMachine } from '../../src/machines/field/field-machine.ts';
import type { RateMap } from '../../src/machines/field/rate-map.ts';
import { RandomStream } from '../../src/memory/random.ts';
import { EvidenceMonitor } from '../../src/monitor/evidence-monitor.ts';
import { DEFAULT_ATTRS, type MonitorAttrs } from '../../src/monitor/monitor.ts';
import type { EvidenceQuality } from '../../src/monitor/quality.ts';

interface Outcome {
  readonly f1: number;
  readonly quality: EvidenceQuality;
  readonly monitor: EvidenceMonitor;
}

async function runWith(
  name: string,
  seconds: number,
  faults: FieldFaults,
  options: { push?: boolean; attrs?: Partial<MonitorAttrs> } = {},
): Promise<Outcome> {
  const field = builtinField(name).create(1);
  const monitor = new EvidenceMonitor({ ...DEFAULT_ATTRS, ...options.attrs }, new RandomStream(1, 'monitor'));
  const scorer = new AccuracyScorer(30);
  let f1 = 0;
  const machine = new FieldMachine({
    field,
    push: options.push === false ? { kind: 'off' } : { kind: 'rate', perS: 5876 },
    seed: 1,
    durationUs: seconds * 1e6,
    faults,
  });
  await new Engine({
    machine,
    monitor,
    schemes: [],
    onAggregated: (timeUs) => {
      f1 = scorer.score(monitor.regions, monitor.spots, field.mapAt(timeUs)).f1;
    },
  }).run();
  return { f1, quality: monitor.quality(), monitor };
}

describe('the evidence monitor', () => {
  test('goes on by checks when the samples are lost', async () => {
    const { f1, quality } = await runWith('spots64', 12, { pushLostAtUs: 4e6 });
    expect(f1).toBeGreaterThan(0.98);
    expect(quality.pushPerS).toBeLessThan(5);
    expect(quality.pullPerS).toBeCloseTo(15_000, -2);
  });

  test('goes on by samples when every check misses, and says that checks are blind', async () => {
    const { f1, quality } = await runWith('spots64', 12, { pullBlindAtUs: 4e6 });
    expect(f1).toBeGreaterThan(0.98);
    expect(quality.pullBlindShare).toBeGreaterThan(0.8);
  });

  test('finds out that samples come at half the rate they claim', async () => {
    const { f1, quality } = await runWith('spots64', 12, { pushBias: { atUs: 4e6, factor: 0.5 } });
    expect(f1).toBeGreaterThan(0.98);
    expect(quality.pushFactor).toBeGreaterThan(0.4);
    expect(quality.pushFactor).toBeLessThan(0.65);
  });

  test('takes dropped samples for lost exposure, not for cold memory', async () => {
    const { f1, quality, monitor } = await runWith('onehot', 6, { dropShare: 0.5 });
    expect(f1).toBeGreaterThan(0.99);
    expect(quality.droppedShare).toBeCloseTo(0.5, 1);
    expect(quality.pushFactor).toBe(1);
    let highest = 0;
    for (let i = 0; i < monitor.regions.count; i++) {
      if (monitor.regions.end(i) - monitor.regions.start(i) > 2 ** 26) {
        highest = Math.max(highest, monitor.regions.rate(i));
      }
    }
    expect(highest).toBeGreaterThan(250);
    expect(highest).toBeLessThan(350);
  });

  test('ignores a source of weight 0', async () => {
    const { quality } = await runWith('onehot', 2, {}, { attrs: { weights: { pull: 0, push: 1 } } });
    expect(quality.pullPerS).toBe(0);
    expect(quality.pushPerS).toBeGreaterThan(5000);
  });

  test('keeps ages and rates when the intervals change', async () => {
    const { monitor } = await runWith('onehot', 3, {}, { push: false });
    const view = () => {
      const { regions } = monitor;
      let hottest = 0;
      for (let i = 1; i < regions.count; i++) if (regions.rate(i) > regions.rate(hottest)) hottest = i;
      return { i: hottest, rate: regions.rate(hottest), age: regions.age(hottest) };
    };
    const before = view();
    monitor.setAttrs({ ...DEFAULT_ATTRS, sampleUs: 10_000, aggrUs: 200_000 }, false);
    expect(monitor.regions.age(before.i)).toBe(Math.floor(before.age / 2));
    monitor.aggregate();
    expect(Math.abs(monitor.regions.rate(before.i) / before.rate - 1)).toBeLessThan(0.05);
    expect(() => monitor.setAttrs({ ...DEFAULT_ATTRS, maxNrRegions: 50 }, false)).toThrow(/fixed/);
  });
});

/** True accesses per page per second of a range. */
function meanRate(map: RateMap, start: number, end: number): number {
  let sum = 0;
  for (let i = map.locate(start); i < map.count && map.start[i] < end; i++) {
    sum += map.perS[i] * (Math.min(end, map.start[i + 1]) - Math.max(start, map.start[i]));
  }
  return sum / (end - start);
}

describe('stated intervals', () => {
  test.each(['onehot', 'spots64', 'small256', 'zipf', 'fine'])(
    'hold the true mean rate of nine in ten regions on %s',
    async (name) => {
      let [held, all] = [0, 0];
      for (const seed of [1, 2]) {
        const field = builtinField(name).create(seed);
        const monitor = new EvidenceMonitor(DEFAULT_ATTRS, new RandomStream(seed, 'monitor'));
        const machine = new FieldMachine({
          field,
          push: { kind: 'rate', perS: 5876 },
          seed,
          durationUs: 8e6,
        });
        const map = field.mapAt(0);
        let next = 1e6;
        await new Engine({
          machine,
          monitor,
          schemes: [],
          onAggregated: (timeUs) => {
            if (timeUs < next) return;
            next += 1e6;
            for (let i = 0; i < monitor.count; i++) {
              const [start, end] = [monitor.start(i), monitor.end(i)];
              const mean = meanRate(map, start, end);
              const { low, high } = monitor.rateInterval(i);
              all++;
              if (low <= mean && mean <= high) held++;
            }
          },
        }).run();
      }
      expect(held / all).toBeGreaterThanOrEqual(0.9);
    },
    120_000,
  );
});
