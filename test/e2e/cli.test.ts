/** The built program as its user meets it. Needs `npm run build` (pretest does it). */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { file, MAIN, ROOT, runCommandsOf, thermocline, WORK } from './program.ts';

const SCHEME = join(ROOT, 'schemes/promote-hot.yaml');
const TRACE = join(ROOT, 'test/fixtures/lackey-gzip.txt.gz');
/** A small machine, so that a run takes a fraction of a second. */
const SMALL = ['--size', '4GiB'];

afterAll(() => rmSync(WORK, { recursive: true, force: true }));

describe('thermocline run', () => {
  test('shows a heat map and a table, and leaves its files', () => {
    const { status, stdout, stderr } = thermocline(['run', SCHEME, ...SMALL, '--out', 'first']);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    for (const words of [
      /fast-tier share +\d/,
      /completion time/,
      /nothing migrated/,
      /all in DRAM/,
      /promoted/,
      /demoted/,
      /regions/,
      /metadata/,
      /scheme +tried/,
      /files: first\//,
    ]) {
      expect(stdout).toMatch(words);
    }
    expect(readdirSync(join(WORK, 'first')).sort()).toEqual(['heatmap.txt', 'journal.ndjson', 'run.json']);
    const lines = readFileSync(join(WORK, 'first/journal.ndjson'), 'utf8').trimEnd().split('\n');
    expect(lines.map((line, i) => (JSON.parse(line) as { seq: number }).seq === i).every(Boolean)).toBe(true);
  });

  test('--json prints one document with the promised keys and nothing else, and leaves no files', () => {
    const { status, stdout, stderr } = thermocline(['run', SCHEME, ...SMALL, '--json']);
    expect(status).toBe(0);
    expect(stderr).toBe('');
    const report = JSON.parse(stdout) as Record<string, unknown>;
    expect(report.schema).toBe('thermocline.run/1');
    for (const key of [
      'machine',
      'workload',
      'tracker',
      'seed',
      'simulatedSeconds',
      'wallSeconds',
      'accesses',
      'fastTierShare',
      'completionSeconds',
      'baseline',
      'promotedBytes',
      'demotedBytes',
      'failedBytes',
      'regions',
      'metadataBytes',
      'pullChecks',
      'pushSamples',
      'schemes',
      'hotSet',
    ]) {
      expect(report).toHaveProperty(key);
    }
    expect(report.baseline).toEqual(
      expect.objectContaining({ static: expect.any(Number), allFast: expect.any(Number) }),
    );
    expect(report.regions).toEqual({ peak: expect.any(Number), limit: 1000 });
    expect((report.schemes as object[])[0]).toEqual(
      expect.objectContaining({
        name: 'promote',
        triedBytes: expect.any(Number),
        appliedBytes: expect.any(Number),
        quotaBytes: 2 ** 30,
        quotaExceeded: expect.any(Number),
      }),
    );
    expect(existsSync(join(WORK, 'thermocline-out'))).toBe(false);
  });

  test('the same seed gives the same bytes, wallSeconds aside', () => {
    const run = (seed: string): string => {
      const report = JSON.parse(thermocline(['run', SCHEME, ...SMALL, '--json', '--seed', seed]).stdout) as {
        wallSeconds: number;
      };
      report.wallSeconds = 0;
      return JSON.stringify(report);
    };
    expect(run('7')).toBe(run('7'));
    expect(run('8')).not.toBe(run('7'));
  });

  test('replays a real trace from gzip, from a file and from standard input alike', () => {
    const plain = gunzipSync(readFileSync(TRACE));
    const path = file('trace.txt', plain);
    const args = ['run', SCHEME, '--fast', '25%', '--ips', '100k/s', '--json'];
    const strip = (text: string) => ({ ...(JSON.parse(text) as object), workload: '', wallSeconds: 0 });
    const fromGzip = thermocline([...args, '--trace', TRACE]);
    expect(fromGzip.status).toBe(0);
    const report = JSON.parse(fromGzip.stdout) as {
      accesses: number;
      fastTierShare: number;
      baseline: { staticFastTierShare: number };
    };
    expect(report.accesses).toBe(157_122);
    expect(report.fastTierShare).toBeGreaterThan(report.baseline.staticFastTierShare);
    expect(strip(thermocline([...args, '--trace', path]).stdout)).toEqual(strip(fromGzip.stdout));
    expect(strip(thermocline([...args, '--trace', '-'], plain).stdout)).toEqual(strip(fromGzip.stdout));
  });

  test('a wider fast tier serves more of the trace', () => {
    const share = (fast: string): number =>
      (
        JSON.parse(
          thermocline(['run', SCHEME, '--trace', TRACE, '--ips', '100k/s', '--fast', fast, '--json']).stdout,
        ) as { fastTierShare: number }
      ).fastTierShare;
    expect(share('10%')).toBeLessThan(share('50%'));
    expect(share('100%')).toBe(1);
  });

  test('takes a scheme from standard input', () => {
    const { status, stdout } = thermocline(
      ['run', '-', ...SMALL, '--json'],
      'version: 1\nschemes: [stat hot>5]\n',
    );
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as { promotedBytes: number }).promotedBytes).toBe(0);
  });

  test('the file says how memory is watched, and the command line goes before it', () => {
    const monitor = '{name: grid, intervals: {sample_us: 10ms}, pull: 1000/s, push: off, overhead: 50%}';
    const scheme = file('watched.yaml', `version: 1\nmonitor: ${monitor}\nschemes: [promote hot>5]\n`);
    const run = (...args: string[]) => {
      const { status, stdout } = thermocline(['run', scheme, ...SMALL, '--json', ...args]);
      expect(status).toBe(0);
      const { tracker, pullChecks, pushSamples, monitoring } = JSON.parse(stdout);
      return { tracker, hasPull: pullChecks > 0, hasPush: pushSamples > 0, ...monitoring };
    };
    expect(run()).toMatchObject({
      tracker: 'grid',
      hasPull: true,
      hasPush: false,
      budgetShare: 0.5,
      sampleUs: 10_000,
    });
    const options = ['--monitor', 'damon@push-rfc', '--pull', 'off', '--push', '1000/s', '--overhead', 'off'];
    expect(run(...options, '--sample', '5ms')).toMatchObject({
      tracker: 'damon@push-rfc',
      hasPull: false,
      hasPush: true,
      budgetShare: null,
      sampleUs: 5000,
    });
  });

  test('never overwrites a directory that is not its own', () => {
    const path = join(WORK, 'precious');
    spawnSync('mkdir', [path]);
    file('precious/data.txt', 'mine');
    const { status, stderr } = thermocline(['run', SCHEME, ...SMALL, '--out', 'precious']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/precious exists and is no result of thermocline/);
    expect(readFileSync(join(path, 'data.txt'), 'utf8')).toBe('mine');
    expect(readdirSync(WORK).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

describe('bad input gives one clear error, exit status 1, and nothing on disk', () => {
  const truncated = gzipSync(gunzipSync(readFileSync(TRACE)).subarray(0, 100_000)).subarray(0, 5000);
  const garbage = Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7919 + (i >> 2)) & 255));
  const cases: [string, () => string[], RegExp][] = [
    [
      'a truncated gzip',
      () => ['--trace', file('short.gz', truncated)],
      /short\.gz: the compressed data ends too early/,
    ],
    [
      'binary garbage as trace',
      () => ['--trace', file('garbage', garbage)],
      /garbage is neither a record nor a trace that is known/,
    ],
    ['an empty trace', () => ['--trace', file('empty', '')], /empty is empty/],
    ['a missing trace', () => ['--trace', 'nowhere'], /cannot read nowhere: there is no such file/],
    ['a directory as trace', () => ['--trace', '.'], /is a directory/],
  ];
  test.each(cases)('%s', (_what, args, message) => {
    const { status, stdout, stderr } = thermocline(['run', SCHEME, '--out', 'bad', ...args()]);
    expect(stderr).toMatch(message);
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(existsSync(join(WORK, 'bad'))).toBe(false);
  });

  const schemes: [string, string | Buffer, RegExp][] = [
    [
      'a tier that the machine lacks',
      'version: 1\nschemes:\n  - promote hot>5 to HBM\n',
      /bad\.yaml:3:22: the machine seed-test-2 has no memory "HBM"\n {2}known here: DRAM, CXL/,
    ],
    [
      'an unknown field',
      'version: 1\nscheme: []\n',
      /bad\.yaml:2:1: unknown key "scheme".*\n {2}did you mean "schemes"/,
    ],
    [
      'a quota of 0',
      'version: 1\nschemes: [promote hot>5 quota 0/s]\n',
      /bad\.yaml:2:31: a quota of 0 bytes/,
    ],
    ['an empty file', '', /bad\.yaml:1:1: the file is empty/],
    ['binary garbage', garbage, /no text file/],
    [
      'impossible attributes',
      'version: 1\nmonitor: {nr_regions: {min: 20, max: 10}}\nschemes: [stat]\n',
      /below the minimum/,
    ],
  ];
  test.each(schemes)('%s', (_what, text, message) => {
    for (const command of ['run', 'check']) {
      const { status, stdout, stderr } = thermocline([command, file('bad.yaml', text)]);
      expect(stderr).toMatch(message);
      expect(status).toBe(1);
      expect(stdout).toBe('');
    }
    expect(existsSync(join(WORK, 'thermocline-out'))).toBe(false);
  });

  test('lines that are no access are counted and shown, and the run goes on', () => {
    const text = `${gunzipSync(readFileSync(TRACE)).toString().split('\n').slice(0, 5000).join('\n')}\nwhat is this\n L ffffffffffffffff,8\n`;
    const { status, stdout } = thermocline(['run', SCHEME, '--trace', file('mixed.txt', text), '--no-out']);
    expect(status).toBe(0);
    expect(stdout).toMatch(
      /warning: 1 of 5,002 lines are no lackey access and were left out \(first: line 5001\)/,
    );
    expect(stdout).toMatch(/warning: 1 access beyond address 2\^53 left out/);
  });
});

