/**
 * Where a region should be cut.
 *
 * What is looked for is the run of bins whose rate differs most from the rest of its region: a hot
 * area, a hole, or one side. Its gain is the log-likelihood of two rates over one (binomial for pull,
 * Poisson for push), and what it has to pay is the length of its description: edges on coarse
 * alignments are cheaper to name than on fine ones, as memory is handed out in aligned blocks. So the
 * tightest fit does not win over the likeliest boundary (a minimum description length criterion:
 * J. Rissanen, "Modeling by shortest data description", 1978).
 */
import { PAGE_SIZE } from '../memory/range.ts';
import { BIN_SIZE, BINS, binCount, binPages, PER_BIN } from './bins.ts';
import { gainBound, gainOfTwoRates } from './rate.ts';
import type { RegionTable } from './region-table.ts';

/**
 * Net gain, in nats, that a cut must have: little while there are few events, when a wrong cut costs
 * nothing and a right one shows where to look; more with many, where chance finds runs to its liking.
 */
const FEW_EVENTS = 8;
const SPLIT_NATS_FEW = 2;
const SPLIT_NATS = 6;
/**
 * What is known before any evidence: memory is handed out, mapped and moved in huge pages of 2 MiB, so a
 * hot area is likelier such a block than any other run. In nats.
 */
const HUGE_SHIFT = 21;
const HUGE_PRIOR_NATS = 3;
/** Ratios of rates at which runs are looked for: strong, weak, holes. */
const RATIOS = [16, 3, 1 / 3];

/** A run of bins `[from, to)` of a region whose rate differs from the rest. */
export interface Run {
  readonly from: number;
  readonly to: number;
  /** Nats, after the cost of its description. */
  readonly gain: number;
}

/** Of the region looked at: pages of each bin, and sums of its first b bins. */
const pages = new Float64Array(BINS);
const sumPages = new Float64Array(BINS + 1);
const sumHits = new Float64Array(BINS + 1);
const sumTrials = new Float64Array(BINS + 1);
const sumPushes = new Float64Array(BINS + 1);

/** The run of bins with the best net gain, if it is worth a cut. */
export function bestRun(table: RegionTable, slot: number): Run | undefined {
  const count = binCount(table, slot);
  if (count < 2) return undefined;
  const size = BIN_SIZE[table.binShift[slot]];
  if (size < table.minRegionSz) return undefined;
  const at = slot * BINS;
  const inner = size / PAGE_SIZE;
  for (let b = 0; b < count; b++) {
    pages[b] = b === 0 || b === count - 1 ? binPages(table, slot, b) : inner;
    sumPages[b + 1] = sumPages[b] + pages[b];
    sumHits[b + 1] = sumHits[b] + table.binHits[at + b];
    sumTrials[b + 1] = sumTrials[b] + table.binTrials[at + b];
    sumPushes[b + 1] = sumPushes[b] + table.binPushes[at + b];
  }
  const hits = sumHits[count];
  const trials = sumTrials[count];
  const pushes = sumPushes[count];
  const allPages = sumPages[count];
  if (hits + pushes === 0) return undefined;
  const shift = table.binShift[slot];
  const firstBin = Math.floor(table.start[slot] * PER_BIN[shift]);
  const levels = Math.log2(count);
  const least = hits + pushes < FEW_EVENTS ? SPLIT_NATS_FEW : SPLIT_NATS;
  // No run is named in less than one bit.
  const leastCost = Math.LN2 - (shift <= HUGE_SHIFT ? HUGE_PRIOR_NATS : 0);
  let best: Run | undefined;

  const consider = (from: number, to: number): void => {
    if (from >= to || (from === 0 && to === count)) return;
    const h = sumHits[to] - sumHits[from];
    const t = sumTrials[to] - sumTrials[from];
    const n = sumPushes[to] - sumPushes[from];
    const w = sumPages[to] - sumPages[from];
    const most = best?.gain ?? least;
    const bound = gainBound(h, t, n, w, hits - h, trials - t, pushes - n, allPages - w);
    if (bound - leastCost <= most) return;
    const cost =
      nameCost(firstBin, from, to, count, levels) -
      (isHugePage(firstBin + from, firstBin + to, shift) ? HUGE_PRIOR_NATS : 0);
    if (bound - cost <= most) return;
    const gain = gainOfTwoRates(h, t, n, w, hits - h, trials - t, pushes - n, allPages - w) - cost;
    if (gain > most) best = { from, to, gain };
  };

  let [lastFrom, lastTo] = [-1, -1];
  for (const ratio of RATIOS) {
    const [from, to] = maxRun(table, at, count, ratio, hits / Math.max(1, trials), pushes / allPages);
    if (from === lastFrom && to === lastTo) continue;
    lastFrom = from;
    lastTo = to;
    // The tightest run, and the aligned ones that hold it.
    consider(from, to);
    let [low, high] = [from, to];
    for (let block = 2; block < count; block *= 2) {
      const nextLow = Math.max(0, Math.floor((firstBin + from) / block) * block - firstBin);
      const nextHigh = Math.min(count, Math.ceil((firstBin + to) / block) * block - firstBin);
      if (nextLow === low && nextHigh === high) continue;
      low = nextLow;
      high = nextHigh;
      consider(low, high);
      consider(low, to);
      consider(from, high);
    }
  }
  return best;
}

/**
 * The run that a rate `ratio` times the region's explains best, by Kadane's algorithm on the
 * log-likelihood ratio of each bin.
 */
function maxRun(
  table: RegionTable,
  at: number,
  count: number,
  ratio: number,
  hitShare: number,
  pushesPerPage: number,
): readonly [number, number] {
  const perEvent = Math.log(ratio);
  const perExpected = ratio - 1;
  let [best, bestFrom, bestTo] = [Number.NEGATIVE_INFINITY, 0, 1];
  let [sum, from] = [0, 0];
  for (let b = 0; b < count; b++) {
    const events = table.binPushes[at + b] + table.binHits[at + b];
    const expected = pushesPerPage * pages[b] + hitShare * table.binTrials[at + b];
    if (sum <= 0) {
      sum = 0;
      from = b;
    }
    sum += events * perEvent - expected * perExpected;
    if (sum > best) {
      best = sum;
      bestFrom = from;
      bestTo = b + 1;
    }
  }
  return [bestFrom, bestTo];
}

/** Nats to name a run: as one aligned block, or by its two edges, each the cheaper the more aligned. */
function nameCost(firstBin: number, from: number, to: number, count: number, levels: number): number {
  const edges =
    (from === 0 ? 0 : edgeBits(firstBin + from, levels)) +
    (to === count ? 0 : edgeBits(firstBin + to, levels));
  const length = to - from;
  const isBlock = (length & (length - 1)) === 0 && (firstBin + from) % length === 0;
  const bits = isBlock ? Math.min(edges, levels - (31 - Math.clz32(length)) + 1) : edges;
  return bits * Math.LN2;
}

/** Whether bins `[from, to)` of 2^shift bytes, counted from address 0, are one huge page. */
function isHugePage(from: number, to: number, shift: number): boolean {
  if (shift > HUGE_SHIFT) return false;
  const perHuge = BIN_SIZE[HUGE_SHIFT - shift];
  return to - from === perHuge && from % perHuge === 0;
}

function edgeBits(bin: number, levels: number): number {
  // No more than log2(BINS) zeros count, and a multiple of BINS has them all.
  const low = bin % BINS;
  const zeros = low === 0 ? levels : 31 - Math.clz32(low & -low);
  return Math.max(0, levels - zeros) + 1;
}
