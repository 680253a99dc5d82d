import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inflateSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { file, MAIN, ROOT, runCommandsOf, thermocline, WORK } from './program.ts';

afterAll(() => rmSync(WORK, { recursive: true, force: true }));

const RUN = ['run', join(ROOT, 'schemes/promote-hot.yaml'), '--size', '4G', '--no-out', '--quiet'];
const parts = (table: string): string[] => {
  const path = join(WORK, table);
  return existsSync(path) ? readdirSync(path).filter((name) => name.endsWith('.parquet')) : [];
};
const bytesOf = (table: string): number =>
  parts(table).reduce((sum, name) => sum + statSync(join(WORK, table, name)).size, 0);

interface Document {
  readonly schema: string;
  readonly kind: string;
  readonly records: readonly { readonly report: Record<string, unknown> }[];
}

const reportOf = (args: readonly string[]): Document => {
  const { status, stdout, stderr } = thermocline(['report', ...args, '--json']);
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as Document;
};

const duckdb = await import('@duckdb/node-api').catch(() => undefined);
if (duckdb === undefined)
  process.stderr.write('SKIPPED: records read by DuckDB: @duckdb/node-api is not installed\n');

describe('a run that is recorded', () => {
  test('leaves a record that reports read, and nothing of which is in two places', () => {
    const { status, stderr } = thermocline([...RUN, '--for', '5s', '--record', 'whole', '--record-samples']);
    expect([status, stderr]).toEqual([0, '']);
    expect(readdirSync(join(WORK, 'whole')).sort()).toEqual(['regions', 'samples']);
    const { schema, kind, records } = reportOf(['wss', 'whole', '--skip', '0']);
    expect([schema, kind]).toEqual(['thermocline.report/1', 'wss']);
    expect(records[0].report.snapshots).toBe(50);
  });

  test('refuses a directory that is not empty', () => {
    const { status, stderr } = thermocline([...RUN, '--for', '1s', '--record', 'whole']);
    expect(status).toBe(1);
    expect(stderr).toContain('is there already');
  });

  test('takes at most a tenth of what damo would write', () => {
    expect(thermocline(['convert', 'whole', 'whole.json', '--quiet']).status).toBe(0);
    const json = statSync(join(WORK, 'whole.json')).size;
    expect(json / bytesOf('whole/regions')).toBeGreaterThan(10);
  });

  test('comes back from damo with the same regions, in zlib too', () => {
    expect(thermocline(['convert', 'whole', 'whole.data', '--quiet']).status).toBe(0);
    const zlib = inflateSync(readFileSync(join(WORK, 'whole.data'))).toString();
    expect(zlib).toBe(readFileSync(join(WORK, 'whole.json'), 'utf8'));
    const count = (path: string): unknown => reportOf(['nr-regions', path]).records[0].report;
    expect(count('whole.data')).toEqual(count('whole'));
  });

  test('is replayed by run: its rates on two tiers', () => {
    const args = [
      'run',
      join(ROOT, 'schemes/promote-hot.yaml'),
      '--trace',
      'whole',
      '--no-out',
      '--json',
      '--quiet',
    ];
    const { status, stdout } = thermocline(args);
    expect(status).toBe(0);
    const run = JSON.parse(stdout) as {
      workload: string;
      accesses: number;
      warnings: string[];
      simulatedSeconds: number;
    };
    expect(run.workload).toBe('record record whole');
    expect(run.simulatedSeconds).toBeCloseTo(5, 1);
    expect(run.accesses).toBeGreaterThan(0);
    expect(run.warnings.join()).toContain('rates of regions');
  });

  test('has samples that are a trace of their own', () => {
    const args = [
      'run',
      join(ROOT, 'schemes/promote-hot.yaml'),
      '--trace',
      'whole/samples',
      '--no-out',
      '--json',
      '--quiet',
    ];
    const { status, stdout } = thermocline(args);
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as { workload: string }).workload).toBe('record trace samples');
  });

  test('by a process that is killed loses at most its last part', async () => {
    const child = spawn(process.execPath, [MAIN, ...RUN.with(3, '64G'), '--record', 'killed'], {
      cwd: WORK,
      env: { PATH: process.env.PATH, TERM: 'dumb' },
    });
    const ended = new Promise((resolve) => child.on('close', resolve));
    while (parts('killed/regions').length < 2 && child.exitCode === null) await sleep(5);
    expect(child.exitCode).toBe(null);
    child.kill('SIGKILL');
    await ended;
    const whole = parts('killed/regions').length;
    const { records } = reportOf(['nr-regions', 'killed', '--skip', '0']);
    const { values } = records[0].report as { values: { timeUs: number; value: number }[] };
    // Every snapshot of the parts that are there, without a gap.
    expect(whole).toBeGreaterThanOrEqual(2);
    values.forEach(({ timeUs }, i) => {
      expect(timeUs).toBeCloseTo((i + 1) * 100_000, 3);
    });
    expect(values.length * 900).toBeGreaterThan(100_000);
  }, 60_000);
});

