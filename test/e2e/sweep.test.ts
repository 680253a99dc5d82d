/** Sweeps from the command line: what is run, kept, sharded, drawn, and read back. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, describe, expect, test } from 'vitest';
import { thermocline } from './program.ts';

const directory = mkdtempSync(join(tmpdir(), 'thermocline-test-'));
afterAll(() => rmSync(directory, { recursive: true }));

const BASE = [
  ...['compare', '--machine', 'seed-test-2', '--size', '6G', '--quiet'],
  ...[
    '--trackers',
    'static,evidence,kpromoted-posted',
    '--vary',
    'quota=256M/s,1G/s',
    '--vary',
    'max-regions=100,1000',
  ],
];

function rowsOf(path: string): Promise<Record<string, unknown>[]> {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  return parquetReadObjects({
    file: buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer,
    compressors: { GZIP: (input) => gunzipSync(input) },
  }) as Promise<Record<string, unknown>[]>;
}

const bare = (rows: Record<string, unknown>[]): string[] =>
  rows
    .map(({ wall_seconds: _wall, ...row }) =>
      JSON.stringify(row, (_k, v) => (typeof v === 'bigint' ? Number(v) : v)),
    )
    .sort();

describe('a sweep', () => {
  const whole = join(directory, 'whole');

  test('runs each tracker with what it listens to, and writes one Parquet file', async () => {
    const { status, stderr } = thermocline([...BASE, '--out', whole]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const rows = await rowsOf(join(whole, 'results.parquet'));
    // Doing nothing and kpromoted have neither quota nor regions: one run each beside four.
    expect(rows.map(({ tracker }) => tracker).sort()).toEqual([
      ...['evidence', 'evidence', 'evidence', 'evidence'],
      ...['kpromoted-posted', 'static'],
    ]);
    const settings = rows
      .filter(({ tracker }) => tracker === 'evidence')
      .map((row) => [Number(row.quota_bytes_per_s), Number(row.max_regions)]);
    expect(settings.sort()).toEqual(
      [2 ** 28, 2 ** 30].flatMap((quota) => [100, 1000].map((regions) => [quota, regions])).sort(),
    );
  });

  test('goes on where it was: finished runs are kept, and nothing runs twice', async () => {
    const runs = join(whole, 'runs');
    const kept = readdirSync(runs, { recursive: true }).filter((name) => String(name).endsWith('.json'));
    expect(kept.length).toBe(6);
    const before = bare(await rowsOf(join(whole, 'results.parquet')));
    rmSync(join(runs, String(kept[0])));
    rmSync(join(whole, 'results.parquet'));
    const { status } = thermocline([...BASE, '--out', whole]);
    expect(status).toBe(0);
    expect(bare(await rowsOf(join(whole, 'results.parquet')))).toEqual(before);
  });

  test('in shards is the whole, each run in one of them', async () => {
    const sharded = join(directory, 'sharded');
    for (const shard of ['1/2', '2/2']) {
      expect(thermocline([...BASE, '--out', sharded, '--shard', shard]).status).toBe(0);
    }
    const parts = readdirSync(sharded).filter((name) => name.endsWith('.parquet'));
    expect(parts.sort()).toEqual(['results-1-of-2.parquet', 'results-2-of-2.parquet']);
    const rows = (await Promise.all(parts.map((part) => rowsOf(join(sharded, part))))).flat();
    expect(bare(rows)).toEqual(bare(await rowsOf(join(whole, 'results.parquet'))));
  });

  test('is drawn as a picture and as a page that needs nothing else', () => {
    for (const name of ['plot.svg', 'plot.html']) {
      const path = join(directory, name);
      expect(thermocline([...BASE, '--out', whole, '--plot', path]).status).toBe(0);
      expect(existsSync(path)).toBe(true);
      const text = readFileSync(path, 'utf8');
      expect(text).toContain('<svg');
      expect(text).toContain('evidence');
      expect(text).not.toMatch(/NaN|>undefined<|(src|href)="http/);
    }
  });

  test.each([
    [['--vary', 'quotta=1G/s'], /quota/],
    [['--vary', 'quota=fast'], /quota/],
    [['--shard', '3/2'], /3\/2/],
  ])('%s is refused in words', (args, message) => {
    const { status, stderr } = thermocline([...BASE.slice(0, 8), ...args, '--out', join(directory, 'none')]);
    expect(status).toBe(2);
    expect(stderr).toMatch(message);
  });
});

describe('the columnar file', () => {
  test('is read by DuckDB', async () => {
    const path = join(directory, 'whole', 'results.parquet');
    const duckdb = await import('@duckdb/node-api').catch(() => undefined);
    if (duckdb === undefined) {
      process.stderr.write('skipped: DuckDB is not installed, so nobody but us has read the Parquet file\n');
      return;
    }
    const instance = await duckdb.DuckDBInstance.create();
    const connection = await instance.connect();
    const reader = await connection.runAndReadAll(
      `SELECT tracker, count(*)::INT AS runs FROM '${path}' GROUP BY tracker ORDER BY tracker`,
    );
    expect(reader.getRows()).toEqual([
      ['evidence', 4],
      ['kpromoted-posted', 1],
      ['static', 1],
    ]);
    connection.closeSync();
  });
});
