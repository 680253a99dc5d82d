/** Changing schemes and attributes while the engine runs, taking it back, and resting. */
import { describe, expect, test } from 'vitest';
import { Engine, type EngineOptions } from '../../src/engine/engine.ts';
import type { Configuration, StateChange } from '../../src/engine/state.ts';
import type { SimulatedMachine } from '../../src/machines/simulated/simulated-machine.ts';
import { ThermoError } from '../../src/memory/error.ts';
import { RandomStream } from '../../src/memory/random.ts';
import { DamonMonitor } from '../../src/monitor/damon/damon-monitor.ts';
import { EvidenceMonitor } from '../../src/monitor/evidence-monitor.ts';
import { GridMonitor } from '../../src/monitor/grid-monitor.ts';
import { DEFAULT_ATTRS, type MonitorAttrs } from '../../src/monitor/monitor.ts';
import { loadSchemes } from '../../src/schemes/load.ts';
import { type ResolvedScheme, resolveSchemes } from '../../src/schemes/resolve.ts';
import { GIB, MIB, machineOf, nodesOf, steadyThread } from './machine-fakes.ts';

const ATTRS: MonitorAttrs = { ...DEFAULT_ATTRS, maxNrRegions: 50 };

/** A GiB of which the first quarter is hot, on the slow node; `durationS` long. */
function hotMachine(durationS = 60, fastBytes = GIB): SimulatedMachine {
  return machineOf(
    [fastBytes, 2 * GIB],
    {
      ranges: [{ start: 0, end: GIB, nid: 1 }],
      threads: [steadyThread(0, 256 * MIB, 200)],
      durationUs: durationS * 1e6,
    },
    { swapBytesPerS: GIB },
    { push: { kind: 'rate', perS: 2000 } },
  );
}

function schemesOf(machine: SimulatedMachine, ...sentences: string[]): ResolvedScheme[] {
  const text = `version: 1\nschemes: [${sentences.map((sentence) => `'${sentence}'`).join(', ')}]`;
  return resolveSchemes(loadSchemes(text, 't', ATTRS).schemes, machine);
}

/** Runs; at the end of interval number n `at[n]` is called. */
async function run(
  machine: SimulatedMachine,
  schemes: readonly ResolvedScheme[],
  intervals: number,
  at: Readonly<Record<number, (engine: Engine, change: StateChange) => void>> = {},
  options: Partial<EngineOptions> = {},
): Promise<{ engine: Engine; changes: StateChange[] }> {
  const changes: StateChange[] = [];
  let [published, isIn] = [0, false];
  const engine: Engine = new Engine({
    machine,
    monitor: new EvidenceMonitor(ATTRS, new RandomStream(1, 'monitor')),
    schemes,
    onPublished: (change) => {
      // A change of the configuration publishes too.
      if (isIn) return;
      published++;
      changes.push(change);
      isIn = true;
      at[published]?.(engine, change);
      isIn = false;
    },
    shouldStop: () => published >= intervals,
    ...options,
  });
  await engine.run();
  return { engine, changes };
}

