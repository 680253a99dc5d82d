import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { cgroupNodeBytes } from '../../src/machines/linux/cgroup.ts';
import { examine } from '../../src/machines/linux/doctor/doctor.ts';
import { highWatermarks, nodeMemory, somePressureUs, vmstat } from '../../src/machines/linux/node-memory.ts';
import {
  processStart,
  readMappings,
  readProcess,
  threeRanges,
} from '../../src/machines/linux/process-memory.ts';
import { parseNumberList, SystemTree } from '../../src/machines/linux/system-tree.ts';
import { readTopology } from '../../src/machines/linux/topology.ts';
import { resolveTier, tierOf } from '../../src/memory/tier.ts';

const tree = (name: string): SystemTree =>
  new SystemTree(fileURLToPath(new URL(`../fixtures/linux/${name}`, import.meta.url)));
const twoTiers = tree('two-tiers');

describe('a Linux machine is described by its own files', () => {
  test('nodes have their tier, kind, size, and what HMAT says of them', () => {
    const { nodes, tiers, isDemotionEnabled } = readTopology(twoTiers);
    expect(nodes.map(({ nid, kind, hasCpus }) => [nid, kind, hasCpus])).toEqual([
      [0, 'DRAM', true],
      [1, 'CXL', false],
    ]);
    expect(nodes.map(tierOf)).toEqual([4, 70]);
    expect(nodes[1]).toMatchObject({
      capacityBytes: 2 * 2 ** 30,
      accessNs: 250,
      bandwidthBytesPerS: 20480e6,
      distances: [20, 10],
    });
    expect(tiers).toEqual([
      { number: 4, nids: [0] },
      { number: 70, nids: [1] },
    ]);
    expect(isDemotionEnabled).toBe(false);
    expect(resolveTier('slow', nodes).map(({ nid }) => nid)).toEqual([1]);
  });

  test('what the firmware does not tell stays unknown', () => {
    const { nodes } = readTopology(tree('one-tier'));
    expect(nodes.map(({ performance }) => performance)).toEqual([undefined, undefined]);
    expect(nodes[0].accessNs).toBeNaN();
  });

  test('free memory, watermarks, pressure, counters and groups are read', () => {
    expect(nodeMemory(twoTiers, 1).freeBytes).toBe(2_000_000 * 1024);
    expect(nodeMemory(twoTiers, 0)).toMatchObject({ activeBytes: 20480 * 1024, inactiveBytes: 10240 * 1024 });
    expect([...highWatermarks(twoTiers)]).toEqual([
      [0, 400 * 4096],
      [1, 50 * 4096],
    ]);
    expect(somePressureUs(twoTiers)).toBe(1234);
    expect(somePressureUs(tree('one-tier'))).toBeNaN();
    expect(vmstat(twoTiers).get('numa_pte_updates')).toBe(42);
    expect(cgroupNodeBytes(twoTiers, 'app', 1)).toBe(8392);
    expect(cgroupNodeBytes(twoTiers, 'none', 1)).toBe(0);
  });

  test('a process has a start, even with brackets in its name, and a group', () => {
    expect(readProcess(twoTiers, 4242)).toEqual({
      pid: 4242,
      name: 'a (b) c',
      startTicks: 98765,
      residentBytes: 64 * 2 ** 20,
      cgroup: '/app',
    });
    expect(processStart(twoTiers, 4243)).toBeUndefined();
    expect(() => readProcess(twoTiers, 4243)).toThrow('there is no process 4243');
  });

  test('the three ranges leave out the two widest gaps', () => {
    const mappings = readMappings(twoTiers, 4242);
    expect(mappings.map(({ name }) => name)).toEqual([
      '/usr/bin/example',
      '/usr/bin/example',
      '',
      '/usr/lib/libexample.so (deleted)',
      '[stack]',
    ]);
    expect(threeRanges(mappings)).toEqual([
      { start: 0x400000, end: 0x4a0000 },
      { start: 0x7f1000000000, end: 0x7f1004200000 },
      { start: 0x7ffc00000000, end: 0x7ffc00021000 },
    ]);
  });

  test('three ranges follow DAMON on its own example', () => {
    const ranges = [
      [10, 20],
      [20, 25],
      [200, 210],
      [210, 220],
      [300, 305],
      [307, 330],
    ].map(([start, end]) => ({ start, end }));
    expect(threeRanges(ranges)).toEqual([
      { start: 10, end: 25 },
      { start: 200, end: 220 },
      { start: 300, end: 330 },
    ]);
    expect(threeRanges([{ start: 1, end: 2 }])).toEqual([{ start: 1, end: 2 }]);
    expect(threeRanges([])).toEqual([]);
  });

  test('lists of numbers are read as the kernel prints them', () => {
    expect(parseNumberList('0-2,5')).toEqual([0, 1, 2, 5]);
    expect(parseNumberList('')).toEqual([]);
  });
});

describe('the doctor', () => {
  const state = (name: string, finding: string): string => {
    const found = examine(tree(name)).find((each) => each.name === finding);
    return `${found?.state}: ${found?.reason ?? found?.found}`;
  };

  test('tells what a machine with two tiers offers', () => {
    expect(state('two-tiers', 'tiers')).toBe('ok: memory_tier4 = node 0; memory_tier70 = node 1');
    expect(state('two-tiers', 'damon')).toBe('ok: vaddr, fvaddr, paddr');
    expect(state('two-tiers', 'damon by trace event')).toBe('ok: /sys/kernel/tracing');
    expect(state('two-tiers', 'page_idle')).toMatch(/^missing: .*CONFIG_IDLE_PAGE_TRACKING/);
    expect(state('two-tiers', 'faults')).toMatch(/^limited: only mode 2/);
    expect(state('two-tiers', 'demotion by the kernel')).toMatch(/^limited: reclaim pages out/);
    expect(state('two-tiers', 'capabilities')).toBe('ok: root, all that is used');
  });

  test('tells who holds DAMON, and never offers to take it from somebody', () => {
    expect(state('held-by-damon-stat', 'damon')).toMatch(/^limited: DAMON_STAT/);
    expect(state('one-tier', 'damon')).toMatch(/^limited: somebody else uses DAMON/);
  });

  test('tells what a user without rights may not do', () => {
    expect(state('held-by-damon-stat', 'faults')).toMatch(/^limited: page faults of other processes/);
    expect(state('held-by-damon-stat', 'perf samples')).toMatch(/^limited: they may not be taken/);
    expect(state('held-by-damon-stat', 'capabilities')).toMatch(/CAP_SYS_NICE/);
    expect(state('held-by-damon-stat', 'tiers')).toMatch(/^missing: one memory node/);
  });

  test('tells that all nodes are in one tier', () => {
    expect(state('one-tier', 'tiers')).toMatch(/^limited: all nodes are in one tier/);
  });

  test('gives a remedy wherever something is limited or missing', () => {
    for (const name of ['two-tiers', 'one-tier', 'held-by-damon-stat']) {
      for (const finding of examine(tree(name))) {
        if (finding.state !== 'ok') expect(finding.remedy, finding.name).toBeTruthy();
      }
    }
  });
});
