/** What the lab sees of a replayed trace is exact: every access is known. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, describe, expect, test } from 'vitest';
import { contestants } from '../../src/lab/compare/contestants.ts';
import { runContestant, type TraceSource } from '../../src/lab/compare/run-contestant.ts';
import { openReplay } from '../../src/machines/replayed/open-replay.ts';
import { RandomStream } from '../../src/memory/random.ts';

const PAGE = 4096;
const BOTH = Uint8Array.of(1, 1);

/** Page 0 for 40 ms, then page 5 for 60 ms, once per millisecond. */
const TRACE = [
  ...Array.from({ length: 40 }, () => '999 0'),
  ...Array.from({ length: 60 }, () => `999 ${5 * PAGE}`),
].join('\n');

const open = () =>
  openReplay({
    path: '-',
    format: 'ramulator',
    stdin: Readable.from([Buffer.from(TRACE)]),
    includeFetches: false,
    fast: { kind: 'bytes', bytes: PAGE },
    instructionsPerS: 1e6,
    truthWindowUs: 10_000,
    push: { kind: 'off' },
    seed: 1,
  });

describe('signals of a replay', () => {
  test('a protected page faults at its next access, once, and tells how long that took', async () => {
    const machine = await open();
    const signals = machine.lab.signals();
    machine.advance(10_000);
    expect(signals.protect(0, 8 * PAGE, BOTH)).toBe(1);
    expect(signals.protect(0, 8 * PAGE, BOTH)).toBe(0);
    machine.advance(5_000);
    const faults = signals.drainFaults();
    expect(faults.count).toBe(1);
    expect(faults.address[0]).toBe(0);
    expect(faults.delayUs[0]).toBeCloseTo(1_000, 6);
    machine.advance(5_000);
    expect(signals.drainFaults().count).toBe(0);
  });

  test('a scan sees what was accessed since the last one, and takes nothing from others who ask', async () => {
    const machine = await open();
    const signals = machine.lab.signals();
    const scan = (): number[][] => {
      const runs: number[][] = [];
      signals.scanAccessed(0, 8 * PAGE, (start, end, value) => runs.push([start / PAGE, end / PAGE, value]));
      return runs;
    };
    machine.preparePull(Float64Array.of(0), 1);
    machine.advance(5_000);
    expect(scan()).toEqual([
      [0, 1, 1],
      [1, 8, 0],
    ]);
    expect(scan()).toEqual([[0, 8, 0]]);
    const hits = new Uint8Array(1);
    machine.readPull(hits);
    expect([...hits]).toEqual([1]);
    const young: number[] = [];
    machine.queryPages({ property: 'young' }, 0, PAGE, (_start, _end, value) => young.push(value));
    machine.queryPages({ property: 'young' }, 0, PAGE, (_start, _end, value) => young.push(value));
    expect(young).toEqual([1, 0]);
  });

  test('the future is what the trace holds, also while it is being replayed', async () => {
    const machine = await open();
    const ahead = (): number[][] => {
      const uses: number[][] = [];
      machine.lab.forEachFuture((start, _end, accesses) => uses.push([start / PAGE, accesses]));
      return uses;
    };
    // Nothing is placed before its first access.
    expect(ahead()).toEqual([]);
    machine.advance(10_000);
    expect(ahead()).toEqual([[0, 30]]);
    machine.advance(40_000);
    expect(ahead()).toEqual([[5, 50]]);
  });

  test('a promotion is in vain until its accesses have saved what it cost', async () => {
    const machine = await open();
    machine.lab.waste();
    for (let i = 0; i < 9; i++) machine.advance(5_000);
    // Page 5 found no room; an access stands for 1,000 that save 155 ns each: one pays for 8 us.
    machine.submit({ action: 'migrate_cold', start: 0, end: PAGE, targetNid: 1, tag: 0 });
    machine.submit({ action: 'migrate_hot', start: 5 * PAGE, end: 6 * PAGE, targetNid: 0, tag: 0 });
    machine.advance(100);
    expect(machine.lab.waste().wastedBytes).toBe(PAGE);
    machine.advance(5_000);
    expect(machine.lab.waste().wastedBytes).toBe(0);
  });

  test('who is traced pays for what it is charged with', async () => {
    const machine = await open();
    while (!machine.isDone()) machine.advance(5_000);
    const before = machine.truth.completionSeconds();
    machine.lab.charge(2_000);
    expect(machine.truth.completionSeconds()).toBeCloseTo(before + 0.002, 9);
  });
});

describe('a comparison on a trace', () => {
  const directory = mkdtempSync(join(tmpdir(), 'thermocline-test-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'trace.txt');
  const random = new RandomStream(1, 'trace');
  // 64 pages in the order of their addresses, then mostly the last eight of them.
  const lines = Array.from({ length: 64 }, (_, page) => `99 ${page * PAGE}`);
  for (let i = 0; i < 20_000; i++) {
    const page = random.unit() < 0.9 ? 56 + random.below(8) : random.below(64);
    lines.push(`99 ${page * PAGE}`);
  }
  writeFileSync(path, lines.join('\n'));
  const trace: TraceSource = {
    path,
    fast: { kind: 'share', share: 0.25 },
    includeFetches: false,
    instructionsPerS: 1e6,
  };
  const run = (tracker: string) =>
    runContestant(
      { tracker, machine: { machine: 'seed-test-2' }, trace, seed: 1, minRatePerS: 57.5 },
      () => 0,
    );

  test('every contestant gets through it, on the same accesses', async () => {
    for (const { name } of contestants()) {
      const row = await run(name);
      expect(row.tracker).toBe(name);
      expect(row.accesses).toBe(20_064);
      expect(row.completionSeconds).toBeGreaterThan(2);
    }
  });

  test('the clairvoyant is ahead of all, and evidence regions of doing nothing', async () => {
    const [none, oracle, evidence, allFast, allSlow] = await Promise.all(
      ['static', 'oracle', 'evidence', 'all-fast', 'all-slow'].map(run),
    );
    expect(allFast.fastTierShare).toBe(1);
    expect(allSlow.fastTierShare).toBe(0);
    expect(none.fastTierShare).toBeLessThan(0.3);
    expect(oracle.fastTierShare).toBeGreaterThan(0.9);
    expect(evidence.fastTierShare).toBeGreaterThan(0.8);
    expect(evidence.fastTierShare).toBeLessThan(oracle.fastTierShare);
    expect(allFast.completionSeconds).toBeLessThan(oracle.completionSeconds);
    expect(none.completionSeconds).toBeLessThan(allSlow.completionSeconds);
  });
});
