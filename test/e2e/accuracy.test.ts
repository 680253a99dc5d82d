/** `thermocline accuracy` as its user meets it. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { AccuracyReport } from '../../src/lab/accuracy/measure.ts';
import { file, ROOT, thermocline, WORK } from './program.ts';

const SMALL = `name: small
size: 1 GiB
background: 0.001/s
areas:
  - { placement: one-per-slot, count: 4, size: 8 MiB, align: 2 MiB, rate: 200/s..400/s }
`;

afterAll(() => rmSync(WORK, { recursive: true, force: true }));

describe('thermocline accuracy', () => {
  const short = ['--seeds', '2', '--at', '0.5s,1s'];

  test('prints a table of all three monitors', () => {
    const { status, stdout, stderr } = thermocline(['accuracy', file('small.yaml', SMALL), ...short]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^small: 32\.0 MiB of 1\.00 GiB hot, at 30\/s per page or more\n/);
    for (const at of ['0.5s', '1s', 'mean']) {
      for (const monitor of ['evidence', 'damon', 'grid']) {
        expect(stdout).toMatch(new RegExp(`^${at} +${monitor} +[01]\\.\\d{3} `, 'm'));
      }
    }
    expect(stdout).toMatch(/^spent in 1s +checks +samples +metadata$/m);
    expect(stdout).not.toMatch(/measured/);
  });

  test('--json prints one document with the promised keys, the same for the same seeds', () => {
    const run = (): string => {
      const { status, stdout, stderr } = thermocline(
        ['accuracy', '-', '--json', '--monitor', 'grid,evidence', ...short],
        SMALL,
      );
      expect(stderr).toBe('');
      expect(status).toBe(0);
      return stdout;
    };
    const text = run();
    expect(run()).toBe(text);
    const report = JSON.parse(text) as AccuracyReport;
    expect(report.schema).toBe('thermocline.accuracy/1');
    expect(report.seeds).toEqual([1, 2]);
    expect(report.rows.map(({ monitor, at }) => `${monitor} ${at}`)).toEqual([
      'grid 0.5s',
      'grid 1s',
      'grid mean',
      'evidence 0.5s',
      'evidence 1s',
      'evidence mean',
    ]);
    const spread = { median: expect.any(Number), min: expect.any(Number), max: expect.any(Number) };
    for (const row of report.rows) {
      expect(row).toMatchObject({
        field: 'small',
        f1: spread,
        precision: spread,
        recall: spread,
        bestF1: spread,
        hotShare: spread,
        regions: expect.any(Number),
        pullChecks: 15_000 * (row.at === '0.5s' ? 0.5 : 1),
        pushSamples: expect.any(Number),
        metadataBytes: expect.any(Number),
      });
    }
  });

  test('shows what was measured of the kernel beside a field of its measurements', () => {
    const { stdout } = thermocline([
      'accuracy',
      'onehot',
      '--monitor',
      'evidence',
      '--seeds',
      '1',
      '--at',
      '1s',
    ]);
    expect(stdout).toMatch(/^1s +kernel 7\.3 \(measured\) +0\.946 /m);
    expect(stdout).toMatch(/^1s +kernel push \(measured\) +0\.950 /m);
    expect(stdout).toMatch(/^1s +evidence +0\.9\d\d |^1s +evidence +1\.000 /m);
  });

  test('lets sources fail', () => {
    const { stdout } = thermocline(
      ['accuracy', '-', '--json', '--monitor', 'grid', ...short, '--fault', 'push-lost=0.5s,pull-blind=0'],
      SMALL,
    );
    const report = JSON.parse(stdout) as AccuracyReport;
    expect(report.faults).toEqual({ pushLostAtUs: 5e5, pullBlindAtUs: 0 });
    expect(report.rows[0].pushSamples).toBeGreaterThan(2000);
    expect(report.rows[1].pushSamples).toBe(report.rows[0].pushSamples);
  });

  test('every shipped field file can be measured', () => {
    for (const name of ['onehot', 'spots64', 'moving', 'sparse', 'web-cache']) {
      const path = join(ROOT, 'fields', `${name}.yaml`);
      const { status, stderr } = thermocline([
        'accuracy',
        path,
        '--monitor',
        'damon',
        '--seeds',
        '1',
        '--at',
        '0.2s',
      ]);
      expect(stderr).toBe('');
      expect(status).toBe(0);
    }
  });

  test.each<[string, string[], number, RegExp]>([
    ['an unknown field', ['sprase'], 1, /no field "sprase"\n {2}did you mean "sparse"\?/],
    ['the same field twice', ['onehot', 'onehot'], 2, /two fields are named "onehot"/],
    ['a file that is not there', ['nowhere.yaml'], 1, /nowhere\.yaml/],
    [
      'a broken file',
      [file('bad.yaml', 'name: x\nsize: 1 GiB\nareas:\n  - { at: 2 GiB, size: 4 KiB, rate: 1/s }\n')],
      1,
      /bad\.yaml:4:11: at: 2\.00 GiB\n/,
    ],
    ['a time before the first aggregation', ['onehot', '--at', '50ms'], 2, /nothing is known at 50ms/],
    ['a time beyond an hour', ['onehot', '--at', '1s,2h'], 2, /"2h" is too late/],
    ['a time without unit', ['onehot', '--at', '1,2'], 2, /"1" is not a time/],
    ['an unknown monitor', ['onehot', '--monitor', 'evidenc'], 2, /did you mean "evidence"\?/],
    ['an unknown fault', ['onehot', '--fault', 'push-lots=1s'], 2, /did you mean "push-lost"\?/],
    ['a fault without a size', ['onehot', '--fault', 'drop'], 2, /"drop" does not say how much/],
    ['no seed', ['onehot', '--seeds', '0'], 2, /"0" is not a number of seeds above 0/],
    ['hot at nothing', ['onehot', '--hot', 'off'], 2, /"off" is not a rate above 0/],
    [
      'attributes that do not fit',
      ['onehot', '--min-regions', '2', '--at', '1s'],
      1,
      /minimum number of regions is 2/,
    ],
  ])('refuses %s', (_, args, expected, message) => {
    const { status, stdout, stderr } = thermocline(['accuracy', ...args]);
    expect(stderr).toMatch(message);
    expect(stdout).toBe('');
    expect(status).toBe(expected);
  });
});
