import { describe, expect, test } from 'vitest';
import { summarize } from '../../src/lab/compare/compare.ts';
import { chooseContestants, contestants } from '../../src/lab/compare/contestants.ts';
import { DetectionMeter } from '../../src/lab/compare/detection-meter.ts';
import { postedNumbers } from '../../src/lab/compare/posted.ts';
import { runContestant } from '../../src/lab/compare/run-contestant.ts';
import type { Truth } from '../../src/machines/machine.ts';
import { presetConfig } from '../../src/machines/simulated/presets/index.ts';
import { openThread, wholeOf } from '../../src/machines/simulated/presets/preset.ts';
import { SimulatedMachine } from '../../src/machines/simulated/simulated-machine.ts';
import { WasteMeter } from '../../src/machines/simulated/waste-meter.ts';
import { renderCompare, renderPosted } from '../../src/view/compare-table.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const HOT = 57.5;

const small = (tracker: string, machine = 'seed-test-2', sizeBytes = 12 * GIB) =>
  runContestant({ tracker, machine: { machine }, sizeBytes, seed: 1, minRatePerS: HOT }, () => 0);

describe('baselines', () => {
  test('bound what trackers can reach, and the clairvoyant is all but as good as all-fast', async () => {
    const [none, fast, slow, oracle] = await Promise.all(
      ['static', 'all-fast', 'all-slow', 'oracle'].map((name) => small(name)),
    );
    expect(fast.completionSeconds).toBeLessThan(none.completionSeconds);
    expect(none.completionSeconds).toBeLessThan(slow.completionSeconds);
    expect(oracle.completionSeconds / fast.completionSeconds).toBeLessThan(1.01);
    expect([none.fastTierShare, fast.fastTierShare, slow.fastTierShare]).toEqual([
      expect.closeTo(0.67, 1),
      1,
      0,
    ]);
    expect(slow.completionSeconds / fast.completionSeconds).toBeCloseTo(40.5 / 16.2, 2);
  });

  test('evidence regions come near the clairvoyant on the sweep, in under 0.5 MiB', async () => {
    const [none, oracle, evidence] = await Promise.all(
      ['static', 'oracle', 'evidence'].map((name) => small(name)),
    );
    const gain = (seconds: number) =>
      (none.completionSeconds - seconds) / (none.completionSeconds - oracle.completionSeconds);
    expect(gain(evidence.completionSeconds)).toBeGreaterThan(0.8);
    expect(evidence.metadataBytes).toBeLessThan(MIB / 2);
    expect(evidence.hotSet.f1).toBeGreaterThan(0.7);
  });

  test('the same seed gives the same row', async () => {
    expect(await small('evidence')).toEqual(await small('evidence'));
  });
});

describe('threads', () => {
  test('of the first test end by themselves, and only the second gains by promotion', async () => {
    const none = await small('static', 'seed-test-1', 8 * GIB);
    const oracle = await small('oracle', 'seed-test-1', 8 * GIB);
    const [dram, cxl] = none.threads;
    expect(none.completionSeconds).toBe(dram.seconds);
    expect(dram.seconds / cxl.seconds).toBeCloseTo((6 * 16.2) / (2 * 40.5), 2);
    expect(oracle.threads[1].seconds).toBeLessThan(0.6 * cxl.seconds);
    expect(oracle.threads[0].seconds / dram.seconds).toBeCloseTo(1, 2);
  });
});

describe('the meter of detection', () => {
  const truthOf = (ranges: [number, number][]): Truth => ({
    totals: () => ({ accesses: 0, fastAccesses: 0 }),
    forEachHot: (_rate, visit) => {
      for (const [start, end] of ranges) visit(start, end);
    },
    completionSeconds: () => 0,
    baseline: () => ({ staticSeconds: 0, allFastSeconds: 0, staticFastTierShare: 0 }),
  });

  test('takes the time until half and nine tenths are known', () => {
    const hot: [number, number][] = [[0, 100]];
    const meter = new DetectionMeter(truthOf(hot), 1);
    const at = (seconds: number, ...known: [number, number][]) =>
      meter.add(seconds * 1e6, (visit) => {
        for (const [start, end] of known) visit(start, end);
      });
    at(1);
    at(2, [0, 49]);
    at(3, [0, 30], [40, 60]);
    at(4, [0, 89]);
    at(6, [10, 100]);
    expect(meter.times()).toEqual({ half: 2, most: 5, found: 1 });
  });

  test('counts what cooled before it was known as not found', () => {
    const hot: [number, number][] = [[0, 100]];
    const meter = new DetectionMeter(truthOf(hot), 1);
    meter.add(0, () => undefined);
    hot[0] = [200, 300];
    meter.add(1e6, (visit) => visit(200, 300));
    expect(meter.times()).toMatchObject({ most: 0, found: 0.5 });
  });
});