describe('wrong usage is exit status 2', () => {
  test.each([
    [['run']],
    [['runn', SCHEME]],
    [['run', SCHEME, '--pull', 'fast']],
    [['run', SCHEME, '--push', 'period=0']],
    [['run', SCHEME, '--fast', '0%']],
    [['run', SCHEME, '--seed', 'x']],
    [['run', SCHEME, '--sample', '5']],
    [['run', SCHEME, '--nonsense']],
    [['run', SCHEME, '--format', 'elf']],
  ])('%j', (args) => {
    const { status, stdout, stderr } = thermocline(args);
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).not.toBe('');
  });
});

describe('check and explain', () => {
  test('check says what a good file does, explain prints it in the long form, which checks too', () => {
    const check = thermocline(['check', SCHEME]);
    expect(check.status).toBe(0);
    expect(check.stdout).toMatch(
      /1 scheme, no problems\n {2}promote: Moves to DRAM the regions accessed more than 57\.54\/s per page/,
    );
    const explained = thermocline(['explain', SCHEME]).stdout;
    expect(explained).toMatch(/action: migrate_hot/);
    expect(thermocline(['check', '-'], explained).status).toBe(0);
  });

  test('check --json lists every problem', () => {
    const { status, stdout } = thermocline(
      ['check', '-', '--json'],
      'version: 1\nschemes: [promot, demote cold>3]\n',
    );
    expect(status).toBe(1);
    const report = JSON.parse(stdout) as { ok: boolean; problems: { line: number; column: number }[] };
    expect(report.ok).toBe(false);
    expect(report.problems.map(({ line, column }) => [line, column])).toEqual([
      [2, 11],
      [2, 31],
    ]);
  });
});

