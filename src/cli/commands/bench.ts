/** `thermocline bench`: speed and memory on this machine, medians over processes. */
import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { ThermoError } from '../../memory/error.ts';
import { parseCount } from '../../memory/units.ts';
import { renderTable } from '../../view/table.ts';
import { BENCH_CASES, WRITE_SAMPLE, writeLackeySample } from '../bench/cases.ts';
import type { Numbers } from '../bench/numbers.ts';
import type { Terminal } from '../terminal.ts';
import { VERSION } from '../version.ts';

export interface BenchOptions {
  readonly runs: string;
  readonly case?: string;
  readonly json?: boolean;
}

interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export async function benchCommand(
  file: string | undefined,
  options: BenchOptions,
  terminal: Terminal,
): Promise<number> {
  if (options.case === WRITE_SAMPLE && file !== undefined) {
    writeLackeySample(file);
    return 0;
  }
  const runs = parseCount(options.runs);
  if (runs < 1) throw new ThermoError('THERMO_USAGE', `--runs ${options.runs} is less than one`);
  if (options.case !== undefined) {
    const found = BENCH_CASES.find((each) => each.name === options.case);
    if (found === undefined) throw new ThermoError('THERMO_USAGE', `there is no case "${options.case}"`);
    terminal.stdout.write(`${JSON.stringify(await found.run())}\n`);
    return 0;
  }
  const results: { name: string; what: string; numbers: Record<string, Spread> }[] = [];
  for (const { name, what } of BENCH_CASES) {
    const samples: Numbers[] = [];
    for (let run = 0; run < runs; run++) {
      if (terminal.isInterrupted()) return 130;
      terminal.stderr.write(`bench: ${name}, run ${run + 1} of ${runs}\n`);
      samples.push(runAlone(name));
    }
    results.push({ name, what, numbers: summarize(samples) });
  }
  const about = {
    version: VERSION,
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    runs,
  };
  if (options.json) {
    terminal.stdout.write(
      `${JSON.stringify({ schema: 'thermocline.bench/1', ...about, cases: results }, null, 2)}\n`,
    );
    return 0;
  }
  terminal.stdout.write(
    `${about.cpu}, ${about.cores} cores, Node ${about.node}, ${runs} processes per case\n`,
  );
  for (const { name, what, numbers } of results) {
    terminal.stdout.write(`\n${name}: ${what}\n`);
    const rows = Object.entries(numbers).map(([key, { median, min, max }]) => [
      key,
      ...[median, min, max].map((v) => v.toPrecision(4)),
    ]);
    const lines = renderTable(
      ['', 'median', 'min', 'max'].map((title, i) => ({ title, align: i === 0 ? 'left' : 'right' })),
      rows,
    );
    for (const line of lines) terminal.stdout.write(`  ${line}\n`);
  }
  return 0;
}

/** Runs a case in a process of its own, so that memory and warm-up are those of one run. */
function runAlone(name: string): Numbers {
  const main = fileURLToPath(new URL('../main.js', import.meta.url));
  const result = spawnSync(process.execPath, [main, 'bench', '--case', name], { encoding: 'utf8' });
  if (result.status !== 0) {
    throw new ThermoError('THERMO_USAGE', `the case ${name} failed: ${result.stderr.trim()}`);
  }
  return JSON.parse(result.stdout) as Numbers;
}

function summarize(samples: readonly Numbers[]): Record<string, Spread> {
  const spread: Record<string, Spread> = {};
  for (const key of Object.keys(samples[0])) {
    const values = samples.map((sample) => sample[key]).sort((a, b) => a - b);
    spread[key] = { median: values[values.length >> 1], min: values[0], max: values[values.length - 1] };
  }
  return spread;
}
