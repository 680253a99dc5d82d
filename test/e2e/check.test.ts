import { describe, expect, test } from 'vitest';
import { file, thermocline } from './program.ts';

const MARKED = `3 |   - promote hot>5 quotta 1G/s
      |                   ^^^^^^
`;

describe('mistakes in a scheme file', () => {
  test('are shown with the word marked, by every command that reads one', () => {
    const path = file('marked.yaml', 'version: 1\nschemes:\n  - promote hot>5 quotta 1G/s\n');
    for (const command of ['run', 'check', 'explain']) {
      const { status, stdout, stderr } = thermocline([command, path]);
      expect(status).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toContain(MARKED);
    }
  });

  test('of monitoring that does not fit the defaults are placed at its block', () => {
    const text = 'version: 1\nmonitor: {nr_regions: {max: 5}}\nschemes: [promote to HBM]\n';
    const { status, stderr } = thermocline(['check', '-'], text);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^<stdin>:2:1: at most 5 regions is below the minimum of 10\n/);
    expect(stderr).toMatch(/\n<stdin>:3:22: the machine seed-test-2 has no memory "HBM"\n/);
  });
});

describe('warnings', () => {
  const text = 'version: 1\nschemes: [promote every 10ms]\n';

  test('leave the exit status 0, or make it 1 with --strict', () => {
    for (const [args, expected] of [
      [['check', '-'], 0],
      [['check', '-', '--strict'], 1],
      [['check', '-', '--strict', '--json'], 1],
    ] as const) {
      expect(thermocline(args, text).status).toBe(expected);
    }
    const { stdout, stderr } = thermocline(['check', '-'], text);
    expect(stdout).toMatch(/^-: 1 scheme, no problems, 1 warning\n/);
    expect(stderr).toMatch(/^<stdin>:2:25: warning: a round each 10ms /);
  });

  test('are in the document of --json', () => {
    const { stdout } = thermocline(['check', '-', '--json'], text);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 'thermocline.check/1',
      ok: true,
      warnings: [{ code: 'THERMO_WARN_INTERVAL_BELOW_AGGREGATION', line: 2, column: 25 }],
    });
  });

  test('are none for what explain prints of a wise file', () => {
    const { stdout, stderr } = thermocline(
      ['check', '--strict', '-'],
      thermocline(['explain', '-'], text.replace('10ms', '1s')).stdout,
    );
    expect(stderr).toBe('');
    expect(stdout).toMatch(/no problems\n/);
  });
});
