/**
 * What must always hold of a monitor, a quota and a machine. Each check throws an `InvariantViolation`
 * that names the rule and the numbers; nothing here depends on a test runner.
 */
import type { Machine } from '../machines/machine.ts';
import { NO_VALUE } from '../memory/page-runs.ts';
import { type AddressRange, overlapBytes, totalBytes } from '../memory/range.ts';
import type { MonitorAttrs, Regions } from '../monitor/monitor.ts';

export class InvariantViolation extends Error {
  readonly rule: string;

  constructor(rule: string, detail: string) {
    super(`${rule}: ${detail}`);
    this.name = 'InvariantViolation';
    this.rule = rule;
  }
}

function must(condition: boolean, rule: string, detail: () => string): void {
  if (!condition) throw new InvariantViolation(rule, detail());
}

/** Regions are non-empty, in address order and do not overlap. */
export function checkSorted(regions: Regions): void {
  let previousEnd = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < regions.count; i++) {
    const [start, end] = [regions.start(i), regions.end(i)];
    must(start < end, 'non-empty', () => `region ${i} is [${start}, ${end})`);
    must(
      start >= previousEnd,
      'sorted and disjoint',
      () => `region ${i} starts at ${start}, before ${previousEnd}`,
    );
    previousEnd = end;
  }
}

/** Regions cover the target ranges exactly: every byte of them, and none besides. */
export function checkCover(regions: Regions, ranges: readonly AddressRange[]): void {
  let covered = 0;
  let r = 0;
  for (let i = 0; i < regions.count; i++) {
    const [start, end] = [regions.start(i), regions.end(i)];
    while (r < ranges.length && ranges[r].end <= start) r++;
    const inside = r < ranges.length ? overlapBytes(start, end, ranges[r].start, ranges[r].end) : 0;
    must(
      inside === end - start,
      'exact cover',
      () => `region ${i} [${start}, ${end}) reaches outside the ranges`,
    );
    covered += end - start;
  }
  must(
    covered === totalBytes(ranges),
    'exact cover',
    () => `${covered} of ${totalBytes(ranges)} bytes are covered`,
  );
}

/**
 * Never more than max_nr_regions, or the `maxRecords` that a monitor states; none smaller than
 * min_region_sz; all edges aligned to it.
 */
export function checkBounds(
  regions: Regions,
  attrs: MonitorAttrs,
  maxRecords: number = attrs.maxNrRegions,
): void {
  must(regions.count <= maxRecords, 'bounded count', () => `${regions.count} regions, at most ${maxRecords}`);
  must(regions.count >= 1, 'bounded count', () => 'no region at all');
  for (let i = 0; i < regions.count; i++) {
    const [start, end] = [regions.start(i), regions.end(i)];
    must(end - start >= attrs.minRegionSz, 'minimum size', () => `region ${i} has ${end - start} bytes`);
    must(
      start % attrs.minRegionSz === 0 && end % attrs.minRegionSz === 0,
      'alignment',
      () => `region ${i} [${start}, ${end}) is not aligned to ${attrs.minRegionSz}`,
    );
  }
}

/** Estimates are numbers that can be: rates finite and not negative, ages not above the time that passed. */
export function checkEstimates(regions: Regions, aggregations: number): void {
  for (let i = 0; i < regions.count; i++) {
    const rate = regions.rate(i);
    must(Number.isFinite(rate) && rate >= 0, 'estimates', () => `region ${i} has the rate ${rate}`);
    const age = regions.age(i);
    must(
      Number.isInteger(age) && age >= 0 && age <= aggregations,
      'age',
      () => `region ${i} is ${age} aggregations old after ${aggregations}`,
    );
  }
}

/** All of the above. */
export function checkRegions(
  regions: Regions,
  expected: {
    readonly ranges: readonly AddressRange[];
    readonly attrs: MonitorAttrs;
    readonly aggregations: number;
    readonly maxRecords?: number | undefined;
  },
): void {
  checkSorted(regions);
  checkCover(regions, expected.ranges);
  checkBounds(regions, expected.attrs, expected.maxRecords);
  checkEstimates(regions, expected.aggregations);
}

/** An amount of bytes that was tried at a time. */
export interface Charge {
  readonly timeUs: number;
  readonly bytes: number;
}

/**
 * No window exceeds the quota. Windows begin with the first charge and then with the first charge
 * after the one before has ended, as DAMOS's do.
 */
export function checkQuota(
  charges: readonly Charge[],
  quota: { readonly szBytes: number; readonly resetIntervalUs: number },
): void {
  let windowStart = Number.NEGATIVE_INFINITY;
  let sum = 0;
  for (const { timeUs, bytes } of charges) {
    if (timeUs >= windowStart + quota.resetIntervalUs) {
      windowStart = timeUs;
      sum = 0;
    }
    sum += bytes;
    must(
      sum <= quota.szBytes,
      'quota',
      () => `${sum} bytes in the window from ${windowStart} us, quota ${quota.szBytes}`,
    );
  }
}

/** Bytes of the machine's ranges on each node, and those on none (index -1 as NO_VALUE). */
export function bytesByNode(machine: Machine): Map<number, number> {
  const bytes = new Map<number, number>();
  for (const range of machine.ranges()) {
    machine.placement(range.start, range.end, (from, to, nid) => {
      bytes.set(nid, (bytes.get(nid) ?? 0) + to - from);
    });
  }
  return bytes;
}

/** Migration loses and makes no memory: placed bytes plus free bytes of each node stay what they were. */
export class MemoryBalance {
  readonly #machine: Machine;
  readonly #totals: readonly number[];

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#totals = this.#measure();
  }

  check(): void {
    const now = this.#measure();
    now.forEach((total, i) => {
      const nid = this.#machine.nodes[i].nid;
      must(
        total === this.#totals[i],
        'bytes conserved',
        () => `node ${nid} accounts for ${total} bytes, before ${this.#totals[i]}`,
      );
    });
  }

  #measure(): number[] {
    const placed = bytesByNode(this.#machine);
    must(
      !placed.has(NO_VALUE) || this.#machine.kind !== 'simulated',
      'bytes conserved',
      () => 'memory lies on no node',
    );
    return this.#machine.nodes.map(({ nid }) => (placed.get(nid) ?? 0) + this.#machine.gauge(nid).freeBytes);
  }
}
