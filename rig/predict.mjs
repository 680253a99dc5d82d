/** What the simulated machine foretells for the workload and the scheme of the guests' table. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REPOSITORY } from './host.mjs';

const HOT_BYTES = 16 * 2 ** 20;
const PAGE = 4096;
/** As the guests run it: DAMON's regions, one check of each per sample of 20 ms. */
const SETTINGS = [
  ...['--sample', '20ms', '--aggr', '400ms', '--min-regions', '20', '--max-regions', '100'],
  ...['--pull', '4700/s', '--push', 'off', '--quiet', '--json'],
];

/** @returns { toNinetyS, movedPages, coldPages }, toNinetyS undefined if it never came so far */
export function predict(scheme) {
  const work = mkdtempSync(join(tmpdir(), 'thermocline-predict-'));
  try {
    const file = join(work, 'scheme.yaml');
    writeFileSync(file, `version: 1\nschemes:\n  - ${scheme}\n`);
    const machine = join(REPOSITORY, 'rig', 'guest-machine.yaml');
    const program = join(REPOSITORY, 'dist', 'cli', 'main.js');
    const out = join(work, 'out');
    const args = ['run', file, '--machine', machine, ...SETTINGS, '--out', out];
    const result = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' });
    if (result.status !== 0) throw new Error(result.stderr);
    const { promotedBytes } = JSON.parse(result.stdout);
    const reached = readFileSync(join(out, 'journal.ndjson'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
      .find(
        ({ patches }) =>
          patches.some(
            ({ path, value }) =>
              path.join('/') === 'schemes' && value.some(({ szApplied }) => szApplied >= 0.9 * HOT_BYTES),
          ) || patches.some(({ path, value }) => path.at(-1) === 'szApplied' && value >= 0.9 * HOT_BYTES),
      );
    return {
      toNinetyS: reached === undefined ? undefined : reached.timeUs / 1e6,
      movedPages: promotedBytes / PAGE,
      coldPages: Math.max(0, promotedBytes - HOT_BYTES) / PAGE,
    };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** A line like those of the guests' table. */
export function predictedLine(scheme) {
  const { toNinetyS, movedPages, coldPages } = predict(scheme);
  const cells = [
    'simulated, damon   ',
    (toNinetyS?.toFixed(1) ?? 'never').padStart(13),
    String(movedPages).padStart(11),
    String(coldPages).padStart(12),
  ];
  return `| ${cells.join(' | ')} |`;
}
