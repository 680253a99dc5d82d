/** How full nodes are, and how hard threads wait for memory: /sys/devices/system/node, /proc/zoneinfo, PSI. */
import { PAGE_SIZE } from '../../memory/range.ts';
import type { SystemTree } from './system-tree.ts';

export interface NodeMemory {
  readonly totalBytes: number;
  readonly freeBytes: number;
  readonly activeBytes: number;
  readonly inactiveBytes: number;
}

/** 0 for what the node does not tell. */
export function nodeMemory(tree: SystemTree, nid: number): NodeMemory {
  const text = tree.read(`/sys/devices/system/node/node${nid}/meminfo`) ?? '';
  const bytes = (key: string): number => {
    const match = new RegExp(`^Node \\d+ ${key}:\\s+(\\d+) kB`, 'm').exec(text);
    return match === null ? 0 : Number(match[1]) * 1024;
  };
  return {
    totalBytes: bytes('MemTotal'),
    freeBytes: bytes('MemFree'),
    activeBytes: bytes('Active'),
    inactiveBytes: bytes('Inactive'),
  };
}

/** Bytes below which kswapd works: the sum of the high watermarks of the node's zones. */
export function highWatermarks(tree: SystemTree): ReadonlyMap<number, number> {
  const sums = new Map<number, number>();
  let nid = -1;
  for (const line of (tree.read('/proc/zoneinfo') ?? '').split('\n')) {
    const zone = /^Node (\d+), zone/.exec(line);
    if (zone !== null) nid = Number(zone[1]);
    const high = /^\s+high\s+(\d+)$/.exec(line);
    if (high !== null) sums.set(nid, (sums.get(nid) ?? 0) + Number(high[1]) * PAGE_SIZE);
  }
  return sums;
}

/** Time since boot in which some thread waited for memory, us; NaN without PSI. */
export function somePressureUs(tree: SystemTree): number {
  const match = /^some .*total=(\d+)/m.exec(tree.read('/proc/pressure/memory') ?? '');
  return match === null ? Number.NaN : Number(match[1]);
}

/** Counters of /proc/vmstat. */
export function vmstat(tree: SystemTree): ReadonlyMap<string, number> {
  const counters = new Map<string, number>();
  for (const line of (tree.read('/proc/vmstat') ?? '').split('\n')) {
    const space = line.indexOf(' ');
    if (space > 0) counters.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return counters;
}
