import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { RandomStream } from '../../src/memory/random.ts';
import { EvidenceMonitor } from '../../src/monitor/evidence-monitor.ts';
import { DEFAULT_ATTRS } from '../../src/monitor/monitor.ts';
import {
  attrsArbitrary,
  InvariantViolation,
  monitorScriptArbitrary,
  runMonitorScript,
} from '../../src/testing/index.ts';

const attrsAndScript = attrsArbitrary().chain((attrs) =>
  fc.tuple(fc.constant(attrs), monitorScriptArbitrary(attrs.minRegionSz), fc.nat()),
);

describe('every invariant of regions holds', () => {
  test.prop([attrsAndScript], { numRuns: 400 })(
    'through any sequence of samples, aggregations and range updates',
    ([attrs, script, seed]) => {
      runMonitorScript(new EvidenceMonitor(attrs, new RandomStream(seed, 'monitor')), script, seed);
    },
  );

  test.prop([attrsAndScript], { numRuns: 50 })(
    'and the same seed gives the same regions',
    ([attrs, script, seed]) => {
      const view = () => {
        const monitor = new EvidenceMonitor(attrs, new RandomStream(seed, 'monitor'));
        runMonitorScript(monitor, script, seed);
        const { regions } = monitor;
        return Array.from({ length: regions.count }, (_, i) => [
          regions.start(i),
          regions.end(i),
          regions.rate(i),
          regions.age(i),
        ]);
      };
      expect(view()).toEqual(view());
    },
  );
});

describe('the checks of thermocline/testing find broken monitors', () => {
  const range = { start: 0, end: 64 * 4096 };
  const good = () =>
    new EvidenceMonitor({ ...DEFAULT_ATTRS, maxNrRegions: 20 }, new RandomStream(1, 'monitor'));
  const broken = (change: (monitor: EvidenceMonitor) => object): EvidenceMonitor => {
    const monitor = good();
    return new Proxy(monitor, {
      get: (target, key) => {
        if (key === 'regions') return change(monitor);
        const value = Reflect.get(target, key, target) as unknown;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
  const run = (monitor: EvidenceMonitor) => () =>
    runMonitorScript(monitor, [{ kind: 'setRanges', ranges: [range] }, { kind: 'aggregate' }]);

  test('a gap', () => {
    const monitor = broken((real) => ({
      get count() {
        return real.count - 1;
      },
      start: (i: number) => real.start(i),
      end: (i: number) => real.end(i),
      rate: () => 0,
      age: () => 0,
    }));
    expect(run(monitor)).toThrow(InvariantViolation);
    expect(run(monitor)).toThrow(/exact cover/);
  });

  test('an unaligned edge, an impossible age, a negative rate', () => {
    const of = (fields: object) =>
      broken((real) => ({
        get count() {
          return real.count;
        },
        start: (i: number) => real.start(i),
        end: (i: number) => real.end(i),
        rate: () => 0,
        age: () => 0,
        ...fields,
      }));
    expect(run(of({ age: () => 99 }))).toThrow(/age/);
    expect(run(of({ rate: () => -1 }))).toThrow(/estimates/);
    expect(run(of({}))).not.toThrow();
  });
});
