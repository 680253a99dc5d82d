/** Handing schemes to the kernel of this machine: what is looked at first, and what is never touched. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  checkDamonIsFree,
  deployDamon,
  readDeployment,
  undeployDamon,
} from '../../src/machines/linux/damon-admin.ts';
import { readNodeRanges } from '../../src/machines/linux/node-ranges.ts';
import { SystemTree } from '../../src/machines/linux/system-tree.ts';

const ADMIN = 'sys/kernel/mm/damon/admin/kdamonds';
const STAT = 'sys/module/damon_stat/parameters/enabled';
let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'thermocline-deploy-'));
  mkdirSync(join(root, 'run'));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(files: Readonly<Record<string, string>>): SystemTree {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  }
  return new SystemTree(root);
}

const content = (path: string): string => readFileSync(join(root, path), 'utf8').trim();

describe('addresses of nodes', () => {
  test('are those of their memory blocks, joined where they touch, without blocks that are offline', () => {
    const block = (node: number, index: number, state = 'online'): Record<string, string> => ({
      [`sys/devices/system/node/node${node}/memory${index}/state`]: state,
      [`sys/devices/system/memory/memory${index}/state`]: state,
      [`sys/devices/system/memory/memory${index}/phys_index`]: index.toString(16).padStart(8, '0'),
    });
    const tree = put({
      'sys/devices/system/memory/block_size_bytes': '8000000',
      ...block(0, 0),
      ...block(0, 1),
      ...block(0, 32),
      ...block(1, 10),
      ...block(1, 11, 'offline'),
    });
    const size = 2 ** 27;
    expect(readNodeRanges(tree, [0, 1, 2])).toEqual(
      new Map([
        [
          0,
          [
            { start: 0, end: 2 * size },
            { start: 32 * size, end: 33 * size },
          ],
        ],
        [1, [{ start: 10 * size, end: 11 * size }]],
      ]),
    );
  });

  test('are unknown where sysfs shows no blocks', () => {
    expect(readNodeRanges(put({}), [0]).size).toBe(0);
  });
});

describe('a kernel is left alone', () => {
  test.each([
    [{}, false, 'this kernel has no DAMON with a sysfs interface'],
    [
      { [`${ADMIN}/nr_kdamonds`]: '2', [`${ADMIN}/0/state`]: 'on', [`${ADMIN}/1/state`]: 'off' },
      false,
      'somebody else has set up 2 kdamond(s) (1 running), and they are not touched',
    ],
    [{ [`${ADMIN}/nr_kdamonds`]: '0', [STAT]: 'Y' }, false, 'DAMON_STAT holds DAMON: no kdamond can start'],
  ])('%j', (files, mayStopStat, message) => {
    const tree = put(files);
    expect(() => checkDamonIsFree(tree, mayStopStat)).toThrow(message);
  });

  test('unless DAMON_STAT alone is in the way and may be stopped', () => {
    expect(() => checkDamonIsFree(put({ [`${ADMIN}/nr_kdamonds`]: '0', [STAT]: 'Y' }), true)).not.toThrow();
  });
});

describe('a deployment', () => {
  const WRITES = [
    { path: 'nr_kdamonds', value: '1' },
    { path: '0/contexts/0/operations', value: 'paddr' },
  ];
  const NAMES = { file: 'tier.yaml', schemes: [['promote']] };
  const free = { [`${ADMIN}/nr_kdamonds`]: '0', [STAT]: 'Y' };
  const files = { ...free, [`${ADMIN}/0/contexts/0/operations`]: 'vaddr', [`${ADMIN}/0/state`]: 'off' };

  test('is written, started, remembered, and taken back with DAMON_STAT', () => {
    const tree = put({ ...files, [`${ADMIN}/0/pid`]: '77' });
    const deployment = deployDamon(tree, WRITES, NAMES);
    expect(deployment).toEqual({ ...NAMES, pids: [77], stoppedStat: true });
    expect([content(`${ADMIN}/0/contexts/0/operations`), content(`${ADMIN}/0/state`), content(STAT)]).toEqual(
      ['paddr', 'on', 'N'],
    );
    expect(readDeployment(tree)).toEqual(deployment);
    undeployDamon(tree, deployment);
    expect([content(`${ADMIN}/0/state`), content(`${ADMIN}/nr_kdamonds`), content(STAT)]).toEqual([
      'off',
      '0',
      'Y',
    ]);
    expect(readDeployment(tree)).toBeUndefined();
  });

  test('that the kernel does not take leaves everything as it was', () => {
    const tree = put(files);
    const wrong = [...WRITES, { path: '0/contexts/0/missing/directory', value: '1' }];
    expect(() => deployDamon(tree, wrong, NAMES)).toThrow('0/contexts/0/missing/directory');
    expect([content(`${ADMIN}/nr_kdamonds`), content(STAT)]).toEqual(['0', 'Y']);
    expect(existsSync(join(root, 'run/thermocline-deployment.json'))).toBe(false);
  });

  test('that somebody has replaced is not touched', () => {
    const tree = put({ ...files, [`${ADMIN}/0/pid`]: '77' });
    const deployment = deployDamon(tree, WRITES, NAMES);
    put({ [`${ADMIN}/0/pid`]: '99' });
    expect(() => undeployDamon(tree, deployment)).toThrow('not the ones that were deployed');
    expect(content(`${ADMIN}/0/state`)).toBe('on');
  });
});
