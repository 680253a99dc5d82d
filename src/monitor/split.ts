/**
 * Cuts regions where the evidence says, best gains first, while there are free records.
 *
 * The gain of a cut is the log-likelihood of two rates over one: binomial for pull, Poisson for push.
 * A fresh cut spreads a parent's bin evenly, so a boundary is found to a 16th of the region at once and
 * refined as evidence comes in.
 */
import { PAGE_SIZE } from '../memory/range.ts';
import { binomialLogLikelihood, poissonLogLikelihood } from './rate.ts';
import { BINS, type RegionTable } from './region-table.ts';

/** Gain, in nats, that a cut must have. */
const SPLIT_NATS = 4;
/** A hot area inside a region needs two cuts, and its edges one more each. */
const ROUNDS = 3;

interface Candidate {
  readonly i: number;
  readonly cut: number;
  readonly gain: number;
}

export function splitByEvidence(table: RegionTable): void {
  for (let round = 0; round < ROUNDS && table.count < table.capacity; round++) {
    const candidates: Candidate[] = [];
    for (let i = 0; i < table.count; i++) {
      const found = bestCut(table, i);
      if (found !== undefined) candidates.push(found);
    }
    if (candidates.length === 0) return;
    candidates.sort((a, b) => b.gain - a.gain || a.i - b.i);
    const chosen = candidates.slice(0, table.capacity - table.count);
    // From the last position on, so that the others stay valid.
    chosen.sort((a, b) => b.i - a.i);
    for (const { i, cut } of chosen) table.split(i, cut);
  }
}

/** The cut of largest gain at a bin boundary, if it gains enough. */
export function bestCut(table: RegionTable, i: number): Candidate | undefined {
  const slot = table.order[i];
  const sz = table.end[slot] - table.start[slot];
  if (sz < 2 * table.minRegionSz || table.rate[slot] === 0) return undefined;
  const base = slot * BINS;
  const hits = table.sumBins(table.binHits, slot);
  const trials = table.sumBins(table.binTrials, slot);
  const pushes = table.sumBins(table.binPushes, slot);
  if (hits + pushes < 2) return undefined;
  const exposurePerByte = table.exposureS[slot] / PAGE_SIZE;
  const whole = binomialLogLikelihood(hits, trials) + poissonLogLikelihood(pushes, exposurePerByte * sz);
  let best: Candidate | undefined;
  let bestGain = SPLIT_NATS;
  let [leftHits, leftTrials, leftPushes] = [0, 0, 0];
  for (let b = 1; b < BINS; b++) {
    leftHits += table.binHits[base + b - 1];
    leftTrials += table.binTrials[base + b - 1];
    leftPushes += table.binPushes[base + b - 1];
    const leftSz = Math.round((sz * b) / BINS / table.minRegionSz) * table.minRegionSz;
    if (leftSz === 0 || leftSz === sz) continue;
    const gain =
      binomialLogLikelihood(leftHits, leftTrials) +
      binomialLogLikelihood(hits - leftHits, trials - leftTrials) +
      poissonLogLikelihood(leftPushes, exposurePerByte * leftSz) +
      poissonLogLikelihood(pushes - leftPushes, exposurePerByte * (sz - leftSz)) -
      whole;
    if (gain > bestGain) {
      best = { i, cut: table.start[slot] + leftSz, gain };
      bestGain = gain;
    }
  }
  return best;
}