describe.skipIf(duckdb === undefined)('an engine that is not ours', () => {
  test('reads the folder of a record as one table, with the queries of the documentation', async () => {
    const { DuckDBInstance } = duckdb as NonNullable<typeof duckdb>;
    const connection = await (await DuckDBInstance.create()).connect();
    const query = async (sql: string) => (await connection.runAndReadAll(sql)).getRowObjects();
    const from = (table: string): string => `'${join(WORK, 'whole', table)}/*.parquet'`;
    const [regions] = await query(
      `SELECT count(DISTINCT snapshot) AS snapshots, min("end" - start) AS least FROM ${from('regions')}`,
    );
    expect(regions.snapshots).toBe(50n);
    expect(Number(regions.least)).toBeGreaterThanOrEqual(4096);
    const [samples] = await query(`SELECT count(*) AS n, max(time_ns) AS last FROM ${from('samples')}`);
    expect(Number(samples.n)).toBeGreaterThan(1000);
    const doc = readFileSync(join(ROOT, 'docs/records.md'), 'utf8');
    const queries = [...doc.matchAll(/```sql\n([\s\S]*?)```/g)].map((match) => match[1]);
    expect(queries.length).toBeGreaterThanOrEqual(2);
    for (const sql of queries) {
      const rows = await query(sql.replaceAll("'my-record/", `'${join(WORK, 'whole')}/`));
      expect(rows.length).toBeGreaterThan(0);
    }
    const metadata = await query(
      `SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata(${from('regions')})`,
    );
    const facts = new Map(metadata.map(({ key, value }) => [String(key), String(value)]));
    expect(facts.get('thermocline.schema')).toBe('thermocline.record/1');
    expect(facts.get('thermocline.monitor')).toBe('evidence');
  });
});