describe('as a package', () => {
  test('thermocline/testing finds a monitor that breaks a rule, and passes one that does not', () => {
    const script = `
      import fc from 'fast-check';
      import { createMonitor, DEFAULT_ATTRS, RandomStream } from 'thermocline';
      import { monitorScriptArbitrary, runMonitorScript } from 'thermocline/testing';
      const create = () => createMonitor('evidence', DEFAULT_ATTRS, new RandomStream(1, 'mine'));
      fc.assert(fc.property(monitorScriptArbitrary(4096), (steps) => runMonitorScript(create(), steps)), { numRuns: 20 });
      const broken = () => Object.defineProperty(create(), 'regions', { value: { count: 0 } });
      let found = '';
      try {
        fc.assert(fc.property(monitorScriptArbitrary(4096), (steps) => runMonitorScript(broken(), steps)));
      } catch (error) { found = String(error.cause ?? error.message); }
      console.log(found.includes('exact cover') ? 'as promised' : found);
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(stdout).toBe('as promised\n');
  });
});

describe('what the README says is true', () => {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const blocks = (language: string): string[] =>
    [...readme.matchAll(new RegExp(`\\n\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map((match) => match[1]);

  test('its YAML is a scheme file', () => {
    for (const text of blocks('yaml')) {
      expect(thermocline(['check', '-'], text).status).toBe(0);
    }
  });

  test('its commands work', () => {
    file('trace.txt', gunzipSync(readFileSync(TRACE)));
    expect(runCommandsOf(readme)).toBeGreaterThan(4);
    rmSync(join(WORK, 'thermocline-out'), { recursive: true, force: true });
  }, 240_000);
});

describe('as a part of the shell', () => {
  test('a reader that closes the pipe ends it quietly', () => {
    const command = `"${process.execPath}" "${MAIN}" run "${SCHEME}" --size 4GiB --no-out | head -n 1; echo "status \${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', command], { cwd: WORK, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/status 0\n$/);
  });

  test('a full disk behind standard output is one line, not a crash', () => {
    const command = `"${process.execPath}" "${MAIN}" run "${SCHEME}" --size 4GiB --json > /dev/full; echo "status $?"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', command], { cwd: WORK, encoding: 'utf8' });
    expect(stderr).toMatch(/^thermocline: cannot write the result: .*\n$/);
    expect(stdout).toBe('status 1\n');
  });

  test('Ctrl-C ends a run with status 130, a partial summary and no files', async () => {
    const child = spawn(process.execPath, [MAIN, 'run', SCHEME, '--size', '2TiB', '--out', 'stopped'], {
      cwd: WORK,
    });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    // The work directory appears when the run begins.
    while (!readdirSync(WORK).some((name) => name.startsWith('.stopped.')))
      await new Promise((done) => setImmediate(done));
    child.kill('SIGINT');
    const status = await new Promise((done) => child.on('close', done));
    expect(status).toBe(130);
    expect(stdout).toMatch(/interrupted/);
    expect(readdirSync(WORK).filter((name) => name.includes('stopped'))).toEqual([]);
  });

  test('help and version are no errors', () => {
    expect(thermocline(['--help']).status).toBe(0);
    expect(thermocline(['run', '--help']).stdout).toMatch(/--trace <file>/);
    expect(thermocline(['--version']).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
