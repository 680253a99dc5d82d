/**
 * From a record's evidence to its rate, with the two sources weighed against each other.
 *
 * Sources err in one direction: each can be blind to accesses, neither invents any. Accessed bits stay
 * clear while a translation sits in the TLB, and a page that is hot for a few only counts as one hit
 * per check however hot; samples miss what the cache serves, and a sampling rate may not be what its
 * source says. So
 * - a factor common to all samples is measured where both sources see well, and followed;
 * - where they still contradict each other, the one that sees more is believed.
 */
import { combinedRate, hitShare, pullInformation, pullRateOf } from './rate.ts';
import {
  EXPOSURE_S as EXPOSURE_AT,
  HITS as HITS_AT,
  IS_UNSETTLED,
  PULL_BLIND,
  PUSH_BLIND,
  PUSHES as PUSHES_AT,
  pagesOf,
  type RegionTable,
  TRIALS as TRIALS_AT,
} from './region-table.ts';

/** Copies, since V8 looks imported constants up at every use (see `ingest.ts`). */
const [HITS, TRIALS, PUSHES, EXPOSURE_S] = [HITS_AT, TRIALS_AT, PUSHES_AT, EXPOSURE_AT];

/** Contradiction, in nats and as a ratio of rates, from which a source counts as blind. */
const CONFLICT_NATS = 6;
const CONFLICT_RATIO = 1.2;
/** Pull information that a region needs to speak about the samples' factor, and all of them together. */
const FACTOR_INFORMATION = 50;
/** Share of the way to the newly measured factor, per aggregation. */
const FACTOR_STEP = 0.1;
const LEAST_FACTOR = 1 / 16;
const MOST_SURPLUS = 1.5;
/** From here on the factor counts as 1: cuts follow hits, so what they cut out looks a little too hot to them. */
const NEARLY_ONE = 0.88;

const HUGE_PAGES = 512;
const DOUBT_PER_DOUBLING = 2;

/** In a region known to hold different rates, hits count hot pages, not their accesses; samples do, if there are so many. */
const MIXTURE_SAMPLES = 8;

/** What one region's evidence says. */
export interface Estimate {
  /** Accesses per page per second. */
  readonly rate: number;
  /** Number of events that the estimate is worth (Fisher information about ln rate). */
  readonly information: number;
  /** Page-seconds that could have shown an access. */
  readonly exposure: number;
  /** PULL_BLIND, PUSH_BLIND or 0. */
  readonly blind: number;
}

export class SourceTrust {
  /** How much one source's evidence counts beside the other's, 0 to 1. */
  weights = { pull: 1, push: 1 };
  #factor = 1;
  #samples = 0;
  #expected = 0;

  /** Samples seen per sample that the source's stated rate promises; at most 1, and 1 until measured. */
  get pushFactor(): number {
    return this.#factor > NEARLY_ONE ? 1 : this.#factor;
  }

  begin(): void {
    this.#samples = 0;
    this.#expected = 0;
  }

