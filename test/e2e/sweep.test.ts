import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { afterAll, describe, expect, test } from 'vitest';
import type { SweepReport } from '../../src/cli/commands/sweep.ts';
import { file, MAIN, ROOT, thermocline, WORK } from './program.ts';

afterAll(() => rmSync(WORK, { recursive: true, force: true }));

const TRACE = join(ROOT, 'test/fixtures/lackey-gzip.txt.gz');
const SWEEP = [
  'compare',
  ...['--machine', 'seed-test-2', '--size', '6G', '--trackers', 'static,oracle,evidence,kpromoted-posted'],
  ...['--vary', 'max-regions=100,400', '--vary', 'quota=1G/s,2G/s', '--seeds', '2', '--quiet'],
];
/** static, oracle and kpromoted listen to nothing of it. */
const RUNS = (1 + 1 + 1 + 4) * 2;

type Row = Record<string, unknown>;

const bufferOf = (path: string): ArrayBuffer => Uint8Array.from(readFileSync(join(WORK, path))).buffer;
const rowsOf = async (path: string): Promise<Row[]> =>
  parquetReadObjects({
    file: bufferOf(path),
    compressors: { GZIP: (input) => new Uint8Array(gunzipSync(input)) },
  });
/** All but how long it took. */
const results = async (path: string): Promise<Row[]> =>
  (await rowsOf(path)).map(({ wall_seconds: _, ...row }) => row);
const runFiles = (out: string): string[] => {
  const path = join(WORK, out, 'runs');
  return existsSync(path) ? readdirSync(path).filter((name) => name.endsWith('.json')) : [];
};

