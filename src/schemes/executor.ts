/**
 * The scheme executor: which memory each scheme acts on, now.
 *
 * For every due scheme: the regions that match its pattern, in order of priority (exact, not by
 * histogram), and of each the parts that are not at the target already, until the quota of the window
 * is used; the last one is cut at the quota. What was acted on is charged, whether it succeeds or not.
 *
 * Differs from DAMOS on purpose: memory that lies at the target already is neither tried nor charged,
 * and inside the marginal priority the order is by priority, not by address.
 */
import { NO_VALUE, type RunVisitor } from '../memory/page-runs.ts';
import type { Regions } from '../monitor/monitor.ts';
import { QuotaWindow } from './quota.ts';
import { isWithin, type Scheme } from './scheme.ts';

/** What the executor needs of a machine. */
export interface ActionTarget {
  placement(start: number, end: number, visit: RunVisitor): void;
  /** Asks for `[start, end)` to be moved to one of `nids`, the first with room. */
  migrate(start: number, end: number, nids: readonly number[], schemeIndex: number): void;
}

export interface SchemeStats {
  nrTried: number;
  szTried: number;
  szApplied: number;
  szFailed: number;
  nrQuotaExceeded: number;
  /** Bytes of regions that matched the pattern and lay elsewhere than the target, last round. */
  szEligible: number;
}

/** Nodes that a scheme's target and source names mean on the machine. */
export interface ResolvedScheme {
  readonly scheme: Scheme;
  readonly targetNids: readonly number[];
  /** undefined: everywhere. */
  readonly fromNids: readonly number[] | undefined;
}

interface Candidate {
  readonly start: number;
  readonly end: number;
  readonly priority: number;
}

class SchemeRunner {
  readonly resolved: ResolvedScheme;
  readonly index: number;
  readonly quota: QuotaWindow;
  readonly stats: SchemeStats = {
    nrTried: 0,
    szTried: 0,
    szApplied: 0,
    szFailed: 0,
    nrQuotaExceeded: 0,
    szEligible: 0,
  };
  nextApplyUs = 0;

  constructor(resolved: ResolvedScheme, index: number) {
    this.resolved = resolved;
    this.index = index;
    this.quota = new QuotaWindow(resolved.scheme.quota);
  }
}

export class SchemeExecutor {
  readonly #runners: readonly SchemeRunner[];
  readonly #minRegionSz: number;
  readonly #aggrUs: number;

  constructor(schemes: readonly ResolvedScheme[], attrs: { minRegionSz: number; aggrUs: number }) {
    this.#runners = schemes.map((resolved, index) => new SchemeRunner(resolved, index));
    this.#minRegionSz = attrs.minRegionSz;
    this.#aggrUs = attrs.aggrUs;
  }

  /** Applies every due scheme, in order. */
  apply(nowUs: number, regions: Regions, target: ActionTarget): void {
    for (const runner of this.#runners) {
      if (nowUs < runner.nextApplyUs) continue;
      const { applyIntervalUs } = runner.resolved.scheme;
      runner.nextApplyUs = applyIntervalUs > 0 ? nowUs + applyIntervalUs : nowUs;
      this.#applyOne(runner, nowUs, regions, target);
    }
  }

  /** Books the outcome of earlier requests. */
  recordResult(schemeIndex: number, bytes: number, isApplied: boolean): void {
    const { stats } = this.#runners[schemeIndex];
    if (isApplied) stats.szApplied += bytes;
    else stats.szFailed += bytes;
  }

  stats(schemeIndex: number): Readonly<SchemeStats> {
    return this.#runners[schemeIndex].stats;
  }

  /** Bytes charged in the present window of the quota. */
  chargedBytes(schemeIndex: number): number {
    return this.#runners[schemeIndex].quota.chargedBytes;
  }