describe('configuring a running engine', () => {
  test('goes on with the quota window and the statistics of schemes that keep their name', async () => {
    const machine = hotMachine();
    const [first] = schemesOf(machine, 'promote hot>5 to DRAM quota 16M/10s named p');
    const [second] = schemesOf(machine, 'promote hot>4 to DRAM quota 24M/10s named p');
    let before = 0;
    const { engine } = await run(machine, [first], 20, {
      10: (running, { state }) => {
        before = state.schemes[0].szTried;
        running.configure({ schemes: [second], attrs: state.configuration.attrs });
        expect(running.state.schemes[0]).toMatchObject({ name: 'p', szTried: before, nrSnapshots: 10 });
        expect(running.state.schemes[0].chargedBytes).toBe(16 * MIB);
      },
    });
    expect(before).toBe(16 * MIB);
    // The same window: 8 MiB more, not 24.
    expect(engine.state.schemes[0]).toMatchObject({ szTried: 24 * MIB, effectiveBytes: 24 * MIB });
    expect(engine.state.schemes[0].nrSnapshots).toBe(20);
  });

  test('begins anew for a scheme of another name, and books what the old one asked for', async () => {
    const machine = hotMachine();
    const [old] = schemesOf(machine, 'promote hot>5 to DRAM quota 16M/10s named old');
    const [fresh] = schemesOf(machine, 'stat hot>5 named fresh');
    const { engine } = await run(machine, [old], 20, {
      10: (running, { state }) => running.configure({ schemes: [fresh], attrs: state.configuration.attrs }),
    });
    expect(engine.state.schemes).toHaveLength(1);
    expect(engine.state.schemes[0]).toMatchObject({ name: 'fresh', nrSnapshots: 10, szFailed: 0 });
    expect(machine.moves.promotedBytes).toBe(16 * MIB);
  });

  test('keeps regions, their ages and rates', async () => {
    const machine = hotMachine();
    const schemes = schemesOf(machine, 'stat hot>5');
    const attrs = { ...ATTRS, pullPerS: 30_000 };
    const seen: { count: number; oldest: number; rate: number }[] = [];
    const look = (_engine: Engine, { state: { snapshot } }: StateChange): void => {
      if (snapshot === undefined) throw new Error('nothing was measured');
      seen.push({
        count: snapshot.count,
        oldest: Math.max(...snapshot.age),
        rate: Math.max(...snapshot.ratePerS),
      });
    };
    await run(machine, schemes, 40, {
      30: (engine, change) => {
        look(engine, change);
        engine.configure({ schemes, attrs });
      },
      31: look,
      32: look,
    });
    const [before, ...after] = seen;
    expect(before.oldest).toBeGreaterThan(10);
    for (const { oldest, rate, count } of after) {
      expect(oldest).toBeGreaterThan(before.oldest);
      expect(rate / before.rate).toBeGreaterThan(0.7);
      expect(count / before.count).toBeGreaterThan(0.5);
    }
  });

  test.each([
    ['evidence', () => new EvidenceMonitor(ATTRS, new RandomStream(1, 'monitor'))],
    ['damon', () => new DamonMonitor(ATTRS, new RandomStream(1, 'monitor'))],
  ])('that the monitor %s refuses changes nothing at all', async (_name, createMonitor) => {
    const machine = hotMachine();
    const schemes = schemesOf(machine, 'stat hot>5');
    const monitor = createMonitor();
    const { engine } = await run(
      machine,
      schemes,
      5,
      {
        3: (running) => {
          const { state } = running;
          const wrong = { ...ATTRS, minNrRegions: 30, maxNrRegions: 20 };
          expect(() => running.configure({ schemes: [], attrs: wrong })).toThrow(ThermoError);
          expect(running.state).toBe(state);
          expect(running.undo()).toBe(false);
          expect(monitor.attrs).toEqual(ATTRS);
        },
      },
      { monitor },
    );
    expect(engine.state.schemes[0].nrSnapshots).toBe(5);
    expect(engine.state.configuration).toEqual({ schemes, attrs: ATTRS });
  });

  test('can be taken back, several times, to exactly what was before', async () => {
    const machine = hotMachine();
    const first = schemesOf(machine, 'promote hot>5 to DRAM quota 16M/10s named a', 'stat hot>5 named b');
    const second = schemesOf(machine, 'promote hot>4 to DRAM quota 24M/10s named a');
    const third = schemesOf(machine, 'stat hot>1 named c');
    const slower = { ...ATTRS, aggrUs: 200_000 };
    const steps: Configuration[] = [
      { schemes: second, attrs: ATTRS },
      { schemes: second, attrs: slower },
      { schemes: third, attrs: slower },
    ];
    const former: Configuration[] = [];
    const { engine } = await run(machine, first, 30, {
      ...Object.fromEntries(
        steps.map((step, i) => [
          5 + i,
          (running: Engine): void => {
            former.push(running.state.configuration);
            running.configure(step);
            expect(running.state.configuration).toEqual(step);
          },
        ]),
      ),
      ...Object.fromEntries(
        [10, 11, 12, 13].map((interval) => [
          interval,
          (running: Engine): void => {
            const expected = former.pop();
            expect(running.undo()).toBe(expected !== undefined);
            if (expected !== undefined) expect(running.state.configuration).toEqual(expected);
          },
        ]),
      ),
    });
    expect(former).toEqual([]);
    expect(engine.state.configuration).toEqual({ schemes: first, attrs: ATTRS });
    expect(engine.state.schemes.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(engine.state.attrs).toEqual(ATTRS);
    // b was away from interval 5 to 12, and goes on counting.
    expect(engine.state.schemes[1].nrSnapshots).toBe(5 + 30 - 12);
    expect(engine.state.schemes[0].szTried).toBeLessThanOrEqual(24 * MIB);
  });
});

test('memory on its way to a node counts as there: two nodes of a tier fill evenly, and nothing fails', async () => {
  const [dram, near] = nodesOf([GIB, 300 * MIB]);
  const far = { ...near, nid: 2 };
  const idle = { ranges: [{ start: 0, end: 512 * MIB, nid: 0 }], threads: [], durationUs: 60e6 };
  const machine = machineOf([], idle, {}, { nodes: [dram, near, far] });
  const [scheme] = schemesOf(machine, 'demote from DRAM to CXL');
  const monitor = new GridMonitor(ATTRS, new RandomStream(1, 'monitor'));
  const { engine } = await run(machine, [scheme], 40, {}, { monitor });
  expect(engine.state.schemes[0]).toMatchObject({ szApplied: 512 * MIB, szFailed: 0 });
  const [first, second] = [1, 2].map((nid) => machine.gauge(nid).freeBytes);
  expect(Math.abs(first - second)).toBeLessThanOrEqual(64 * MIB);
});

describe('watermarks', () => {
  /** Two thirds of all memory are free: above 50 % the scheme rests. */
  const resting = 'promote hot>5 to DRAM when free_mem 10%..30%..50%';

  test('let monitoring rest when all schemes do: no checks and no samples from then on', async () => {
    const machine = hotMachine(60);
    const { engine, changes } = await run(machine, schemesOf(machine, resting), 100);
    const [first, second, ...rest] = changes.map(({ state }) => state);
    expect(first.pullChecks).toBeGreaterThan(0);
    expect(first.isResting).toBe(false);
    expect(second.isResting).toBe(true);
    for (const state of rest.slice(0, -1)) {
      expect(state.pullChecks).toBe(first.pullChecks);
      expect(state.pushSamples).toBe(first.pushSamples);
      expect(state.schemes[0]).toMatchObject({ isActive: false, nrSnapshots: 0 });
    }
    // Looked at every 5 s.
    expect(second.timeUs - first.timeUs).toBe(5e6);
    // The run ends while resting.
    expect(machine.isDone()).toBe(true);
    expect(engine.state.timeUs).toBe(60e6);
    expect(engine.state.aggregations).toBe(2);
    expect(changes.length).toBeLessThan(20);
  });

  test('do not let it rest while one scheme has none, or works', async () => {
    const machine = hotMachine(3);
    const { engine } = await run(
      machine,
      schemesOf(machine, `${resting} named a`, 'stat hot>5 named b'),
      100,
    );
    expect(engine.state.schemes.map(({ nrSnapshots }) => nrSnapshots)).toEqual([0, 30]);
    expect(engine.state.isResting).toBe(false);
  });

  test('wake it up in time: checks, samples and rounds go on within one interval', async () => {
    // 36 % of 1.5 GiB are free at first (rests); paging 256 MiB in again brings it to 17 %.
    const machine = machineOf(
      [1.5 * GIB],
      {
        ranges: [{ start: 0, end: 1.25 * GIB }],
        threads: [steadyThread(0, 256 * MIB, 200)],
        durationUs: 60e6,
      },
      { swapBytesPerS: 10 * GIB },
      { push: { kind: 'rate', perS: 2000 } },
    );
    machine.submit({ action: 'pageout', start: GIB, end: 1.25 * GIB, targetNid: -1, tag: 0 });
    machine.advance(1e6);
    machine.collect(() => {});
    const bring = (): void =>
      machine.submit({ action: 'willneed', start: GIB, end: 1.25 * GIB, targetNid: -1, tag: 0 });
    let wokeUs = 0;
    const { engine, changes } = await run(
      machine,
      schemesOf(machine, 'stat hot>5 when free_mem 5%..20%..30%'),
      40,
      {
        4: bring,
        7: (_engine, { state }) => {
          wokeUs = state.timeUs;
        },
      },
    );
    const states = changes.map(({ state }) => state);
    expect(states[3].isResting).toBe(true);
    const awake = states.findIndex((state, i) => i > 3 && !state.isResting);
    expect(awake).toBeGreaterThan(0);
    expect(states[awake].timeUs - states[3].timeUs).toBeLessThanOrEqual(5e6 + 200_000);
    expect(wokeUs).toBeGreaterThan(0);
    expect(engine.state.schemes[0].nrSnapshots).toBe(states.length - awake);
    expect(engine.state.pullChecks).toBeGreaterThan(states[3].pullChecks);
    expect(engine.state.pushSamples).toBeGreaterThan(states[3].pushSamples);
  });

  test('of a scheme that is replaced while all rest wake monitoring at once', async () => {
    const machine = hotMachine(60);
    const { engine, changes } = await run(machine, schemesOf(machine, resting), 30, {
      3: (running, { state }) =>
        running.configure({ schemes: schemesOf(machine, 'stat hot>5'), attrs: state.configuration.attrs }),
    });
    expect(changes[2].state.isResting).toBe(true);
    expect(changes[3].state.isResting).toBe(false);
    expect(changes[3].state.timeUs - changes[2].state.timeUs).toBe(100_000);
    expect(engine.state.schemes[0].nrSnapshots).toBe(27);
    expect(machine.push).toEqual({ kind: 'rate', perS: 2000 });
  });

  test('of a scheme that is replaced in the interval in which all come to rest do so too', async () => {
    const machine = hotMachine(60);
    const { changes } = await run(machine, schemesOf(machine, resting), 10, {
      1: (running, { state }) =>
        running.configure({ schemes: schemesOf(machine, 'stat hot>5'), attrs: state.configuration.attrs }),
    });
    expect(changes.map(({ state }) => state.timeUs / 100_000)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test('that are taken back let monitoring rest again', async () => {
    const machine = hotMachine(60);
    const { changes } = await run(machine, schemesOf(machine, resting), 12, {
      3: (running, { state }) =>
        running.configure({ schemes: schemesOf(machine, 'stat hot>5'), attrs: state.configuration.attrs }),
      6: (running) => {
        running.undo();
      },
    });
    expect(changes.map(({ state }) => state.isResting)).toEqual([
      false,
      ...[true, true],
      ...[false, false, false, false],
      ...[true, true, true, true, true],
    ]);
  });
});
