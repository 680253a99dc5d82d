/**
 * The grid monitor: one plain counter per equal cell of memory, the simplest thing that remembers. It
 * takes as many bytes as the evidence monitor at the same maximum number of regions, so that it answers
 * whether regions are worth their trouble.
 *
 * A cell is 4 bytes: samples (16 bit), and hits and trials of pull checks (8 bit each). Counts add up
 * for ever, or lose half their weight every half-life. Checks sweep over all memory alike. Rates, ages
 * and activity flags of the view are derived and not charged to `metadataBytes`, in the grid's favour.
 */
import type { AccessBatch } from '../memory/access-batch.ts';
import { ThermoError } from '../memory/error.ts';
import type { RandomStream } from '../memory/random.ts';
import { type AddressRange, PAGE_SIZE } from '../memory/range.ts';
import { hasScoreChanged } from './age.ts';
import { validateAttrs } from './attrs.ts';
import { GridLayout } from './grid-layout.ts';
import { type CheckPlan, type Monitor, type MonitorAttrs, NO_REGIONS, type Regions } from './monitor.ts';
import { combinedRate, hitShare, rateOfShare } from './rate.ts';
import { Sweep } from './sweep.ts';

/** Bytes per region of the evidence monitor's bound: 320 KiB at 1000 regions. */
const BYTES_PER_REGION = 327.68;
const BYTES_PER_CELL = 4;
const MAX_TRIALS = 255;
const MAX_PUSHES = 65535;

export interface GridOptions {
  /** Time in which counts lose half their weight; left out: never. */
  readonly halfLifeS?: number;
  /** Where checks go: evenly over time (default), or to uniformly random pages. */
  readonly checks?: 'sweep' | 'random';
}

export class GridMonitor implements Monitor, Regions {
  readonly name = 'grid';
  attrs: MonitorAttrs;
  readonly regions: Regions = this;
  readonly spots = NO_REGIONS;
  peakRegions = 0;
  samplesOutside = 0;
  readonly #options: GridOptions;
  readonly #random: RandomStream;
  readonly #sweep: Sweep;
  readonly #plan: CheckPlan = { count: 0, addresses: new Float64Array(64) };
  #checkCarry = 0;
  #layout: GridLayout;
  #pushes = new Uint16Array(0);
  #hits = new Uint8Array(0);
  #trials = new Uint8Array(0);
  /** Exposure of the samples of every cell, in seconds; per page. */
  #exposureS = 0;
  #sinceHalvingUs = 0;
  #rate = new Float64Array(0);
  #age = new Uint32Array(0);
  #lastScore = new Float32Array(0);
  #isActive = new Uint8Array(0);

  constructor(attrs: MonitorAttrs, random: RandomStream, options: GridOptions = {}) {
    validateAttrs(attrs);
    this.attrs = attrs;
    this.#options = options;
    this.#random = random.fork('grid');
    this.#sweep = new Sweep(random.fork('sweep'));
    this.#layout = new GridLayout([], attrs.minRegionSz, this.maxRecords);
  }

  get maxRecords(): number {
    return Math.floor((this.attrs.maxNrRegions * BYTES_PER_REGION) / BYTES_PER_CELL);
  }

  get metadataBytes(): number {
    return this.maxRecords * BYTES_PER_CELL;
  }

  get count(): number {
    return this.#layout.count;
  }

  start(i: number): number {
    return this.#layout.start(i);
  }

  end(i: number): number {
    return this.#layout.end(i);
  }

  rate(i: number): number {
    return this.#rate[i];
  }

  age(i: number): number {
    return this.#age[i];
  }

  isIdle(i: number): boolean {
    return this.#isActive[i] === 0;
  }

  accessingNid(_i: number): number {
    return -1;
  }

  storeShare(_i: number): number {
    return Number.NaN;
  }

