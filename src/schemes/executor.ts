/**
 * The scheme executor: which memory each scheme acts on, now.
 *
 * For every due scheme: the regions and spots that match its pattern, in order of priority (exact, not
 * by histogram), and of each the parts that are not at the target already, until the quota of the window
 * is used; the last one is cut at the quota. What was acted on is charged, whether it succeeds or not.
 *
 * A spot is matched as a small region. A region is matched by its whole size and age and by the rate
 * that its spots leave, and its spots are left out of what is acted on: a hot page of a cold region
 * stays, and one of a lukewarm region moves alone.
 *
 * Differs from DAMOS on purpose: memory that lies at the target already is neither tried nor charged,
 * and inside the marginal priority the order is by priority, not by address.
 */
import { NO_VALUE, type RunVisitor } from '../memory/page-runs.ts';
import { roundDown } from '../memory/range.ts';
import type { Regions } from '../monitor/monitor.ts';
import { forEachPieceOf, forEachRegion, NO_SPOT } from '../monitor/pieces.ts';
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
  /** Bytes of regions and spots that matched the pattern and lay elsewhere than the target, last round. */
  szEligible: number;
}

/** Nodes that a scheme's target and source names mean on the machine. */
export interface ResolvedScheme {
  readonly scheme: Scheme;
  readonly targetNids: readonly number[];
  /** undefined: everywhere. */
  readonly fromNids: readonly number[] | undefined;
}

/** A range to act on. */
interface Candidate {
  readonly start: number;
  readonly end: number;
}

/** A piece of a region or spot that matches a scheme's pattern. */
interface Match extends Candidate {
  readonly priority: number;
  /** The region or spot that it is a piece of, numbered in address order, a region before its spots. */
  readonly unit: number;
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
  #aggrUs: number;

  constructor(schemes: readonly ResolvedScheme[], attrs: { minRegionSz: number; aggrUs: number }) {
    this.#runners = schemes.map((resolved, index) => new SchemeRunner(resolved, index));
    this.#minRegionSz = attrs.minRegionSz;
    this.#aggrUs = attrs.aggrUs;
  }

  /** The aggregation interval in which regions count their age from now on. */
  setAttrs(attrs: { aggrUs: number }): void {
    this.#aggrUs = attrs.aggrUs;
  }