  /** Follows the factor measured since `begin`. */
  end(): void {
    if (this.#expected < FACTOR_INFORMATION || this.#samples < FACTOR_INFORMATION) return;
    const next = this.#factor * (this.#samples / this.#expected / this.#factor) ** FACTOR_STEP;
    // Never above 1: no source invents accesses, so samples that hits do not explain are accesses that
    // the checks missed.
    this.#factor = Math.min(1, Math.max(LEAST_FACTOR, next));
  }

  /** Updates the rate of a region, and what its sources say of each other. */
  update(table: RegionTable, slot: number, intervalS: number): void {
    const at = slot * 4;
    const { past, recent } = table;
    const hits = past[at + HITS] + recent[at + HITS];
    const pushes = past[at + PUSHES] + recent[at + PUSHES];
    let rate = 0;
    let blind = 0;
    if (hits + pushes >= 1e-6) {
      const trials = past[at + TRIALS] + recent[at + TRIALS] + doubt(hits, pagesOf(table, slot));
      const stated = (past[at + EXPOSURE_S] + recent[at + EXPOSURE_S]) * pagesOf(table, slot);
      const exposure = stated * this.pushFactor;
      const { pull, push } = this.weights;
      rate = combinedRate(
        hits * pull,
        trials * pull,
        intervalS,
        pushes * push,
        exposure * push,
        table.rate[slot],
      );
      if (trials >= 4 && exposure > 0) {
        const pullRate = pullRateOf(hits, trials, intervalS);
        const isMixture = (table.flags[slot] & IS_UNSETTLED) !== 0 && pushes >= MIXTURE_SAMPLES;
        blind = isMixture
          ? PULL_BLIND
          : blindSource(hits, trials, intervalS, pushes, exposure, pullRate, rate);
        if (blind === PULL_BLIND) rate = pushes / exposure;
        else if (blind === PUSH_BLIND) rate = pullRate;
        this.#compare(table, slot, hits, trials, pullRate, pushes, stated, intervalS);
      }
    }
    table.rate[slot] = rate;
    table.flags[slot] = (table.flags[slot] & ~(PULL_BLIND | PUSH_BLIND)) | blind;
  }

  /** Takes a region as a witness of the samples' factor: one whose hits alone tell its rate well. */
  #compare(
    table: RegionTable,
    slot: number,
    hits: number,
    trials: number,
    pullRate: number,
    pushes: number,
    stated: number,
    intervalS: number,
  ): void {
    if ((table.flags[slot] & IS_UNSETTLED) !== 0 || hits >= 0.95 * trials) return;
    // Chosen by what the samples say: those chosen by their hits would be those with too many of them.
    const pushRate = pushes / (stated * this.pushFactor);
    if (trials * pullInformation(pushRate, intervalS) < FACTOR_INFORMATION) return;
    const expected = pullRate * stated;
    this.#expected += expected;
    // Where checks are blind there are more samples than they explain: no witness for the rest.
    this.#samples += Math.min(pushes, MOST_SURPLUS * expected);
  }

  /** The information of {@link SourceTrust.estimate} alone; `share`: {@link hitShare} of the region's rate. */
  information(table: RegionTable, slot: number, intervalS: number, share: number): number {
    const at = slot * 4;
    const { past, recent, flags } = table;
    const hits = past[at + HITS] + recent[at + HITS];
    const trials = past[at + TRIALS] + recent[at + TRIALS];
    const perTrial = pullInformation(table.rate[slot], intervalS, share);
    const pull = hits > 0 ? Math.max(Math.min(1, hits), trials * perTrial) : 0;
    return (
      ((flags[slot] & PULL_BLIND) !== 0 ? 0 : pull) +
      ((flags[slot] & PUSH_BLIND) !== 0 ? 0 : past[at + PUSHES] + recent[at + PUSHES])
    );
  }

  /** What is known of a region's rate, and how well. */
  estimate(table: RegionTable, slot: number, intervalS: number): Estimate {
    const { trials, exposure: stated } = table.evidence(slot);
    const rate = table.rate[slot];
    return {
      rate,
      information: this.information(table, slot, intervalS, hitShare(rate, intervalS)),
      exposure: stated * this.pushFactor + trials * intervalS,
      blind: table.flags[slot] & (PULL_BLIND | PUSH_BLIND),
    };
  }
}

/**
 * Misses that a first hit has to be weighed against: it speaks for its huge page (2 MiB); that a larger
 * region is like that takes a second and a third one.
 */
function doubt(hits: number, pages: number): number {
  return hits > 0 && pages > HUGE_PAGES
    ? (DOUBT_PER_DOUBLING * Math.log2(pages / HUGE_PAGES)) / (hits * hits)
    : 0;
}

/** The source that cannot have seen what the other saw, or 0. `common` is the rate that fits both best. */
function blindSource(
  hits: number,
  trials: number,
  intervalS: number,
  pushes: number,
  exposure: number,
  pullRate: number,
  common: number,
): number {
  const pushRate = pushes / exposure;
  if (Math.max(pullRate, pushRate) < CONFLICT_RATIO * Math.min(pullRate, pushRate)) return 0;
  const ownShare = hitShare(pullRate, intervalS);
  const commonShare = hitShare(common, intervalS);
  const misses = trials - hits;
  const gain =
    (pushes > 0 ? pushes * Math.log(pushRate / common) : 0) -
    exposure * (pushRate - common) +
    (hits > 0 ? hits * Math.log(ownShare / commonShare) : 0) +
    (misses > 0 && ownShare < 1 ? misses * Math.log((1 - ownShare) / (1 - commonShare)) : 0);
  if (gain < CONFLICT_NATS) return 0;
  return pullRate < pushRate ? PULL_BLIND : PUSH_BLIND;
}
