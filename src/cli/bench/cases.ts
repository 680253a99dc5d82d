/** The cases of `thermocline bench`: each runs alone in a process of its own and returns its numbers. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { runSchemes } from '../../lab/run.ts';
import type { ModelledMachine } from '../../machines/machine.ts';
import { openReplay } from '../../machines/replayed/open-replay.ts';
import { createPreset } from '../../machines/simulated/presets/index.ts';
import { RandomStream } from '../../memory/random.ts';
import { EvidenceMonitor } from '../../monitor/evidence-monitor.ts';
import { DEFAULT_ATTRS } from '../../monitor/monitor.ts';
import { loadSchemes } from '../../schemes/load.ts';
import { resolveSchemes } from '../../schemes/resolve.ts';
import { VERSION } from '../version.ts';
import { compareAll, compareEvidence } from './compare-cases.ts';
import { aggregation, anHour, pushIngest } from './monitor-cases.ts';
import { type Numbers, peakMemory } from './numbers.ts';
import { readText } from './record-cases.ts';
import { schemeRounds } from './scheme-cases.ts';

const GIB = 2 ** 30;
const SCHEMES = 'version: 1\nschemes:\n  - promote hot>5 to DRAM quota 1G/s\n';

async function runOn(
  machine: ModelledMachine,
  untilUs: number,
): Promise<{ seconds: number; ticks: number; metadata: number }> {
  const monitor = new EvidenceMonitor(DEFAULT_ATTRS, new RandomStream(1, 'monitor'));
  const { schemes } = loadSchemes(SCHEMES, 'bench', DEFAULT_ATTRS);
  const start = performance.now();
  await runSchemes({
    machine,
    monitor,
    schemes: resolveSchemes(schemes, machine),
    seed: 1,
    version: VERSION,
    shouldStop: () => machine.nowUs() >= untilUs,
  });
  return {
    seconds: (performance.now() - start) / 1000,
    ticks: machine.nowUs() / DEFAULT_ATTRS.sampleUs,
    metadata: monitor.metadataBytes,
  };
}

/** The main job at full size. */
async function defaultJob(): Promise<Numbers> {
  const { seconds } = await runOn(createPreset('seed-test-2', { seed: 1 }), Number.POSITIVE_INFINITY);
  return { 'wall s': seconds, ...peakMemory() };
}

/** Half a minute on a machine of another size: time per sampling interval and memory. */
async function halfMinuteAt(sizeBytes: number): Promise<Numbers> {
  const machine = createPreset('seed-test-2', { seed: 1, sizeBytes });
  const { seconds, ticks, metadata } = await runOn(machine, 30e6);
  return {
    'us per tick': (seconds / ticks) * 1e6,
    'metadata KiB': metadata / 1024,
    ...peakMemory(),
  };
}

/**
 * Text as lackey writes it, deterministic, in the measure of real programs (gzip and sqlite3): three
 * fetches to a data access, and 60 % of the accesses on another page than the one before (they: 68 and
 * 46 %). Of those, 80 % go to 64 hot pages, 18 % to 4 MiB, 2 % to 256 MiB.
 */
export function writeLackeySample(path: string, accesses = 4_000_000): void {
  const random = new RandomStream(1, 'bench/lackey');
  const fd = openSync(path, 'w');
  try {
    let lines: string[] = [];
    let code = 0x4000000;
    let page = 0x1ffe000000;
    for (let i = 0; i < accesses; i++) {
      for (let fetches = random.below(7); fetches > 0; fetches--) {
        const size = 1 + random.below(7);
        lines.push(`I  ${code.toString(16).padStart(8, '0')},${size}\n`);
        code = random.unit() < 0.1 ? 0x4000000 + random.below(1 << 18) : code + size;
      }
      if (random.unit() < 0.6) {
        const kind = random.unit();
        if (kind < 0.8) page = 0x1ffe000000 + random.below(64) * 4096;
        else if (kind < 0.98) page = 0x4c00000 + random.below(1 << 10) * 4096;
        else page = 0x5000000 + random.below(1 << 16) * 4096;
      }
      const address = page + random.below(512) * 8;
      lines.push(` ${random.unit() < 0.3 ? 'S' : 'L'} ${address.toString(16).padStart(8, '0')},8\n`);
      if (lines.length > 100_000) {
        writeSync(fd, lines.join(''));
        lines = [];
      }
    }
    writeSync(fd, lines.join(''));
  } finally {
    closeSync(fd);
  }
}

