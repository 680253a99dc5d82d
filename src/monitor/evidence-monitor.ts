/**
 * The evidence monitor: region records that keep what was seen, and where.
 *
 * DAMON checks one random page per region and interval, keeps a count, forgets it every aggregation
 * and cuts at random. Here each record holds bins of decayed evidence from both sources; regions are
 * cut where a likelihood ratio says that two rates explain the evidence better than one, and joined
 * where that loses least, only when the bounded number of records is needed. Age, minimum size and
 * range updates are DAMON's (reference: mm/damon/core.c, as of Linux 7.3).
 */
import type { AccessBatch } from '../memory/access-batch.ts';
import { ThermoError } from '../memory/error.ts';
import type { RandomStream } from '../memory/random.ts';
import { type AddressRange, PAGE_SIZE } from '../memory/range.ts';
import { maxRangesFor, validateAttrs } from './attrs.ts';
import { CheckPlanner } from './check-planner.ts';
import { mergeDown } from './merge.ts';
import { type CheckPlan, type Monitor, type MonitorAttrs, NO_REGIONS, type Regions } from './monitor.ts';
import { combinedRate, type Evidence, hitShare, twoRatesGain } from './rate.ts';
import { RegionIndex } from './region-index.ts';
import { BINS, RegionTable } from './region-table.ts';
import { splitByEvidence } from './split.ts';

/** Time in which evidence loses half its weight. */
const HALF_LIFE_S = 2;
/**
 * Gain in log-likelihood, of "the rate has just changed" over "one rate all along", from which the
 * past is dropped. 8 nats: one false alarm in about 16,000 tests.
 */
const CHANGE_NATS = 8;
/** Share of the records kept in use by merging; the rest is room for the next splits. */
const KEEP_SHARE = 0.9;

export class EvidenceMonitor implements Monitor, Regions {
  readonly name = 'evidence';
  attrs: MonitorAttrs;
  readonly regions: Regions = this;
  readonly spots = NO_REGIONS;
  peakRegions = 0;
  samplesOutside = 0;
  readonly #table: RegionTable;
  readonly #index = new RegionIndex();
  readonly #planner: CheckPlanner;
  /** Exposure of the samples of this aggregation interval. */
  #nowExposureS = 0;
  readonly #keepRegions: number;
  #rangeCount = 0;

  constructor(attrs: MonitorAttrs, random: RandomStream) {
    validateAttrs(attrs);
    this.attrs = attrs;
    this.#table = new RegionTable(attrs.maxNrRegions, attrs.minRegionSz);
    this.#planner = new CheckPlanner(attrs.maxNrRegions, random.fork('checks'));
    this.#keepRegions = Math.max(attrs.minNrRegions, Math.floor(attrs.maxNrRegions * KEEP_SHARE));
  }

  get metadataBytes(): number {
    return this.#table.metadataBytes + this.#index.metadataBytes + this.#planner.metadataBytes;
  }

  get count(): number {
    return this.#table.count;
  }

  start(i: number): number {
    return this.#table.start[this.#table.order[i]];
  }

  end(i: number): number {
    return this.#table.end[this.#table.order[i]];
  }

  rate(i: number): number {
    return this.#table.rate[this.#table.order[i]];
  }

  age(i: number): number {
    return this.#table.age[this.#table.order[i]];
  }

  isIdle(i: number): boolean {
    const slot = this.#table.order[i];
    return this.#table.nowHits[slot] + this.#table.nowPushes[slot] === 0;
  }

  nrAccesses(i: number): number {
    const { sampleUs, aggrUs } = this.attrs;
    return Math.round(Math.max(1, Math.floor(aggrUs / sampleUs)) * hitShare(this.rate(i), sampleUs / 1e6));
  }

  setAttrs(attrs: MonitorAttrs, _isMidAggregation: boolean): void {
    validateAttrs(attrs);
    this.attrs = attrs;
  }

