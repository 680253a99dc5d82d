/**
 * How a quota follows its goals: DAMON's two tuners (reference section 4.6) and our own, `settle`.
 *
 * A tuner is asked once per window for the bytes of the window that begins. It sees each goal's metric,
 * what its scheme has moved since, and what is still on the way.
 */
import { feedLoopNext } from '../monitor/damon/formulas.ts';
import type { GoalTuner } from './vocabulary.ts';

/** A goal as it stands at the beginning of a window. */
export interface GoalReading {
  readonly target: number;
  /** NaN where it cannot be told yet. */
  readonly current: number;
  readonly sign: 1 | -1;
  /** state: what was moved stays in the metric; flow: the metric is about one window. */
  readonly kind: 'state' | 'flow';
  /**
   * How much one byte that takes effect changes the metric, where that is known for certain; NaN where
   * it has to be learnt.
   */
  readonly perByte: number;
}

export interface TunerInput {
  readonly goals: readonly GoalReading[];
  /** Bytes that took effect since the last window began. */
  readonly appliedBytes: number;
  /** Bytes asked for that have not been acted on yet. */
  readonly pendingBytes: number;
  /** The most that the window may get otherwise; Infinity without a size quota. */
  readonly capBytes: number;
  /** Bytes that match the scheme's pattern at present: what there is to do at most. */
  readonly matchedBytes: number;
}

export interface Tuner {
  /** Bytes for the window that begins, 0 or more; may be Infinity. */
  nextBytes(input: TunerInput): number;
}

export function createTuner(name: GoalTuner): Tuner {
  if (name === 'consist') return new ConsistTuner();
  if (name === 'temporal') return new TemporalTuner();
  return new SettleTuner();
}

const GOAL_SCORE = 10_000;

/**
 * damos_quota_score: the most satisfied goal counts, so that every goal can hold the scheme back. A goal
 * that acting lowers scores by target over current; DAMON has none.
 */
export function quotaScore(goals: readonly GoalReading[]): number {
  let score = 0;
  for (const { current, target, sign } of goals) {
    const [part, whole] = sign === 1 ? [current, target] : [target, current];
    if (Number.isNaN(part) || Number.isNaN(whole)) continue;
    score = Math.max(score, whole > 0 ? Math.floor((part * GOAL_SCORE) / whole) : 2 * GOAL_SCORE);
  }
  return score;
}

/** Looks for a steady quota: doubles while nothing is achieved, shrinks when too much is. */
class ConsistTuner implements Tuner {
  #eszBp = 0;

  nextBytes({ goals }: TunerInput): number {
    // The kernel's variable is an unsigned long.
    const most = 2 ** 64;
    this.#eszBp = Math.min(most, feedLoopNext(Math.max(this.#eszBp, 10_000), quotaScore(goals)));
    return Math.floor(this.#eszBp / 10_000);
  }
}

/** Everything until the goal is met, then nothing. */
class TemporalTuner implements Tuner {
  nextBytes({ goals }: TunerInput): number {
    return quotaScore(goals) >= GOAL_SCORE ? 0 : Number.POSITIVE_INFINITY;
  }
}

/** Largest factor from one window to the next while the effect of a byte is still being learnt. */
const GROWTH = 4;
/** Share of what is missing that a window may close: the rest waits for what this share shows. */
const RESPONSE = 0.8;
/** The first guess, as a share of what there is to do. */
const PROBE_SHARE = 1 / 64;
const SMALLEST_PROBE = 2 ** 20;
/** Weight of the newest window in what others do to the metric. */
const NEW_WEIGHT = 0.4;
/** What the windows before count beside the newest in what a byte does. */
const FADE = 0.8;
/** Below this share of variation in the bytes, a byte and what others do cannot be told apart. */
const LEAST_VARIATION = 0.05;

/**
 * Asks for the bytes that are missing. `consist` must double its way up from one byte and, as it sees
 * only the size of the error, cuts its quota too late; here the metric's change per byte is known (used
 * and free memory of a node) or learnt from the windows before, so that the number of bytes to the goal
 * can be computed, less what is on the way, less what the rest of the machine is doing to the metric.
 *
 * Of several goals the one that asks for the fewest bytes counts, as in DAMON.
 */
class SettleTuner implements Tuner {
  readonly #models: GoalModel[] = [];