async function replayLackey(): Promise<Numbers> {
  const folder = mkdtempSync(join(tmpdir(), 'thermocline-bench-'));
  const path = join(folder, 'lackey.txt');
  try {
    // In a process of its own: making the text leaves a heap that is not the reader's.
    const main = fileURLToPath(new URL('../main.js', import.meta.url));
    execFileSync(process.execPath, [main, 'bench', '--case', WRITE_SAMPLE, path]);
    const bytes = statSync(path).size;
    // Once before, so that both readers find the file in the page cache.
    execFileSync('wc', ['-l', path]);
    const startWc = performance.now();
    const lines = Number(execFileSync('wc', ['-l', path]).toString().split(' ')[0]);
    const wcSeconds = (performance.now() - startWc) / 1000;
    const start = performance.now();
    const machine = await openReplay({
      path,
      format: undefined,
      stdin: Readable.from([]),
      includeFetches: false,
      fast: { kind: 'share', share: 0.25 },
      instructionsPerS: undefined,
      truthWindowUs: DEFAULT_ATTRS.aggrUs,
      push: { kind: 'rate', perS: 5876 },
      seed: 1,
    });
    const readSeconds = (performance.now() - start) / 1000;
    await runOn(machine, Number.POSITIVE_INFINITY);
    const seconds = (performance.now() - start) / 1000;
    const { accesses } = machine.truth.totals();
    machine.close();
    return {
      'M accesses/s': accesses / seconds / 1e6,
      'M lines/s': lines / seconds / 1e6,
      'MB/s': bytes / seconds / 1e6,
      'wall s': seconds,
      'of it reading s': readSeconds,
      'wc -l s': wcSeconds,
      'times wc -l': seconds / wcSeconds,
      ...peakMemory(),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Hidden case: writes the text for the case above. */
export const WRITE_SAMPLE = 'write-lackey-sample';

export interface BenchCase {
  readonly name: string;
  readonly what: string;
  readonly run: () => Promise<Numbers>;
}

export const BENCH_CASES: readonly BenchCase[] = [
  {
    name: 'push-ingest',
    what: 'samples at random addresses, in batches of 4096, into the bins of 1000 regions (target: 100 M/s), and into a counter per page',
    run: pushIngest,
  },
  {
    name: 'aggregation-1000',
    what: 'aggregation of 1000 regions (target: under 0.5 ms, a check beside its source under 100 ns, 300 bytes a region)',
    run: aggregation(1000),
  },
  {
    name: 'aggregation-10000',
    what: 'the same of 10,000 regions (target: under 6 ms)',
    run: aggregation(10_000),
  },
  {
    name: 'schemes',
    what: 'a round of 10 schemes with filters, priorities and quotas on 10,000 regions (target: under 10 ms)',
    run: schemeRounds,
  },
  {
    name: 'an-hour',
    what: 'an hour of modelled time, memory after collections of garbage (target: flat)',
    run: anHour,
  },
  {
    name: 'default-job',
    what: 'run schemes/promote-hot.yaml on seed-test-2, 192 GiB (target: under 5 s, 300 MB)',
    run: defaultJob,
  },
  { name: 'tick-16GiB', what: '30 s on a machine of 16 GiB', run: () => halfMinuteAt(16 * GIB) },
  {
    name: 'tick-16TiB',
    what: '30 s on a machine of 16 TiB (target: as 16 GiB)',
    run: () => halfMinuteAt(16384 * GIB),
  },
  {
    name: 'replay-lackey',
    what: 'replay of 4 M data accesses of lackey text (target: 5 M accesses/s)',
    run: replayLackey,
  },
  {
    name: 'read-perf-script',
    what: 'IBS samples as perf script prints them to accesses, 2 M lines (target: 100 MB/s)',
    run: readText('perf-script'),
  },
  {
    name: 'read-lackey',
    what: 'lackey text to accesses, 10 M lines (target: 150 MB/s)',
    run: readText('lackey'),
  },
  {
    name: 'compare-evidence',
    what: 'evidence alone on seed-test-2, 192 GiB (target: under 5 s)',
    run: compareEvidence,
  },
  {
    name: 'compare-all',
    what: 'all trackers on seed-test-2, 192 GiB, on all cores (target: under 90 s on two, under 4 GiB)',
    run: compareAll,
  },
];