  setRanges(ranges: readonly AddressRange[]): void {
    const { maxNrRegions } = this.attrs;
    const mostRanges = maxRangesFor(maxNrRegions);
    if (ranges.length > mostRanges) {
      throw new ThermoError(
        'THERMO_MONITOR_CONFIG',
        `${ranges.length} address ranges cannot be watched with at most ${maxNrRegions} regions`,
        { hint: `expected at most ${mostRanges} ranges; raise --max-regions` },
      );
    }
    // Re-cutting needs records for the parts and holes at every edge: make room first.
    const room = 2 * (this.#rangeCount + ranges.length);
    mergeDown(this.#table, Math.max(1, maxNrRegions - room), Number.POSITIVE_INFINITY);
    this.#rangeCount = ranges.length;
    this.#table.setRanges(ranges, this.#keepRegions);
    this.#index.setRanges(ranges);
    this.#layoutChanged();
  }

  planChecks(): CheckPlan {
    return this.#planner.plan(this.#table, (this.attrs.pullPerS * this.attrs.sampleUs) / 1e6);
  }

  recordPull(hits: Uint8Array): void {
    const table = this.#table;
    const { count, addresses, regionOf } = this.#planner;
    for (let c = 0; c < count; c++) {
      const slot = table.order[regionOf[c]];
      const bin = slot * BINS + binOf(addresses[c], table.start[slot], table.end[slot]);
      table.binTrials[bin] += 1;
      table.nowTrials[slot] += 1;
      if (hits[c] !== 0) {
        table.binHits[bin] += 1;
        table.nowHits[slot] += 1;
      }
    }
  }

  recordPush(batch: AccessBatch): void {
    const table = this.#table;
    const { count, address } = batch;
    for (let s = 0; s < count; s++) {
      const i = this.#index.locate(address[s]);
      if (i < 0) {
        this.samplesOutside++;
        continue;
      }
      const slot = table.order[i];
      table.binPushes[slot * BINS + binOf(address[s], table.start[slot], table.end[slot])] += 1;
      table.nowPushes[slot] += 1;
    }
    // Lost samples are lost exposure, not absence of accesses.
    const taken = count + batch.dropped;
    this.#nowExposureS += taken > 0 ? (batch.exposureS * count) / taken : batch.exposureS;
  }

  aggregate(): void {
    const table = this.#table;
    for (let i = 0; i < table.count; i++) {
      const slot = table.order[i];
      const all = table.evidence(slot);
      if (this.#hasChanged(slot, all)) {
        table.forgetPast(slot, this.#nowExposureS);
        this.#estimate(slot);
        continue;
      }
      table.exposureS[slot] += this.#nowExposureS;
      if (all.hits + all.samples === 0) table.rate[slot] = 0;
      else this.#estimate(slot);
    }
    this.#updateAges();
    if (table.count > this.#keepRegions) {
      mergeDown(table, this.#keepRegions, this.#sizeLimit());
      for (let i = 0; i < table.count; i++) this.#estimate(table.order[i]);
      this.#layoutChanged();
    }
  }

  resetAndSplit(): void {
    const table = this.#table;
    const decay = 0.5 ** (this.attrs.aggrUs / 1e6 / HALF_LIFE_S);
    table.nowHits.fill(0);
    table.nowTrials.fill(0);
    table.nowPushes.fill(0);
    this.#nowExposureS = 0;
    splitByEvidence(table);
    for (let i = 0; i < table.exposureS.length; i++) table.exposureS[i] *= decay;
    fade(table.binHits, decay);
    fade(table.binTrials, decay);
    fade(table.binPushes, decay);
    this.#layoutChanged();
  }

  #layoutChanged(): void {
    this.#index.rebuild(this.#table);
    this.#planner.reweigh(this.#table);
    this.peakRegions = Math.max(this.peakRegions, this.#table.count);
  }

  /** DAMON's sz_limit: no region larger than all memory / minNrRegions arises by merging. */
  #sizeLimit(): number {
    const table = this.#table;
    let total = 0;
    for (let i = 0; i < table.count; i++) total += table.end[table.order[i]] - table.start[table.order[i]];
    return Math.max(this.attrs.minRegionSz, total / this.attrs.minNrRegions);
  }

  /** Likelihood-ratio test of this interval's evidence against the past's. */
  #hasChanged(slot: number, all: Evidence): boolean {
    const table = this.#table;
    if (all.hits + all.samples < 3) return false;
    const pages = (table.end[slot] - table.start[slot]) / PAGE_SIZE;
    const now = {
      hits: table.nowHits[slot],
      trials: table.nowTrials[slot],
      samples: table.nowPushes[slot],
      exposure: this.#nowExposureS * pages,
    };
    // Decay in float leaves crumbs: never negative.
    const hits = Math.max(0, all.hits - now.hits);
    const past = {
      hits,
      trials: Math.max(hits, all.trials - now.trials),
      samples: Math.max(0, all.samples - now.samples),
      // The bins hold this interval already, the exposure does not yet.
      exposure: all.exposure,
    };
    return past.exposure + past.trials > 0 && twoRatesGain(now, past) > CHANGE_NATS;
  }

  #estimate(slot: number): void {
    const { hits, trials, samples, exposure } = this.#table.evidence(slot);
    this.#table.rate[slot] = combinedRate(hits, trials, this.attrs.sampleUs / 1e6, samples, exposure);
  }

  /**
   * DAMON's age rule on the expected nr_accesses: 0 when it differs by more than a tenth of the
   * highest, or when one of the two is (near) zero and the other is not; else one more.
   */
  #updateAges(): void {
    const table = this.#table;
    const { sampleUs, aggrUs } = this.attrs;
    const samples = Math.max(1, Math.floor(aggrUs / sampleUs));
    let highest = 0;
    for (let i = 0; i < table.count; i++) highest = Math.max(highest, table.rate[table.order[i]]);
    const threshold = (samples * hitShare(highest, sampleUs / 1e6)) / 10;
    for (let i = 0; i < table.count; i++) {
      const slot = table.order[i];
      // A region in which nothing was seen counts 0, whatever its faded evidence says.
      const idle = table.nowHits[slot] + table.nowPushes[slot] === 0;
      const score = idle ? 0 : samples * hitShare(table.rate[slot], sampleUs / 1e6);
      const last = table.lastScore[slot];
      if (Math.abs(score - last) > threshold || (score === 0) !== (last === 0)) table.age[slot] = 0;
      else table.age[slot]++;
      table.lastScore[slot] = score;
    }
  }
}

/** Evidence below this is forgotten: a single event after ten half-lives. */
const EVIDENCE_FLOOR = 1e-3;

function fade(bins: Float32Array, decay: number): void {
  for (let b = 0; b < bins.length; b++) {
    const value = bins[b] * decay;
    bins[b] = value < EVIDENCE_FLOOR ? 0 : value;
  }
}

function binOf(address: number, start: number, end: number): number {
  return Math.min(BINS - 1, Math.floor(((address - start) * BINS) / (end - start)));
}