  nextBytes(input: TunerInput): number {
    let fewest = Number.POSITIVE_INFINITY;
    input.goals.forEach((goal, i) => {
      this.#models[i] ??= new GoalModel();
      fewest = Math.min(fewest, this.#models[i].nextBytes(goal, input));
    });
    return Math.floor(Math.min(fewest, input.capBytes));
  }
}

/** What is known of one goal's metric. */
class GoalModel {
  #last = Number.NaN;
  /** Fading sums over windows of x, the bytes applied, and y, the change: for a straight line through them. */
  readonly #sums = { n: 0, x: 0, y: 0, xx: 0, xy: 0 };
  /** Of the line, when it could last be told. */
  #slope = 0;
  /** Change per window that the scheme did not cause. */
  #drift = 0;
  #asked = 0;

  nextBytes(goal: GoalReading, input: TunerInput): number {
    const { current, kind, target } = goal;
    // A flow of which every byte counts the same needs no look at what it was.
    if (kind === 'flow' && !Number.isNaN(goal.perByte)) return target / goal.perByte;
    if (Number.isNaN(current)) return this.#probe(input);
    const asked = kind === 'flow' ? this.#nextOfFlow(goal, input) : this.#nextOfState(goal, input);
    this.#last = current;
    this.#asked = asked;
    return asked;
  }

  #nextOfState(goal: GoalReading, input: TunerInput): number {
    const perByte = this.#learn(goal, input.appliedBytes);
    const missing = goal.sign * (goal.target - goal.current);
    if (Number.isNaN(perByte)) return missing > 0 ? this.#probe(input) : 0;
    const coming = perByte * input.pendingBytes;
    const wanted = (RESPONSE * (missing - coming) - this.#drift) / perByte;
    // What was learnt may be wrong, and what has been asked for cannot be called back; what is known is not.
    const limit = Number.isNaN(goal.perByte)
      ? Math.max(GROWTH * input.appliedBytes, this.#firstBytes(input)) - input.pendingBytes
      : Number.POSITIVE_INFINITY;
    return Math.max(0, Math.min(wanted, limit));
  }

  /** Change of the metric towards the goal per byte; NaN while nothing is known. */
  #learn(goal: GoalReading, appliedBytes: number): number {
    const change = goal.sign * (goal.current - this.#last);
    if (Number.isNaN(change)) return Math.abs(goal.perByte);
    const perByte = Number.isNaN(goal.perByte) ? this.#fit(appliedBytes, change) : Math.abs(goal.perByte);
    if (!Number.isNaN(perByte)) {
      this.#drift += NEW_WEIGHT * (change - perByte * appliedBytes - this.#drift);
    }
    return perByte;
  }

  /**
   * Least squares, by a line with and one without the part of others: the steeper one, as it asks for less,
   * and what was asked for too much cannot be called back. NaN until one of them rises.
   */
  #fit(x: number, y: number): number {
    const sums = this.#sums;
    sums.n = FADE * sums.n + 1;
    sums.x = FADE * sums.x + x;
    sums.y = FADE * sums.y + y;
    sums.xx = FADE * sums.xx + x * x;
    sums.xy = FADE * sums.xy + x * y;
    const variation = sums.n * sums.xx - sums.x * sums.x;
    if (variation > LEAST_VARIATION * sums.n * sums.xx) {
      this.#slope = (sums.n * sums.xy - sums.x * sums.y) / variation;
    }
    const steeper = Math.max(this.#slope, sums.xx > 0 ? sums.xy / sums.xx : 0);
    return steeper > 0 ? steeper : Number.NaN;
  }

  /** The metric goes with the bytes that took effect in a window: scale them. */
  #nextOfFlow(goal: GoalReading, input: TunerInput): number {
    const { target, current, sign } = goal;
    const { appliedBytes, pendingBytes, matchedBytes } = input;
    const first = this.#firstBytes(input);
    const ratio = sign === 1 ? target / current : current / target;
    const factor = Number.isFinite(ratio) ? 1 + RESPONSE * (ratio - 1) : GROWTH;
    const served = appliedBytes > 0 ? appliedBytes : this.#asked > 0 ? this.#asked : first;
    const wanted = served * Math.min(GROWTH, Math.max(1 / GROWTH, factor));
    // Asking for more than there is, or for much more than takes effect, would be paid back later, window
    // after window; and a byte at least, or nothing would ever be scaled up again.
    const most = Math.min(Math.max(first, matchedBytes), GROWTH * served - pendingBytes);
    return Math.max(1, Math.min(wanted, most));
  }

  #probe(input: TunerInput): number {
    return this.#asked === 0 ? this.#firstBytes(input) : Math.min(GROWTH * this.#asked, input.matchedBytes);
  }

  #firstBytes({ capBytes, matchedBytes }: TunerInput): number {
    const most = Math.min(capBytes, matchedBytes);
    return Math.min(capBytes, Math.max(SMALLEST_PROBE, most * PROBE_SHARE));
  }
}