/** Starts a sweep and sends it a signal once some runs are finished. */
async function interrupt(out: string, signal: NodeJS.Signals, after: number) {
  const child = spawn(process.execPath, [MAIN, ...SWEEP, '--out', out, '--jobs', '1'], {
    cwd: WORK,
    env: { PATH: process.env.PATH, TERM: 'dumb' },
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', (status) => resolve(status)));
  while (runFiles(out).length < after && child.exitCode === null) await sleep(10);
  child.kill(signal);
  return { status: await ended, stderr };
}

describe('a sweep', () => {
  test('writes one row per run, with plain numbers, and null for what a tracker does not listen to', async () => {
    const { status, stdout, stderr } = thermocline([...SWEEP, '--out', 'whole', '--json']);
    expect([status, stderr]).toEqual([0, '']);
    const report = JSON.parse(stdout) as SweepReport;
    expect(report.schema).toBe('thermocline.sweep/1');
    expect(report.runs).toEqual({ planned: RUNS, found: 0, finished: RUNS });
    expect(
      report.rows.map(({ tracker, settings }) => [tracker, ...Object.values(settings)].join(' ')),
    ).toEqual([
      'static',
      'oracle',
      'evidence 100 1GiB/s',
      'evidence 100 2GiB/s',
      'evidence 400 1GiB/s',
      'evidence 400 2GiB/s',
      'kpromoted-posted',
    ]);
    const rows = await rowsOf('whole/results.parquet');
    expect(rows.length).toBe(RUNS);
    const of = (tracker: string): Row[] => rows.filter((row) => row.tracker === tracker);
    expect(of('evidence').map((row) => [row.max_regions, row.quota_bytes_per_s, row.seed])).toContainEqual([
      400,
      2 ** 30,
      2n,
    ]);
    for (const row of of('kpromoted-posted')) {
      expect([row.max_regions, row.quota_bytes_per_s, row.size_bytes]).toEqual([null, null, 6 * 2 ** 30]);
      expect(JSON.parse(String(row.counters))).toHaveProperty('hwhint_nr_events');
    }
    const facts = Object.fromEntries(
      (parquetMetadata(bufferOf('whole/results.parquet')).key_value_metadata ?? []).map(({ key, value }) => [
        key,
        value,
      ]),
    );
    expect(facts['thermocline.schema']).toBe('thermocline.sweep/1');
    expect(facts['thermocline.command']).toMatch(
      /^thermocline compare --machine seed-test-2 .* --out whole --json$/,
    );
  });

  test('that was killed goes on where it was, and ends as if nothing had happened', async () => {
    const killed = await interrupt('killed', 'SIGKILL', 3);
    expect(killed.status).toBeNull();
    const kept = runFiles('killed');
    expect(kept.length).toBeGreaterThanOrEqual(3);
    expect(kept.length).toBeLessThan(RUNS);
    expect(existsSync(join(WORK, 'killed/results.parquet'))).toBe(false);
    const times = kept.map((name) => statSync(join(WORK, 'killed/runs', name)).mtimeMs);
    const again = thermocline([...SWEEP.filter((each) => each !== '--quiet'), '--out', 'killed']);
    expect(again.status).toBe(0);
    expect(again.stderr).toMatch(
      new RegExp(`^${kept.length} of ${RUNS} runs are finished in killed, going on`),
    );
    expect(kept.map((name) => statSync(join(WORK, 'killed/runs', name)).mtimeMs)).toEqual(times);
    expect(await results('killed/results.parquet')).toEqual(await results('whole/results.parquet'));
  });

  test('that is interrupted leaves a table of what is finished, says how to go on, and exits with 130', async () => {
    const { status, stderr } = await interrupt('stopped', 'SIGINT', 2);
    expect(status).toBe(130);
    expect(stderr).toMatch(
      /^interrupted: \d+ of 14 runs are in stopped\/results.parquet; the same command goes on/m,
    );
    const there = (await rowsOf('stopped/results.parquet')).length;
    expect(there).toBe(runFiles('stopped').length);
    expect(there).toBeLessThan(RUNS);
  });

  test('divided into shards is the whole: disjoint, complete, with the same columns', async () => {
    for (const shard of ['1/3', '2/3', '3/3']) {
      expect(thermocline([...SWEEP, '--out', 'shards', '--shard', shard]).status).toBe(0);
    }
    const names = [1, 2, 3].map((i) => `shards/results-${i}-of-3.parquet`);
    const parts = await Promise.all(names.map(results));
    const sorted = (rows: readonly Row[]): string[] =>
      rows
        .map((row) =>
          JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value)),
        )
        .sort();
    expect(sorted(parts.flat())).toEqual(sorted(await results('whole/results.parquet')));
    const schemas = names.map((name) =>
      parquetMetadata(bufferOf(name)).schema.map(({ name: column, type }) => [column, type]),
    );
    expect(schemas[1]).toEqual(schemas[0]);
    expect(schemas[2]).toEqual(schemas[0]);
    // Without a shard it only gathers.
    const gathered = thermocline([...SWEEP, '--out', 'shards', '--json']);
    expect((JSON.parse(gathered.stdout) as SweepReport).runs.found).toBe(RUNS);
    expect(gathered.stderr).toMatch(/counts runs twice/);
  });

  test('runs again what is finished only when asked to, and what is damaged anyway', () => {
    const [first, second] = runFiles('whole').sort();
    const content = readFileSync(join(WORK, 'whole/runs', first), 'utf8');
    file(`whole/runs/${first}`, content.slice(0, content.length / 2));
    const before = statSync(join(WORK, 'whole/runs', second)).mtimeMs;
    const repaired = thermocline([...SWEEP, '--out', 'whole', '--json']);
    expect((JSON.parse(repaired.stdout) as SweepReport).runs.found).toBe(RUNS - 1);
    expect(statSync(join(WORK, 'whole/runs', second)).mtimeMs).toBe(before);
    const fresh = thermocline([...SWEEP, '--out', 'whole', '--json', '--fresh']);
    expect((JSON.parse(fresh.stdout) as SweepReport).runs.found).toBe(0);
    expect(statSync(join(WORK, 'whole/runs', second)).mtimeMs).toBeGreaterThan(before);
  });

  test.each([
    [['--vary', 'quotta=1G/s'], /did you mean "quota"/],
    [['--vary', 'quota=1G/s', '--trackers', 'static'], /these have one: .*evidence/],
    [['--vary', 'size=6G,9G', '--trace', 'x'], /unreadable|cannot|no such/i],
    [['--vary', 'workload=gups,btree', '--trace', TRACE], /a machine of its own.*workload/],
    [['--shard', '4/3'], /expected K\/N/],
    [['--plot', 'a.png'], /\.svg or \.html/],
  ])('%j is refused before anything is written', (args, message) => {
    const { status, stderr } = thermocline(['compare', ...args, '--out', 'nothing']);
    expect([1, 2]).toContain(status);
    expect(stderr).toMatch(message);
    expect(existsSync(join(WORK, 'nothing'))).toBe(false);
  });
});

