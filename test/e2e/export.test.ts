/** Schemes to damo and the kernel, and back, on the command line. */
import { describe, expect, test } from 'vitest';
import { thermocline } from './program.ts';

const FILE = 'version: 1\nschemes:\n  - promote hot>5 from CXL to DRAM quota 1G/s goal DRAM used 99.7%\n';
const ON = ['--machine', 'cxl-typical', '--node-regions', '0=4G-64G,1=64G-160G'];

describe('export', () => {
  test('data goes to standard output, notes with their place to standard error', () => {
    const { status, stdout, stderr } = thermocline(['export', '-', '--to', 'damo', ...ON], FILE);
    expect(status).toBe(0);
    expect(JSON.parse(stdout).kdamonds[0].contexts[0].targets[0].regions).toEqual([
      { start: 64 * 2 ** 30, end: 160 * 2 ** 30 },
    ]);
    expect(stderr).toContain(
      '<stdin>:3:42: changed: promote: the kernel orders by a histogram of 100 scores',
    );
  });

  test('what a kernel cannot do writes nothing, unless it may be left out', () => {
    const args = ['export', '-', '--to', 'damo-args', '--kernel', '6.8', ...ON];
    const refused = thermocline(args, FILE);
    expect([refused.status, refused.stdout]).toEqual([1, '']);
    expect(refused.stderr).toContain('refused: promote: Linux 6.8 does not migrate (since 6.11)');
    const partial = thermocline([...args, '--partial'], `${FILE}  - pageout cold>120s quota 128M/s\n`);
    expect(partial.status).toBe(0);
    expect(partial.stdout).toContain('--damos_action pageout');
  });

  test.each([
    [['--kernel', 'newest'], '"newest" is not a kernel version'],
    [['--kernel', '5.10'], 'Linux 5.10 has no DAMON in sysfs'],
    [['--regions', '8G'], '"8G" is no address range'],
    [['--node-regions', '4G-8G'], '"4G-8G" names no node'],
  ])('%j is wrong usage', (args, message) => {
    const { status, stderr } = thermocline(['export', '-', '--to', 'damo', ...args], FILE);
    expect(status).toBe(2);
    expect(stderr).toContain(message);
  });

  test('goes to damo and comes back', () => {
    const { stdout } = thermocline(['export', '-', '--to', 'damo', ...ON], FILE);
    const back = thermocline(['import', '-'], stdout);
    expect(back.status).toBe(0);
    expect(back.stdout).toContain('min: 6 samples');
    const again = thermocline(['check', '-', '--machine', 'cxl-typical'], back.stdout);
    expect(again.status).toBe(0);
  });
});