  nrAccesses(i: number): number {
    return Math.round(this.#score(i));
  }

  setRanges(ranges: readonly AddressRange[]): void {
    if (ranges.length >= this.maxRecords) {
      throw new ThermoError(
        'THERMO_MONITOR_CONFIG',
        `${ranges.length} address ranges cannot be watched with ${this.maxRecords} cells`,
        { hint: `expected fewer than ${this.maxRecords} ranges; raise --max-regions` },
      );
    }
    this.#relayout(ranges);
  }

  setAttrs(attrs: MonitorAttrs, _isMidAggregation: boolean): void {
    validateAttrs(attrs);
    const last = this.attrs;
    this.attrs = attrs;
    if (attrs.sampleUs !== last.sampleUs) this.#convertHits(last.sampleUs / 1e6, attrs.sampleUs / 1e6);
    if (attrs.maxNrRegions !== last.maxNrRegions || attrs.minRegionSz !== last.minRegionSz) {
      this.#relayout(this.#layout.ranges);
    }
  }

  planChecks(): CheckPlan {
    const plan = this.#plan;
    this.#checkCarry += (this.attrs.pullPerS * this.attrs.sampleUs) / 1e6;
    plan.count = this.#layout.count === 0 ? 0 : Math.floor(this.#checkCarry);
    this.#checkCarry -= Math.floor(this.#checkCarry);
    if (plan.addresses.length < plan.count) plan.addresses = new Float64Array(plan.count * 2);
    if (this.#options.checks === 'random') this.#sweep.fillAtRandom(plan.addresses, plan.count);
    else this.#sweep.fill(plan.addresses, plan.count);
    return plan;
  }

  recordPull(hits: Uint8Array): void {
    const { count, addresses } = this.#plan;
    for (let c = 0; c < count; c++) {
      const cell = this.#layout.locate(addresses[c]);
      if (cell < 0) continue;
      if (this.#trials[cell] === MAX_TRIALS) {
        this.#trials[cell] >>= 1;
        this.#hits[cell] >>= 1;
      }
      this.#trials[cell]++;
      if (hits[c] !== 0) {
        this.#hits[cell]++;
        this.#isActive[cell] = 1;
      }
    }
  }

  recordPush(batch: AccessBatch): void {
    const { count, address } = batch;
    for (let s = 0; s < count; s++) {
      const cell = this.#layout.locate(address[s]);
      if (cell < 0) {
        this.samplesOutside++;
        continue;
      }
      // All cells share one exposure, so they are halved together.
      if (this.#pushes[cell] === MAX_PUSHES) this.#halvePushes();
      this.#pushes[cell]++;
      this.#isActive[cell] = 1;
    }
    const taken = count + batch.dropped;
    this.#exposureS += taken > 0 ? (batch.exposureS * count) / taken : batch.exposureS;
  }

  aggregate(): void {
    const sampleS = this.attrs.sampleUs / 1e6;
    let highest = 0;
    for (let i = 0; i < this.#layout.count; i++) {
      this.#rate[i] = this.#estimate(i, sampleS);
      highest = Math.max(highest, this.#rate[i]);
    }
    const threshold = (this.#samplesPerAggr() * hitShare(highest, sampleS)) / 10;
    for (let i = 0; i < this.#layout.count; i++) {
      const score = this.#score(i);
      this.#age[i] = hasScoreChanged(score, this.#lastScore[i], threshold) ? 0 : this.#age[i] + 1;
      this.#lastScore[i] = score;
    }
  }

  resetAndSplit(): void {
    this.#isActive.fill(0);
    const { halfLifeS } = this.#options;
    if (halfLifeS === undefined) return;
    this.#sinceHalvingUs += this.attrs.aggrUs;
    while (this.#sinceHalvingUs >= halfLifeS * 1e6) {
      this.#sinceHalvingUs -= halfLifeS * 1e6;
      this.#halvePushes();
      this.#halvePulls();
    }
  }

  #samplesPerAggr(): number {
    return Math.max(1, Math.floor(this.attrs.aggrUs / this.attrs.sampleUs));
  }

  /** Sampling intervals of an aggregation in which a page of the cell is expected to be accessed. */
  #score(i: number): number {
    return this.#rate[i] === 0
      ? 0
      : this.#samplesPerAggr() * hitShare(this.#rate[i], this.attrs.sampleUs / 1e6);
  }

  #estimate(i: number, sampleS: number): number {
    if (this.#hits[i] + this.#pushes[i] === 0) return 0;
    const pages = (this.#layout.end(i) - this.#layout.start(i)) / PAGE_SIZE;
    return combinedRate(this.#hits[i], this.#trials[i], sampleS, this.#pushes[i], this.#exposureS * pages);
  }

  /** Half of each count; an odd one goes up or down by chance, so that rare events are not lost for good. */
  #half(count: number): number {
    return (count >> 1) + ((count & 1) === 1 && this.#random.unit() < 0.5 ? 1 : 0);
  }

  #halvePushes(): void {
    this.#exposureS /= 2;
    for (let i = 0; i < this.#pushes.length; i++) {
      if (this.#pushes[i] > 0) this.#pushes[i] = this.#half(this.#pushes[i]);
    }
  }

  #halvePulls(): void {
    for (let i = 0; i < this.#trials.length; i++) {
      if (this.#trials[i] === 0) continue;
      const hits = this.#half(this.#hits[i]);
      this.#trials[i] = hits + this.#half(this.#trials[i] - this.#hits[i]);
      this.#hits[i] = hits;
    }
  }

  /** Brings hits counted in one sampling interval to what they would be in another. */
  #convertHits(fromS: number, toS: number): void {
    for (let i = 0; i < this.#hits.length; i++) {
      if (this.#hits[i] === 0 || this.#hits[i] === this.#trials[i]) continue;
      const rate = rateOfShare(this.#hits[i] / this.#trials[i], fromS);
      this.#hits[i] = Math.round(this.#trials[i] * hitShare(rate, toS));
    }
  }

  /** Lays new cells; each takes over the counts, scaled to its size, of the old cell at its middle. */
  #relayout(ranges: readonly AddressRange[]): void {
    const last = this.#layout;
    const layout = new GridLayout(ranges, this.attrs.minRegionSz, this.maxRecords);
    const pushes = new Uint16Array(layout.count);
    const hits = new Uint8Array(layout.count);
    const trials = new Uint8Array(layout.count);
    const rate = new Float64Array(layout.count);
    const age = new Uint32Array(layout.count);
    const lastScore = new Float32Array(layout.count);
    const isActive = new Uint8Array(layout.count);
    for (let i = 0; i < layout.count; i++) {
      const [start, end] = [layout.start(i), layout.end(i)];
      const old = last.locate((start + end) / 2);
      if (old < 0) continue;
      const scale = (end - start) / (last.end(old) - last.start(old));
      pushes[i] = Math.min(MAX_PUSHES, Math.round(this.#pushes[old] * scale));
      hits[i] = this.#hits[old];
      trials[i] = this.#trials[old];
      rate[i] = this.#rate[old];
      age[i] = this.#age[old];
      lastScore[i] = this.#lastScore[old];
      isActive[i] = this.#isActive[old];
    }
    this.#layout = layout;
    this.#pushes = pushes;
    this.#hits = hits;
    this.#trials = trials;
    this.#rate = rate;
    this.#age = age;
    this.#lastScore = lastScore;
    this.#isActive = isActive;
    this.#sweep.setRanges(ranges);
    this.peakRegions = Math.max(this.peakRegions, layout.count);
  }
}