describe('reports on the terminal', () => {
  const LINES = `       kdamond.0  4452 [000] 100.100000: damon:damon_aggregated: target_id=7 nr_regions=2 0-1048576: 5 1
       kdamond.0  4452 [000] 100.100002: damon:damon_aggregated: target_id=7 nr_regions=2 1048576-4194304: 0 3
       kdamond.0  4452 [000] 100.200000: damon:damon_aggregated: target_id=7 nr_regions=1 0-4194304: 2 0
`;

  test.each([
    'regions',
    'heatmap',
    'wss',
    'nr-regions',
    'temperature',
    'recency',
    'memory-for-accesses',
    'holistic',
  ])('%s fits 40 columns without colour, and has raw numbers', (kind) => {
    const path = file('damon.txt', LINES);
    const { status, stdout, stderr } = thermocline(['report', kind, path], undefined, { COLUMNS: '40' });
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).not.toContain('\u001b');
    // Addresses of a process and an unknown rate do not fit.
    const most = kind === 'regions' ? 45 : 40;
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(most);
    expect(thermocline(['report', kind, path, '--raw']).status).toBe(0);
    expect(reportOf([kind, path]).kind).toBe(kind);
  });

  test.each([
    ['3', '\u001b[38;2;'],
    ['2', '\u001b[38;5;'],
    ['1', '\u001b[9'],
  ])('colour of depth %s', (depth, sequence) => {
    const { stdout } = thermocline(['report', 'heatmap', file('damon.txt', LINES)], undefined, {
      FORCE_COLOR: depth,
    });
    expect(stdout).toContain(sequence);
  });

  test('other layouts are said in keywords, and a mistake names the nearest', () => {
    const path = file('damon.txt', LINES);
    const { stdout } = thermocline([
      ...['report', 'regions', path, '--snapshots', '0', '--raw'],
      ...['--format', 'set region <start address>-<end address> <access samples>'],
      ...['--format', 'set snapshot-head ', '--format', 'set snapshot-tail <number of regions> in all'],
    ]);
    expect(stdout).toBe('      0-1048576 5\n1048576-4194304 0\n2 in all\n');
    const wrong = thermocline(['report', 'regions', path, '--format', 'set region <start adress>']);
    expect([wrong.status, wrong.stderr]).toEqual([2, expect.stringContaining('start address')]);
  });

  test('what cannot be read is told with its line, and a trace of accesses is no record', () => {
    const { status, stderr } = thermocline(['report', 'wss', file('broken.txt', `${LINES}oops\n`)]);
    expect([status, stderr]).toEqual([0, expect.stringContaining('first: line 4')]);
    const trace = thermocline(['report', 'wss', file('trace.txt', ' L 1000,8\n L 2000,8\n')]);
    expect(trace.status).toBe(1);
    expect(trace.stderr).toContain('holds accesses, and reports are about regions');
  });

  test('a picture holds what was seen', () => {
    const path = file('damon.txt', LINES);
    for (const name of ['heat.svg', 'heat.png', 'heat.html']) {
      expect(thermocline(['report', 'heatmap', path, '--picture', name]).status).toBe(0);
    }
    const svg = readFileSync(join(WORK, 'heat.svg'), 'utf8');
    const [, base64] = /data:image\/png;base64,([^"]+)"/.exec(svg) ?? [];
    const png = readFileSync(join(WORK, 'heat.png'));
    expect(Buffer.from(base64 ?? '', 'base64').equals(png)).toBe(true);
    expect(png.subarray(1, 4).toString()).toBe('PNG');
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([500, 500]);
  });
});

describe('recordings of perf', () => {
  test('become text and records, and run takes them', () => {
    const lines = Array.from(
      { length: 3000 },
      (_, i) =>
        `  memcached  7/7 [00${i % 4}] ${10 + Math.floor(i / 1000)}.${String(i % 1000).padStart(3, '0')}000:  10000 ibs_op//:  ${(0x7f0000000000 + (i % 50) * 4096).toString(16)}  6868100144 |OP STORE|LVL L3 hit`,
    );
    const path = file('perf.txt', `${lines.join('\n')}\n`);
    const text = thermocline(['convert', path, '-']);
    expect(text.status).toBe(0);
    expect(text.stdout.split('\n').slice(0, 2)).toEqual([
      '# us pid cpu address load|store',
      '0 7 0 7f0000000000 S',
    ]);
    expect(thermocline(['convert', path, 'perf-record']).status).toBe(0);
    for (const trace of [path, 'perf-record']) {
      const args = [
        'run',
        join(ROOT, 'schemes/promote-hot.yaml'),
        '--trace',
        trace,
        '--no-out',
        '--json',
        '--quiet',
      ];
      const { status, stdout } = thermocline(args);
      expect(status).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ accesses: 3000 });
    }
  });
});

test('the commands of docs/records.md work', () => {
  expect(runCommandsOf(readFileSync(join(ROOT, 'docs/records.md'), 'utf8'))).toBeGreaterThan(8);
});