describe('a plot', () => {
  test('of a comparison has its page and its picture, and the front stands below the table', () => {
    const small = [
      '--machine',
      'seed-test-2',
      '--size',
      '3G',
      '--trackers',
      'static,oracle,evidence,numab2',
      '--quiet',
    ];
    const page = thermocline(['compare', ...small, '--plot', 'plot.html']);
    expect([page.status, page.stderr]).toEqual([0, '']);
    expect(page.stdout).toMatch(/Pareto front, seed-test-2, 3 GiB/);
    expect(readFileSync(join(WORK, 'plot.html'), 'utf8')).toMatch(/<details><summary>numab2/);
    expect(thermocline(['compare', ...small, '--plot', 'plot.svg', '--json']).status).toBe(0);
    expect(readFileSync(join(WORK, 'plot.svg'), 'utf8')).toMatch(/^<svg [\s\S]*evidence[\s\S]*<\/svg>\n$/);
  });

  test('has the bytes of what is too large to be simulated', () => {
    const { status, stdout } = thermocline([
      'compare',
      ...['--machine', 'full-dram', '--vary', 'size=16TiB', '--trackers', 'static,memtis,numab2'],
      ...['--out', 'large', '--plot', 'large.svg', '--quiet', '--json'],
    ]);
    expect(status).toBe(0);
    const { rows } = JSON.parse(stdout) as SweepReport;
    expect(rows.map(({ tracker, means }) => [tracker, means === null])).toEqual([
      ['static', false],
      ['memtis', true],
      ['numab2', true],
    ]);
    expect(rows[1].metadataBytes).toBeGreaterThan(2 ** 34);
    expect(readFileSync(join(WORK, 'large.svg'), 'utf8')).toMatch(
      /memtis: 32 GiB, not simulated at this size/,
    );
  });
});

const duckdb = await import('@duckdb/node-api').catch(() => undefined);
if (duckdb === undefined)
  process.stderr.write('SKIPPED: tables read by DuckDB: @duckdb/node-api is not installed\n');

describe.skipIf(duckdb === undefined)('an engine that is not ours', () => {
  test('reads the tables of all shards as one, with the queries of the documentation', async () => {
    const { DuckDBInstance } = duckdb as NonNullable<typeof duckdb>;
    const connection = await (await DuckDBInstance.create()).connect();
    const query = async (sql: string): Promise<Row[]> =>
      (await connection.runAndReadAll(sql)).getRowObjects() as Row[];
    const from = `'${join(WORK, 'shards')}/results-*.parquet'`;
    const [all] = await query(
      `SELECT count(*) AS runs, count(DISTINCT tracker) AS trackers, count(quota_bytes_per_s) AS varied FROM ${from}`,
    );
    expect(all).toEqual({ runs: BigInt(RUNS), trackers: 4n, varied: 8n });
    const doc = readFileSync(new URL('../../docs/sweeps.md', import.meta.url), 'utf8');
    const queries = [...doc.matchAll(/```sql\n([\s\S]*?)```/g)].map((match) => match[1]);
    expect(queries.length).toBeGreaterThanOrEqual(2);
    for (const sql of queries) {
      const rows = await query(sql.replaceAll("'thermocline-sweep/*.parquet'", from));
      expect(rows.length).toBeGreaterThan(0);
    }
  });
});
