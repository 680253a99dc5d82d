/** Every scheme file that ships does on its machine what its comment says. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RunReport } from '../../src/lab/run.ts';
import { ROOT, thermocline } from './program.ts';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const SCHEMES = join(ROOT, 'schemes');

function run(name: string, machine: string, ...options: string[]): RunReport {
  const file = join(SCHEMES, `${name}.yaml`);
  const { status, stdout, stderr } = thermocline([
    'run',
    file,
    '--machine',
    machine,
    '--json',
    '--quiet',
    ...options,
  ]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  // The document of --json, whose keys other tests check.
  return JSON.parse(stdout) as RunReport;
}

function scheme(report: RunReport, name: string): RunReport['schemes'][number] {
  const found = report.schemes.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no scheme ${name}`);
  return found;
}

/** Share of what the best placement would save. */
function gain({ baseline, completionSeconds }: RunReport): number {
  return (baseline.static - completionSeconds) / (baseline.static - baseline.allFast);
}

const TESTS: Readonly<Record<string, () => void>> = {
  'promote-hot': () => {
    const report = run('promote-hot', 'seed-test-2', '--size', '24G');
    expect(gain(report)).toBeGreaterThan(0.8);
  },
  'self-tuned-tiering': () => {
    const report = run('self-tuned-tiering', 'full-dram');
    expect(gain(report)).toBeGreaterThan(0.75);
    expect(report.fastTierShare).toBeGreaterThan(0.92);
    expect(report.promotedBytes + report.demotedBytes).toBeLessThan(20 * GIB);
    expect(report.pingPongBytes).toBeLessThan(0.05 * (report.promotedBytes + report.demotedBytes));
    expect(report.failedBytes).toBe(0);
  },
  'demote-cold': () => {
    const report = run('demote-cold', 'cold-dram', '--for', '2m');
    // 64 GiB, of which 6 are in use at the start.
    expect(report.demotedBytes).toBeGreaterThan(24.7 * GIB);
    expect(report.demotedBytes).toBeLessThan(26.1 * GIB);
    expect(report.fastTierShare).toBeGreaterThan(0.999);
  },
  'proactive-reclaim': () => {
    const report = run('proactive-reclaim', 'swap-server', '--for', '3m');
    expect(report.pagedOutBytes).toBeGreaterThan(1.5 * GIB);
    expect(report.pagedInBytes).toBeLessThan(0.01 * report.pagedOutBytes);
    expect(scheme(report, 'reclaim').cpuSeconds).toBeLessThan(0.05 * 1.1 * 180);
  },
  'lru-sort': () => {
    const report = run('lru-sort', 'swap-server', '--for', '5m');
    // What /app left behind, and the page cache.
    expect(scheme(report, 'give-up').appliedBytes).toBeGreaterThan(26 * GIB);
    expect(scheme(report, 'keep').appliedBytes).toBeGreaterThan(8 * GIB);
    expect(report.promotedBytes + report.demotedBytes + report.pagedOutBytes).toBe(0);
  },
  'working-set': () => {
    const report = run('working-set', 'swap-server', '--for', '90s');
    expect(scheme(report, 'working-set').matchedBytes / (20 * GIB)).toBeCloseTo(1, 1);
    expect(scheme(report, 'idle-for-a-minute').matchedBytes / (27 * GIB)).toBeCloseTo(1, 1);
  },
  'weighted-interleave': () => {
    const report = run('weighted-interleave', 'bandwidth');
    const nothing = run('working-set', 'bandwidth');
    expect(report.demotedBytes / (0.4 * 16 * GIB)).toBeCloseTo(1, 2);
    expect(report.accesses).toBeGreaterThan(1.12 * nothing.accesses);
  },
  'capacity-expansion': () => {
    const report = run('capacity-expansion', 'full-dram');
    expect(gain(report)).toBeGreaterThan(0.8);
    expect(report.fastTierShare).toBeGreaterThan(0.94);
    // Windows of 20 s with 2 s of CPU time.
    expect(scheme(report, 'promote').cpuSeconds).toBeLessThan((report.simulatedSeconds / 20 + 1) * 2);
  },
  'bandwidth-aware-promotion': () => {
    const report = run('bandwidth-aware-promotion', 'loaded-dram');
    expect(report.promotedBytes).toBeGreaterThan(0);
    expect(report.promotedBytes).toBeLessThan(GIB);
    // The antagonist does the same whatever happens: 90 % of 100 GB/s for two minutes.
    const antagonist = (0.9 * 100e9 * 120) / 64;
    const unbound = thermocline(
      ['run', '-', '--machine', 'loaded-dram', '--json', '--quiet'],
      'version: 1\nschemes: [promote hot>1 from CXL to DRAM quota 2G/s]',
    );
    const { accesses } = JSON.parse(unbound.stdout) as RunReport;
    expect((report.accesses - antagonist) / (accesses - antagonist)).toBeGreaterThan(1.8);
  },
  'safe-canary': () => {
    const report = run('safe-canary', 'full-dram', '--for', '50s');
    expect(scheme(report, 'would-promote').matchedBytes / (2 * GIB)).toBeCloseTo(1, 1);
    const canary = scheme(report, 'canary');
    expect(canary.appliedBytes).toBeGreaterThan(0);
    expect(canary.triedBytes).toBeLessThanOrEqual(16 * MIB * Math.ceil(report.simulatedSeconds));
    expect(canary.nrTried).toBeLessThanOrEqual(10 * canary.nrSnapshots);
  },
};

describe('the library of schemes', () => {
  test('every file is tested here', () => {
    const files = readdirSync(SCHEMES)
      .filter((name) => name.endsWith('.yaml'))
      .map((name) => name.replace('.yaml', ''));
    expect(files.sort()).toEqual(Object.keys(TESTS).sort());
  });

  test.each(Object.keys(TESTS))('%s does what its comment says', (name) => TESTS[name]());
});
