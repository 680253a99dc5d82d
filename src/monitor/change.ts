/**
 * Takes the evidence of an aggregation interval into a record, and notices when the rate has changed.
 *
 * Evidence is kept without fading for as long as the rate stays: a sum over a minute tells rates apart
 * that a second cannot. Two tests end that: this interval against everything before, which finds great
 * changes at once, and the block since the last fold (up to a second and more) against what was before
 * it, which finds small and slow ones. Both are likelihood ratios of two rates against one.
 */
import { BINS, scaleBins } from './bins.ts';
import { gainOfTwoRates, mayGain } from './rate.ts';
import {
  EXPOSURE_S as EXPOSURE_AT,
  HITS as HITS_AT,
  PUSHES as PUSHES_AT,
  pagesOf,
  type RegionTable,
  TRIALS as TRIALS_AT,
} from './region-table.ts';

/** Copies, since V8 looks imported constants up at every use (see `ingest.ts`). */
const [HITS, TRIALS, PUSHES, EXPOSURE_S] = [HITS_AT, TRIALS_AT, PUSHES_AT, EXPOSURE_AT];

/**
 * Gain, in nats, from which a change is believed. 10 nats: a false alarm in 130,000 tests (chi-squared
 * of one degree, 20), one per region and hour at 10 aggregations a second.
 */
const CHANGE_NATS = 10;
/** The same where nothing was ever seen: there is nothing to lose but misses. */
const AWAKENING_NATS = 8;
/** Aggregations per block, and the most while there is too little in it to be tested. */
const BLOCK_AGGRS = 10;
const MAX_BLOCK_AGGRS = 40;
const MIN_BLOCK_EVENTS = 8;
/** Share of the past kept at each fold: a memory of about a minute. */
const PAST_DECAY = 0.98;

/** Adds this interval's evidence of one region to its record; whether its rate has changed. */
export function absorbInterval(table: RegionTable, slot: number, exposureS: number): boolean {
  const at = slot * 4;
  const { past, recent } = table;
  const hits = table.nowHits[slot];
  const trials = table.nowTrials[slot];
  const pushes = table.nowPushes[slot];
  const events =
    past[at + HITS] + past[at + PUSHES] + recent[at + HITS] + recent[at + PUSHES] + hits + pushes;
  table.binExposureS[slot] += exposureS;
  if (events > 0) {
    const pages = pagesOf(table, slot);
    const limit = events === hits + pushes ? AWAKENING_NATS : CHANGE_NATS;
    const hitsBefore = past[at + HITS] + recent[at + HITS];
    const trialsBefore = past[at + TRIALS] + recent[at + TRIALS];
    const pushesBefore = past[at + PUSHES] + recent[at + PUSHES];
    const exposureBefore = (past[at + EXPOSURE_S] + recent[at + EXPOSURE_S]) * pages;
    if (
      differs(
        hits,
        trials,
        pushes,
        exposureS * pages,
        hitsBefore,
        trialsBefore,
        pushesBefore,
        exposureBefore,
        limit,
      )
    ) {
      forget(table, slot, hits, trials, pushes, exposureS);
      return true;
    }
  }
  add(recent, at, hits, trials, pushes, exposureS);
  table.recentAggrs[slot]++;
  if (events > 0) {
    const pages = pagesOf(table, slot);
    const [h, t, n, x] = [
      recent[at + HITS],
      recent[at + TRIALS],
      recent[at + PUSHES],
      recent[at + EXPOSURE_S],
    ];
    if (
      differs(
        h,
        t,
        n,
        x * pages,
        past[at + HITS],
        past[at + TRIALS],
        past[at + PUSHES],
        past[at + EXPOSURE_S] * pages,
        CHANGE_NATS,
      )
    ) {
      forget(table, slot, h, t, n, x);
      return true;
    }
  }
  const blockEvents = recent[at + HITS] + recent[at + PUSHES];
  const aggrs = table.recentAggrs[slot];
  if (
    aggrs >= MAX_BLOCK_AGGRS ||
    (aggrs >= BLOCK_AGGRS && (blockEvents >= MIN_BLOCK_EVENTS || events === 0))
  ) {
    fold(table, slot);
  }
  return false;
}

/** Whether two rates explain two pieces of evidence better than one, by more than `nats`. */
function differs(
  hitsA: number,
  trialsA: number,
  samplesA: number,
  exposureA: number,
  hitsB: number,
  trialsB: number,
  samplesB: number,
  exposureB: number,
  nats: number,
): boolean {
  return (
    mayGain(hitsA, trialsA, samplesA, exposureA, hitsB, trialsB, samplesB, exposureB, nats) &&
    gainOfTwoRates(hitsA, trialsA, samplesA, exposureA, hitsB, trialsB, samplesB, exposureB) > nats
  );
}

function add(
  sums: Float32Array,
  at: number,
  hits: number,
  trials: number,
  pushes: number,
  exposureS: number,
): void {
  sums[at + HITS] += hits;
  sums[at + TRIALS] += trials;
  sums[at + PUSHES] += pushes;
  sums[at + EXPOSURE_S] += exposureS;
}

function fold(table: RegionTable, slot: number): void {
  const at = slot * 4;
  for (let key = at; key < at + 4; key++) {
    table.past[key] = table.past[key] * PAST_DECAY + table.recent[key];
    table.recent[key] = 0;
  }
  table.recentAggrs[slot] = 0;
}

/** Makes the given evidence all that there is. */
function forget(
  table: RegionTable,
  slot: number,
  hits: number,
  trials: number,
  pushes: number,
  exposureS: number,
): void {
  const at = slot * 4;
  const { past, recent } = table;
  const hitsBefore = past[at + HITS] + recent[at + HITS];
  const pushesBefore = past[at + PUSHES] + recent[at + PUSHES];
  past[at + HITS] = hits;
  past[at + TRIALS] = trials;
  past[at + PUSHES] = pushes;
  past[at + EXPOSURE_S] = exposureS;
  recent.fill(0, at, at + 4);
  table.recentAggrs[slot] = 0;
  table.unseen[slot] = Math.min(65535, hits + pushes);
  forgetBins(table, slot, hits + pushes, hitsBefore + pushesBefore, trials, exposureS);
}

/**
 * Where memory became busier, the events in the bins are nearly all of now, and say where; only their
 * number of trials and exposure are those of the past. Elsewhere they are of the past: forgotten.
 */
function forgetBins(
  table: RegionTable,
  slot: number,
  events: number,
  eventsBefore: number,
  trials: number,
  exposureS: number,
): void {
  if (events < 2 * eventsBefore) {
    table.binHits.fill(0, slot * BINS, (slot + 1) * BINS);
    table.binPushes.fill(0, slot * BINS, (slot + 1) * BINS);
  }
  let sum = 0;
  for (let b = slot * BINS; b < (slot + 1) * BINS; b++) sum += table.binTrials[b];
  if (sum > trials) scaleBins(table.binTrials, slot, trials / sum);
  for (let b = slot * BINS; b < (slot + 1) * BINS; b++) {
    if (table.binTrials[b] < table.binHits[b]) table.binTrials[b] = table.binHits[b];
  }
  table.binExposureS[slot] = Math.min(table.binExposureS[slot], exposureS);
}
