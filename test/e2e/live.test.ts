import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ROOT, thermocline, WORK } from './program.ts';

const FIXTURES = join(ROOT, 'test/fixtures/linux');
const SCHEME = join(ROOT, 'schemes/promote-hot.yaml');

afterAll(() => rmSync(WORK, { recursive: true, force: true }));

describe('thermocline doctor', () => {
  test('tells of a recorded machine one finding a line, with reason and remedy', () => {
    const { status, stdout, stderr } = thermocline([
      'doctor',
      '--root',
      join(FIXTURES, 'held-by-damon-stat'),
    ]);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^machine:$/m);
    expect(stdout).toMatch(/^ {2}ok {2}kernel +7\.3\.0-example$/m);
    expect(stdout.replace(/\s+/g, ' ')).toContain('-> give run --allow damon_stat');
  });

  test('--json is one document', () => {
    const { stdout } = thermocline(['doctor', '--json', '--root', join(FIXTURES, 'two-tiers')]);
    const report = JSON.parse(stdout) as { schema: string; findings: { name: string; state: string }[] };
    expect(report.schema).toBe('thermocline.doctor/1');
    expect(report.findings.find(({ name }) => name === 'tiers')?.state).toBe('ok');
  });

  test('says when there is no machine at the root', () => {
    const { status, stderr } = thermocline(['doctor', '--root', WORK]);
    expect(status).toBe(1);
    expect(stderr).toContain('has no /proc and /sys');
  });
});

describe('run --machine linux', () => {
  test.each([
    [[], 'give --pid with the number of a process', 2],
    [['--pid', '4194305'], 'there is no process 4194305', 1],
    [['--pid', '1', '--source', 'damn'], 'did you mean "damon"?', 2],
    [['--pid', '1', '--allow', 'everything'], 'is nothing that can be allowed', 2],
    [['--pid', '1', '--overhead', '1%'], 'cannot be tuned on a live machine', 1],
    [['--pid', '1', '--monitor', 'damon'], "takes no counts of the kernel's DAMON", 1],
  ])('%j is refused before anything is started', (args, said, status) => {
    const result = thermocline(['run', SCHEME, '--machine', 'linux', ...args]);
    expect(result.stderr).toContain(said);
    expect(result.status).toBe(status);
  });
});
