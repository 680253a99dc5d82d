/** Address ranges, memory and control group of a process, from /proc/PID. */
import { ThermoError } from '../../memory/error.ts';
import { ADDRESS_LIMIT, type AddressRange } from '../../memory/range.ts';
import type { SystemTree } from './system-tree.ts';

export interface Mapping extends AddressRange {
  /** As `r-xp`. */
  readonly permissions: string;
  /** File, `[heap]`, `[stack]`, ..., or empty. */
  readonly name: string;
}

/** Mappings in address order; none when the process has gone or may not be looked at. */
export function readMappings(tree: SystemTree, pid: number): Mapping[] {
  const mappings: Mapping[] = [];
  for (const line of (tree.read(`/proc/${pid}/maps`) ?? '').split('\n')) {
    const match = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)$/.exec(line);
    if (match === null) continue;
    const start = Number.parseInt(match[1], 16);
    const end = Number.parseInt(match[2], 16);
    // [vsyscall] at the top of the address space is no mapping of the process.
    if (end < ADDRESS_LIMIT) mappings.push({ start, end, permissions: match[3], name: match[4] });
  }
  return mappings;
}

/**
 * The three ranges that hold all mappings and leave out the two widest gaps, as DAMON watches a process
 * (__damon_va_three_regions): heap, mapped files and libraries, stack. Fewer where there are fewer gaps.
 */
export function threeRanges(mappings: readonly AddressRange[]): AddressRange[] {
  if (mappings.length === 0) return [];
  const gaps = mappings
    .slice(1)
    .map((mapping, i) => ({ after: i, bytes: mapping.start - mappings[i].end }))
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes || a.after - b.after)
    .slice(0, 2)
    .sort((a, b) => a.after - b.after);
  const firsts = [0, ...gaps.map(({ after }) => after + 1)];
  const lasts = [...gaps.map(({ after }) => after), mappings.length - 1];
  return firsts.map((first, i) => ({ start: mappings[first].start, end: mappings[lasts[i]].end }));
}

export interface ProcessFacts {
  readonly pid: number;
  readonly name: string;
  /** Clock ticks after boot: tells a process from a later one of the same number. */
  readonly startTicks: number;
  readonly residentBytes: number;
  /** Below the cgroup v2 mount; undefined without cgroup v2. */
  readonly cgroup: string | undefined;
}

/** @throws ThermoError THERMO_MACHINE_CONFIG when there is no such process */
export function readProcess(tree: SystemTree, pid: number): ProcessFacts {
  const startTicks = processStart(tree, pid);
  if (startTicks === undefined) {
    throw new ThermoError('THERMO_MACHINE_CONFIG', `there is no process ${pid}`, {
      hint: 'give --pid the number of a running process, as ps or pidof print it',
    });
  }
  const resident = /^VmRSS:\s+(\d+) kB/m.exec(tree.read(`/proc/${pid}/status`) ?? '');
  return {
    pid,
    name: tree.read(`/proc/${pid}/comm`) ?? '?',
    startTicks,
    residentBytes: resident === null ? 0 : Number(resident[1]) * 1024,
    cgroup: /^0::(\/.*)$/m.exec(tree.read(`/proc/${pid}/cgroup`) ?? '')?.[1],
  };
}

/** Start time of a process that runs, in clock ticks after boot; undefined when it does not (any more). */
export function processStart(tree: SystemTree, pid: number): number | undefined {
  const stat = tree.read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name may hold spaces and brackets; what follows the last bracket does not.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return Number(fields[19]);
}