describe('promotions in vain', () => {
  const { nodes } = presetConfig('cold-dram', { seed: 1 });
  const PAGES = 4096;
  // A page saves 155 ns per access; its migration costs 8 us: 52 accesses pay for it.
  const meterOf = () => new WasteMeter(nodes);

  test('are those that are not used enough before they go down, or at the end', () => {
    const meter = meterOf();
    meter.moved(0, 10 * PAGES, 1, 0);
    meter.used(0, 5 * PAGES, 52, 0);
    expect(meter.wastedBytes).toBe(5 * PAGES);
    meter.used(5 * PAGES, 10 * PAGES, 51, 0);
    expect(meter.wastedBytes).toBe(5 * PAGES);
    meter.used(5 * PAGES, 7 * PAGES, 1000, 0);
    expect(meter.wastedBytes).toBe(3 * PAGES);
    meter.moved(0, 10 * PAGES, 0, 1);
    expect(meter.wastedBytes).toBe(3 * PAGES);
    meter.moved(0, 10 * PAGES, 1, 0);
    expect(meter.wastedBytes).toBe(13 * PAGES);
  });
});

describe('signals for per-page systems', () => {
  const machineAt = (perPage: number) =>
    new SimulatedMachine({
      ...presetConfig('cold-dram', { seed: 1, push: { kind: 'off' } }),
      workload: {
        name: 'even',
        ranges: [{ start: 0, end: GIB }],
        durationUs: 100e6,
        threads: [openThread('reader', wholeOf(0, GIB / 2), (perPage * GIB) / 2 / 4096)],
      },
    });
  const both = Uint8Array.of(1, 1);

  test('a protected page faults once, with probability 1 - exp(-r t), and tells when it was protected', () => {
    const machine = machineAt(1);
    const signals = machine.lab.signals();
    machine.advance(1000);
    expect(signals.protect(0, GIB, both)).toBe(GIB / 4096);
    expect(signals.protect(0, GIB, both)).toBe(0);
    machine.advance(1e6);
    const first = signals.drainFaults();
    expect(first.count / (GIB / 2 / 4096)).toBeCloseTo(1 - Math.exp(-1), 2);
    expect(new Set(first.address.subarray(0, first.count)).size).toBe(first.count);
    expect(Math.max(...first.address.subarray(0, 1000))).toBeLessThan(GIB / 2);
    const seen = first.count;
    machine.advance(20e6);
    expect(seen + signals.drainFaults().count).toBe(GIB / 2 / 4096);
    machine.advance(20e6);
    expect(signals.drainFaults().count).toBe(0);
  });

  test('only pages on the nodes that are asked for are protected', () => {
    const machine = machineAt(1);
    expect(machine.lab.signals().protect(0, GIB, Uint8Array.of(0, 1))).toBe(0);
  });

  test('a scan sees what was accessed since the last one, run by run, and nothing twice', () => {
    const machine = machineAt(1);
    const signals = machine.lab.signals();
    const scan = (): number => {
      let [accessed, at] = [0, 0];
      signals.scanAccessed(0, GIB, (start, end, value) => {
        expect(start).toBe(at);
        at = end;
        if (value === 1) accessed += end - start;
      });
      expect(at).toBe(GIB);
      return accessed / (GIB / 2);
    };
    scan();
    machine.advance(2e6);
    expect(scan()).toBeCloseTo(1 - Math.exp(-2), 2);
    expect(scan()).toBe(0);
    machine.advance(1e6);
    expect(scan()).toBeCloseTo(1 - Math.exp(-1), 2);
  });

  test('time that a thread owes is time in which it does no work', () => {
    const [free, charged] = [machineAt(1), machineAt(1)];
    charged.lab.signals().charge(0, 400_000);
    free.advance(1e6);
    charged.advance(1e6);
    expect(charged.totals().accesses / free.totals().accesses).toBeCloseTo(0.6, 5);
  });
});

describe('the table', () => {
  test('has means and the spread of the seeds, and efficiency against the oracle', async () => {
    const rows = await Promise.all(
      ['static', 'oracle', 'evidence'].flatMap((tracker) =>
        [1, 2].map((seed) =>
          runContestant(
            { tracker, machine: { machine: 'full-dram' }, sizeBytes: 10 * GIB, seed, minRatePerS: HOT },
            () => 0,
          ),
        ),
      ),
    );
    const summary = summarize(rows);
    expect(summary.map(({ tracker }) => tracker)).toEqual(['static', 'oracle', 'evidence']);
    const [none, oracle, evidence] = summary;
    expect([none.efficiency, oracle.efficiency]).toEqual([0, 1]);
    expect(evidence.completionSeconds).toBe((rows[4].completionSeconds + rows[5].completionSeconds) / 2);
    expect(evidence.spread.completionSeconds.min).toBeLessThan(evidence.spread.completionSeconds.max);
    for (const width of [120, 100, 60, 40]) {
      const text = renderCompare(summary, { machine: 'm', workload: 'w', seeds: 2 }, width);
      for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(width);
    }
  });

  test('has posted numbers beside ours, and says where the model has no cause', async () => {
    const [row] = summarize([{ ...(await small('static')), tracker: 'numab2' }]);
    const posted = postedNumbers('seed-test-2', [row]);
    expect(posted.map(({ counter }) => counter)).toContain('numa_pte_updates');
    expect(renderPosted(posted, 80)).toMatch(/numab2 pgpromote_success: the posted base/);
    expect(postedNumbers('full-dram', [row])).toEqual([]);
  });

  test('every contestant has its own name and says what it is', () => {
    const all = contestants();
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    for (const { what } of all) expect(what.length).toBeGreaterThan(10);
    expect(() => chooseContestants(['orcle'])).toThrow(/no tracker "orcle"/);
  });
});
