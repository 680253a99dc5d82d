/** Runs a script of steps against any monitor and checks the invariants after each step. */
import { createAccessBatch, pushSample } from '../memory/access-batch.ts';
import { RandomStream } from '../memory/random.ts';
import { type AddressRange, PAGE_SIZE, totalBytes } from '../memory/range.ts';
import type { Monitor } from '../monitor/monitor.ts';
import type { AccessPattern, MonitorStep } from './arbitraries.ts';
import { checkRegions, InvariantViolation } from './invariants.ts';

/**
 * Drives `monitor` through `steps` in the engine's order of calls. Throws {@link InvariantViolation} at
 * the first step after which an invariant does not hold.
 */
export function runMonitorScript(monitor: Monitor, steps: readonly MonitorStep[], seed = 1): void {
  const random = new RandomStream(seed, 'runMonitorScript');
  let ranges: readonly AddressRange[] = [];
  let aggregations = 0;
  steps.forEach((step, index) => {
    try {
      if (step.kind === 'setRanges') {
        ranges = step.ranges;
        monitor.setRanges(ranges);
      } else if (step.kind === 'sample') sampleOnce(monitor, ranges, step.pattern, random);
      else {
        const before = agesByRange(monitor);
        monitor.aggregate();
        aggregations++;
        checkAgeRule(before, monitor);
        check(monitor, ranges, aggregations);
        monitor.resetAndSplit();
      }
      check(monitor, ranges, aggregations);
    } catch (error) {
      if (!(error instanceof InvariantViolation)) throw error;
      throw new InvariantViolation(error.rule, `${error.message} (after step ${index}, ${step.kind})`);
    }
  });
}

function check(monitor: Monitor, ranges: readonly AddressRange[], aggregations: number): void {
  const { regions, attrs, maxRecords } = monitor;
  checkRegions(regions, { ranges, attrs, aggregations, maxRecords });
}

function agesByRange(monitor: Monitor): Map<string, number> {
  const { regions } = monitor;
  const ages = new Map<string, number>();
  for (let i = 0; i < regions.count; i++) ages.set(`${regions.start(i)}-${regions.end(i)}`, regions.age(i));
  return ages;
}

/**
 * A region that an aggregation left as it was is one interval older, or its rate changed and it is new; or it was
 * joined to another and cut off at the same place again, and has an age between those of all that there were.
 */
function checkAgeRule(before: ReadonlyMap<string, number>, monitor: Monitor): void {
  const ages = [...before.values()];
  const [least, most] = [Math.min(...ages), Math.max(...ages)];
  for (const [range, age] of agesByRange(monitor)) {
    const last = before.get(range);
    if (last === undefined || age === 0 || age === last + 1) continue;
    if (age >= least && age <= most + 1 && least < most) continue;
    throw new InvariantViolation(
      'age rule',
      `region ${range} went from ${last} to ${age} in one aggregation`,
    );
  }
}

function sampleOnce(
  monitor: Monitor,
  ranges: readonly AddressRange[],
  pattern: AccessPattern,
  random: RandomStream,
): void {
  const bytes = totalBytes(ranges);
  const hotFrom = pattern.hotAt * bytes * (1 - pattern.hotShare);
  const hotTo = hotFrom + pattern.hotShare * bytes;
  const plan = monitor.planChecks();
  const hits = new Uint8Array(plan.count);
  for (let i = 0; i < plan.count; i++) {
    if (i > 0 && plan.addresses[i] < plan.addresses[i - 1]) {
      throw new InvariantViolation(
        'checks ascending',
        `check ${i} at ${plan.addresses[i]} comes after ${plan.addresses[i - 1]}`,
      );
    }
    const offset = offsetOf(plan.addresses[i], ranges);
    if (offset < 0)
      throw new InvariantViolation(
        'checks inside',
        `check ${i} at ${plan.addresses[i]} lies outside the ranges`,
      );
    if (offset >= hotFrom && offset < hotTo && random.unit() < pattern.hitShare) hits[i] = 1;
  }
  monitor.recordPull(hits);
  const batch = createAccessBatch(pattern.samples + 1);
  for (let i = 0; i < pattern.samples; i++) {
    const offset = Math.min(bytes - 1, hotFrom + random.unit53() * (hotTo - hotFrom));
    pushSample(batch, Math.floor(addressAt(offset, ranges) / PAGE_SIZE) * PAGE_SIZE, 0, 0);
  }
  batch.exposureS = (monitor.attrs.sampleUs / 1e6) * 1e-3;
  batch.dropped = pattern.dropped;
  monitor.recordPush(batch);
}

/** Offset of an address in the ranges laid end to end, or -1. */
function offsetOf(address: number, ranges: readonly AddressRange[]): number {
  let offset = 0;
  for (const { start, end } of ranges) {
    if (address >= start && address < end) return offset + address - start;
    offset += end - start;
  }
  return -1;
}

function addressAt(offset: number, ranges: readonly AddressRange[]): number {
  let rest = offset;
  for (const { start, end } of ranges) {
    if (rest < end - start) return start + rest;
    rest -= end - start;
  }
  return ranges[ranges.length - 1].end - 1;
}
