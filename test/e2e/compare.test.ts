import { describe, expect, test } from 'vitest';
import type { CompareReport } from '../../src/lab/compare/compare.ts';
import { ROOT, thermocline } from './program.ts';

const SMALL = ['--machine', 'seed-test-2', '--size', '6G', '--quiet'];

describe('thermocline compare', () => {
  test('--json prints one document with a row per tracker, in the order asked for', () => {
    const { status, stdout, stderr } = thermocline([
      'compare',
      ...SMALL,
      '--trackers',
      'oracle,static,evidence',
      '--json',
    ]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const report = JSON.parse(stdout) as CompareReport;
    expect(report.schema).toBe('thermocline.compare/1');
    expect(report.rows.map(({ tracker }) => tracker)).toEqual(['oracle', 'static', 'evidence']);
    for (const row of report.rows) {
      for (const key of [
        'completionSeconds',
        'fastTierShare',
        'promotedBytes',
        'metadataBytes',
        'hotSet',
        'counters',
      ]) {
        expect(row).toHaveProperty(key);
      }
    }
  });

  test('runs the schemes of a file, and tells mistakes in it before anything runs', () => {
    const none = thermocline(
      ['compare', '-', ...SMALL, '--trackers', 'evidence', '--json'],
      'version: 1\nschemes: [stat]',
    );
    expect((JSON.parse(none.stdout) as CompareReport).rows[0].promotedBytes).toBe(0);
    const wrong = thermocline(['compare', '-', ...SMALL], 'version: 1\nschemes: [promot]');
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toMatch(/^<stdin>:2:11/);
  });

  test('names the nearest tracker for one that nobody knows', () => {
    const { status, stderr } = thermocline(['compare', ...SMALL, '--trackers', 'evidnce']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/did you mean "evidence"/);
  });

  test('replays a recorded trace with everybody, and asks for a file where it gets a pipe', () => {
    const { status, stdout } = thermocline([
      'compare',
      ...[
        '--trace',
        `${ROOT}test/fixtures/lackey-gzip.txt.gz`,
        '--fast',
        '50%',
        '--trackers',
        'static,oracle,pghot-precise',
        '--quiet',
      ],
    ]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^replay, .* fast of .*: lackey trace lackey-gzip.txt.gz\n/);
    const piped = thermocline(['compare', '--trace', '-'], 'x');
    expect(piped.status).toBe(2);
    expect(piped.stderr).toMatch(/standard input can be read once[\s\S]*--trace FILE/);
  });
});