  /**
   * Applies every due scheme, in order. In one round no scheme tries a byte twice.
   * @param spots exceptions inside `regions`, as a monitor tells them
   */
  apply(nowUs: number, regions: Regions, spots: Regions, target: ActionTarget): void {
    for (const runner of this.#runners) {
      if (nowUs < runner.nextApplyUs) continue;
      const { applyIntervalUs } = runner.resolved.scheme;
      runner.nextApplyUs = applyIntervalUs > 0 ? nowUs + applyIntervalUs : nowUs;
      this.#applyOne(runner, nowUs, this.#candidates(runner.resolved, regions, spots, target), target);
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

  #applyOne(
    runner: SchemeRunner,
    nowUs: number,
    candidates: readonly Candidate[],
    target: ActionTarget,
  ): void {
    const { stats, quota, resolved, index } = runner;
    const { scheme } = resolved;
    stats.szEligible = 0;
    for (const { start, end } of candidates) stats.szEligible += end - start;
    if (candidates.length === 0) return;
    let room = quota.roomBytes(nowUs);
    for (const { start, end } of candidates) {
      // Spots, and what is left between them, may be smaller than a region; a cut leaves whole ones.
      const bytes = end - start <= room ? end - start : roundDown(room, this.#minRegionSz);
      if (bytes < end - start) {
        quota.noteExceeded();
        stats.nrQuotaExceeded = quota.exceeded;
      }
      if (bytes === 0) break;
      stats.nrTried++;
      stats.szTried += bytes;
      quota.charge(bytes);
      room -= bytes;
      if (scheme.action === 'stat') stats.szApplied += bytes;
      else target.migrate(start, start + bytes, resolved.targetNids, index);
      if (bytes < end - start) break;
    }
  }

  /** What the scheme would act on if it had no quota, first the most urgent. */
  #candidates(resolved: ResolvedScheme, regions: Regions, spots: Regions, target: ActionTarget): Candidate[] {
    const { top } = resolved.scheme.quota;
    const chosen: Candidate[] = [];
    const add = (start: number, end: number): void => {
      chosen.push({ start, end });
    };
    let unitsChosen = 0;
    let lastChosen = -1;
    for (const { start, end, unit } of this.#matches(resolved.scheme, regions, spots)) {
      if (unitsChosen >= top && unit !== lastChosen) break;
      const before = chosen.length;
      this.#eligibleParts(resolved, start, end, target, add);
      if (chosen.length === before || unit === lastChosen) continue;
      lastChosen = unit;
      unitsChosen++;
    }
    return chosen;
  }

  /** Pieces by falling priority, those of one region together; ties: the lower unit first. */
  #matches(scheme: Scheme, regions: Regions, spots: Regions): Match[] {
    const matches: Match[] = [];
    const add = (start: number, end: number, priority: number, unit: number): void => {
      if (!Number.isNaN(priority)) matches.push({ start, end, priority, unit });
    };
    let units = 0;
    let [lastSpot, spotUnit] = [NO_SPOT, 0];
    forEachRegion(regions, spots, (region, restRate, first, past) => {
      const priority = this.#priorityIfMatched(scheme, regions, region, restRate);
      const unit = units++;
      if (first === past) {
        if (!Number.isNaN(priority)) add(regions.start(region), regions.end(region), priority, unit);
        return;
      }
      forEachPieceOf(regions, region, restRate, spots, first, past, (start, end, rate, spot) => {
        if (spot === NO_SPOT) {
          add(start, end, priority, unit);
          return;
        }
        if (spot !== lastSpot) [lastSpot, spotUnit] = [spot, units++];
        add(start, end, this.#priorityIfMatched(scheme, spots, spot, rate), spotUnit);
      });
    });
    return matches.sort((a, b) => b.priority - a.priority || a.unit - b.unit);
  }

  /**
   * NaN if number `i` does not match the pattern.
   * @param rate of a region what its spots leave
   */
  #priorityIfMatched(scheme: Scheme, view: Regions, i: number, rate: number): number {
    const { pattern } = scheme;
    if (pattern.mustBeIdle) {
      // A region whose spots explain every access is idle outside them.
      const isIdle = view.isIdle(i) || (rate === 0 && view.rate(i) > 0);
      if (!isIdle) return Number.NaN;
    } else if (!isWithin(rate, pattern.minRatePerS, pattern.maxRatePerS)) return Number.NaN;
    const ageUs = view.age(i) * this.#aggrUs;
    const szBytes = view.end(i) - view.start(i);
    return isWithin(ageUs, pattern.minAgeUs, pattern.maxAgeUs) &&
      isWithin(szBytes, pattern.minSzBytes, pattern.maxSzBytes)
      ? priorityOf(scheme, rate, ageUs, szBytes)
      : Number.NaN;
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
 * Priority of a region or spot for a scheme, larger first: the weighted mean of how hot (or, for
 * migrate_cold, how cold), how long so and how large it is, each brought to 0..1 by a monotonic
 * function without steps, so that the order is exact.
 */
function priorityOf(scheme: Scheme, ratePerS: number, ageUs: number, szBytes: number): number {
  const { weights } = scheme.quota;
  const ageS = ageUs / 1e6;
  const heat = ratePerS / (ratePerS + 100);
  const long = ageS / (ageS + 60);
  const large = szBytes / (szBytes + 2 ** 30);
  const isCold = scheme.action === 'migrate_cold';
  // Age makes a cold region colder; a hot one hotter.
  return weights.nrAccesses * (isCold ? 1 - heat : heat) + weights.age * long + weights.sz * large;
}