  #applyOne(runner: SchemeRunner, nowUs: number, regions: Regions, target: ActionTarget): void {
    const { stats, quota, resolved, index } = runner;
    const { scheme } = resolved;
    const candidates = this.#candidates(resolved, regions, target);
    stats.szEligible = 0;
    for (const { start, end } of candidates) stats.szEligible += end - start;
    if (candidates.length === 0) return;
    let room = quota.roomBytes(nowUs, this.#minRegionSz);
    for (const { start, end } of candidates) {
      const bytes = Math.min(end - start, room);
      if (bytes < end - start) {
        quota.noteExceeded();
        stats.nrQuotaExceeded = quota.exceeded;
      }
      if (bytes < this.#minRegionSz) break;
      stats.nrTried++;
      stats.szTried += bytes;
      quota.charge(bytes);
      room -= bytes;
      if (scheme.action === 'stat') stats.szApplied += bytes;
      else target.migrate(start, start + bytes, resolved.targetNids, index);
    }
  }

  /** What the scheme would act on if it had no quota, first the most urgent. */
  #candidates(resolved: ResolvedScheme, regions: Regions, target: ActionTarget): Candidate[] {
    const { scheme } = resolved;
    const matching: { i: number; priority: number }[] = [];
    for (let i = 0; i < regions.count; i++) {
      if (this.#matches(scheme, regions, i))
        matching.push({ i, priority: priorityOf(scheme, regions, i, this.#aggrUs) });
    }
    // Ties: the lower address first.
    matching.sort((a, b) => b.priority - a.priority || a.i - b.i);
    const chosen: Candidate[] = [];
    let regionsChosen = 0;
    for (const { i, priority } of matching) {
      if (regionsChosen >= scheme.quota.top) break;
      const before = chosen.length;
      this.#eligibleParts(resolved, regions.start(i), regions.end(i), target, (start, end) => {
        chosen.push({ start, end, priority });
      });
      if (chosen.length > before) regionsChosen++;
    }
    return chosen;
  }

  #matches(scheme: Scheme, regions: Regions, i: number): boolean {
    const { pattern } = scheme;
    if (pattern.mustBeIdle) {
      if (!regions.isIdle(i)) return false;
    } else if (!isWithin(regions.rate(i), pattern.minRatePerS, pattern.maxRatePerS)) return false;
    return (
      isWithin(regions.age(i) * this.#aggrUs, pattern.minAgeUs, pattern.maxAgeUs) &&
      isWithin(regions.end(i) - regions.start(i), pattern.minSzBytes, pattern.maxSzBytes)
    );
  }

  /** The mapped parts of a range that lie where the scheme may take them from, and not at its target. */
  #eligibleParts(
    resolved: ResolvedScheme,
    start: number,
    end: number,
    target: ActionTarget,
    visit: (start: number, end: number) => void,
  ): void {
    const { targetNids, fromNids } = resolved;
    let partStart = -1;
    target.placement(start, end, (from, to, nid) => {
      const isEligible =
        nid !== NO_VALUE && !targetNids.includes(nid) && (fromNids === undefined || fromNids.includes(nid));
      if (isEligible && partStart < 0) partStart = from;
      if (!isEligible && partStart >= 0) {
        visit(partStart, from);
        partStart = -1;
      }
      if (isEligible && to === end) visit(partStart, to);
    });
  }
}

/**
 * Priority of a region for a scheme, larger first: the weighted mean of how hot (or, for
 * migrate_cold, how cold), how long so and how large it is, each brought to 0..1 by a monotonic
 * function without steps, so that the order is exact.
 */
export function priorityOf(scheme: Scheme, regions: Regions, i: number, aggrUs: number): number {
  const { weights } = scheme.quota;
  const rate = regions.rate(i);
  const ageS = (regions.age(i) * aggrUs) / 1e6;
  const bytes = regions.end(i) - regions.start(i);
  const heat = rate / (rate + 100);
  const long = ageS / (ageS + 60);
  const large = bytes / (bytes + 2 ** 30);
  const isCold = scheme.action === 'migrate_cold';
  // Age makes a cold region colder; a hot one hotter.
  return weights.nrAccesses * (isCold ? 1 - heat : heat) + weights.age * long + weights.sz * large;
}
