/**
 * The faithful DAMON monitor: one random page per region and sampling interval, counts that are
 * forgotten each aggregation, random cuts. To compare with, and to predict what a kernel will do.
 *
 * Kernels without push sources ignore samples. The two prototypes that credit them can be switched on
 * ({@link PushCredit}). Either saturates on large regions, which is what they are here to show.
 */
import type { AccessBatch } from '../../memory/access-batch.ts';
import { ThermoError } from '../../memory/error.ts';
import type { RandomStream } from '../../memory/random.ts';
import { type AddressRange, PAGE_SIZE, roundDown } from '../../memory/range.ts';
import { areSameForKernel, validateAttrs } from '../attrs.ts';
import { type CheckPlan, type Monitor, type MonitorAttrs, NO_REGIONS, type Regions } from '../monitor.ts';
import { rateOfShare } from '../rate.ts';
import { incrementalMovingSum, nrAccessesMvsum, samplesPerAggr } from './formulas.ts';
import { addHit, hitsOf, type Probe, validateWeights } from './probe.ts';
import {
  ACCESS_SCORE,
  applyMinNrRegions,
  type DamonRegion,
  type DamonVersion,
  mergeRegions,
  probeScore,
  regionSzLimit,
  rescaleCounters,
  resetAggregated,
  type Score,
  type SplitState,
  splitRegions,
} from './region.ts';
import { setRegions } from './target-ranges.ts';

/**
 * How push samples count; page-table checks are off where they do.
 *
 * `one-per-interval`: "[RFC PATCH 0/6] mm/damon: hardware-sampled access reports" (29 May 2026), at
 * most one hit per region and sampling interval.
 *
 * `every-sample`: the state of that work of August 2026 with one event probe of weight 1. Each report
 * adds 1 to nr_accesses, which nothing bounds any more, and 1 to the event probe, whose 8-bit counter
 * wraps at 256. Merging and ageing go by the probe, so a region of 256 reports merges with idle ones.
 * That defect is the prototype's (damon-peer-measurements section 5.3, item 5) and kept.
 */
export type PushCredit = 'none' | 'one-per-interval' | 'every-sample';

export interface DamonOptions {
  readonly version?: DamonVersion;
  readonly pushCredit?: PushCredit;
  /** Data-attribute probes (7.2), with weights since 7.3; not together with push credit. */
  readonly probes?: readonly Probe[];
}

/** sizeof(struct damon_region): 64 bytes since 7.2, 56 before. */
const REGION_BYTES: Readonly<Record<DamonVersion, number>> = { '7.3': 64, '7.2': 64, '6.12': 56 };
/** With push: a pointer in the flat snapshot, and the flag "credited in this interval" (padded). */
const PUSH_BYTES: Readonly<Record<PushCredit, number>> = {
  none: 0,
  'one-per-interval': 16,
  'every-sample': 8,
};
/** Weights of the August prototype's only probe. */
const EVENT_PROBE: readonly number[] = [1];

export class DamonMonitor implements Monitor, Regions {
  readonly name: string;
  attrs: MonitorAttrs;
  readonly regions: Regions = this;
  readonly spots = NO_REGIONS;
  peakRegions = 0;
  samplesOutside = 0;
  readonly #version: DamonVersion;
  readonly #pushCredit: PushCredit;
  readonly #probes: readonly Probe[];
  readonly #weights: readonly number[];
  /** Any probe has a weight: no access checks, merging by probe hits. */
  readonly #isAttributesOnly: boolean;
  readonly #score: Score;
  readonly #random: RandomStream;
  readonly #splitState: SplitState = { lastNrRegions: 0, counter: 0 };
  /** The worker's clock in sampling intervals; the window is samples per aggregation. */
  readonly #clock = { passedSis: 0, nextAggregationSis: 1, windowSis: 1 };
  #list: DamonRegion[] = [];
  #szLimit = 0;
  readonly #plan: CheckPlan = { count: 0, addresses: new Float64Array(64) };
  /** Flat snapshot of the regions' starts, for locating push samples, and who was credited. */
  #starts = new Float64Array(0);
  #isCredited = new Uint8Array(0);

  /**
   * `attrs.pullPerS` 0 switches pull checks off; any other value means DAMON's own: one per region.
   * @throws ThermoError THERMO_MONITOR_CONFIG
   */
  constructor(attrs: MonitorAttrs, random: RandomStream, options: DamonOptions = {}) {
    this.#version = options.version ?? '7.3';
    this.#pushCredit = options.pushCredit ?? 'none';
    this.#probes = options.probes ?? [];
    this.#weights =
      this.#pushCredit === 'every-sample' ? EVENT_PROBE : this.#probes.map(({ weight }) => weight);
    this.#isAttributesOnly = this.#weights.some((weight) => weight !== 0);
    this.#validate(attrs);
    this.attrs = attrs;
    this.#score = this.#isAttributesOnly ? probeScore(this.#weights) : ACCESS_SCORE;
    this.#random = random.fork('damon');
    this.#clock.windowSis = samplesPerAggr(attrs.sampleUs, attrs.aggrUs);
    this.#clock.nextAggregationSis = this.#clock.windowSis;
    this.name = nameOf(this.#version, this.#pushCredit);
  }

  get metadataBytes(): number {
    return this.attrs.maxNrRegions * (REGION_BYTES[this.#version] + PUSH_BYTES[this.#pushCredit]);
  }

  get count(): number {
    return this.#list.length;
  }

  start(i: number): number {
    return this.#list[i].start;
  }

  end(i: number): number {
    return this.#list[i].end;
  }

  /** Of a page that is seen accessed in nr_accesses of the samples; all of them count as all but a half. */
  rate(i: number): number {
    const { windowSis } = this.#clock;
    const share = Math.min(this.nrAccesses(i), windowSis - 0.5) / windowSis;
    return rateOfShare(share, this.attrs.sampleUs / 1e6);
  }

  age(i: number): number {
    return this.#list[i].age;
  }

  isIdle(i: number): boolean {
    return this.nrAccesses(i) === 0;
  }

  accessingNid(_i: number): number {
    return -1;
  }

  storeShare(_i: number): number {
    return Number.NaN;
  }

  /**
   * nr_accesses as the kernel reports it: the count at the end of an aggregation, and before that the
   * moving sum of the last whole aggregation interval.
   */
  nrAccesses(i: number): number {
    const region = this.#list[i];
    if (this.#version === '7.3') return nrAccessesMvsum(region, this.#clock);
    return Math.max(0, Math.floor(region.nrAccessesBp / 10000));
  }

  /** Sampling intervals of this aggregation in which the sampled page passed a probe, modulo 256. */
  probeHits(i: number, probe: number): number {
    return hitsOf(this.#list[i].probeHits, probe);
  }

  setRanges(ranges: readonly AddressRange[]): void {
    const isFirst = this.#list.length === 0;
    this.#list = setRegions(this.#list, ranges, this.attrs.minRegionSz);
    // Later updates leave the size limit to the next merge, as the kernel's worker does.
    if (isFirst) this.#applyMinimum();
    this.#layoutChanged();
  }

  /** damon_set_attrs: nothing happens to the results unless an attribute of the kernel's changes. */
  setAttrs(attrs: MonitorAttrs, isMidAggregation: boolean): void {
    this.#validate(attrs);
    if (attrs.minRegionSz !== this.attrs.minRegionSz) {
      throw new ThermoError(
        'THERMO_MONITOR_CONFIG',
        `the smallest region cannot become ${attrs.minRegionSz} bytes while regions of ${this.attrs.minRegionSz} exist`,
        { hint: 'start again with the new size' },
      );
    }
    const old = this.attrs;
    this.attrs = attrs;
    if (areSameForKernel(old, attrs)) return;
    for (const region of this.#list) rescaleCounters(region, old, attrs, isMidAggregation, this.#version);
    const clock = this.#clock;
    clock.windowSis = samplesPerAggr(attrs.sampleUs, attrs.aggrUs);
    if (isMidAggregation) clock.nextAggregationSis = clock.passedSis + clock.windowSis;
  }

  planChecks(): CheckPlan {
    const plan = this.#plan;
    const list = this.#list;
    plan.count = 0;
    const isChecking = this.attrs.pullPerS > 0 && this.#pushCredit === 'none' && !this.#isAttributesOnly;
    // Without access checks the addresses are chosen for the probes alone.
    if (!isChecking && this.#probes.length === 0) return plan;
    if (plan.addresses.length < list.length) plan.addresses = new Float64Array(list.length * 2);
    for (let i = 0; i < list.length; i++) {
      const region = list[i];
      region.samplingAddr = region.start + this.#random.below(this.#szSampled(region.end - region.start));
      plan.addresses[i] = roundDown(region.samplingAddr, PAGE_SIZE);
    }
    if (isChecking) plan.count = list.length;
    return plan;
  }

  recordPull(hits: Uint8Array): void {
    const list = this.#list;
    const { count } = this.#plan;
    for (let i = 0; i < count; i++) list[i].nrAccesses += hits[i];
    if (this.#version !== '7.3') this.#slideSums(hits, count);
    if (this.#probes.length > 0) this.#applyProbes();
    this.#clock.passedSis++;
  }

  recordPush(batch: AccessBatch): void {
    if (this.#pushCredit === 'none') return;
    const isOnce = this.#pushCredit === 'one-per-interval';
    this.#isCredited.fill(0, 0, this.#list.length);
    for (let s = 0; s < batch.count; s++) {
      const i = this.#locate(batch.address[s]);
      if (i < 0) {
        this.samplesOutside++;
        continue;
      }
      const region = this.#list[i];
      if (!isOnce) {
        region.nrAccesses++;
        region.probeHits = addHit(region.probeHits, 0);
      } else if (this.#isCredited[i] === 0) {
        this.#isCredited[i] = 1;
        region.nrAccesses++;
      }
    }
  }

  aggregate(): void {
    const highest = this.#list.reduce((max, region) => Math.max(max, this.#score.of(region)), 0);
    this.#list = mergeRegions(this.#list, Math.floor(highest / 10), this.#szLimit, {
      maxNrRegions: this.attrs.maxNrRegions,
      samplesPerAggr: this.#clock.windowSis,
      version: this.#version,
      score: this.#score,
    });
    this.#applyMinimum();
    this.#clock.nextAggregationSis = this.#clock.passedSis;
    this.#layoutChanged();
  }

  resetAndSplit(): void {
    resetAggregated(this.#list);
    this.#clock.nextAggregationSis = this.#clock.passedSis + this.#clock.windowSis;
    const { maxNrRegions, minRegionSz } = this.attrs;
    this.#list = splitRegions(
      this.#list,
      this.#splitState,
      { maxNrRegions, minRegionSz, version: this.#version },
      this.#random,
    );
    this.#layoutChanged();
  }

  #validate(attrs: MonitorAttrs): void {
    validateAttrs(attrs);
    validateWeights(this.#weights, samplesPerAggr(attrs.sampleUs, attrs.aggrUs));
    const fail = (message: string, hint: string): never => {
      throw new ThermoError('THERMO_MONITOR_CONFIG', message, { hint });
    };
    if (this.#weights.length > 0 && this.#version === '6.12')
      fail('6.12 has no probes', 'expected 7.2 or 7.3');
    if (this.#isAttributesOnly && this.#version !== '7.3')
      fail(`probes have no weights in ${this.#version}`, 'expected weights of 0, or 7.3');
    if (this.#probes.length > 0 && this.#pushCredit !== 'none')
      fail('push credit is modelled without probes of your own', 'leave one of them out');
  }

  /**
   * Bytes of a region from which the sampling address is drawn: all of them. damon_rand of 6.12 computes
   * in 32 bits and reaches only the first (size mod 4 GiB) bytes, or 4 GiB of a multiple of that.
   */
  #szSampled(sz: number): number {
    return this.#version === '6.12' ? sz % 2 ** 32 || 2 ** 32 : sz;
  }

  /** Up to 7.2 the moving sum is kept incrementally (damon_update_region_access_rate). */
  #slideSums(hits: Uint8Array, count: number): void {
    for (let i = 0; i < count; i++) {
      const region = this.#list[i];
      region.nrAccessesBp = incrementalMovingSum(
        region.nrAccessesBp,
        region.lastNrAccesses * 10000,
        this.#clock.windowSis,
        hits[i] * 10000,
      );
    }
  }

  #applyProbes(): void {
    for (const region of this.#list) {
      for (let probe = 0; probe < this.#probes.length; probe++) {
        if (this.#probes[probe].passes(region.samplingAddr))
          region.probeHits = addHit(region.probeHits, probe);
      }
    }
  }

  /** Since 7.1 the minimum number of regions is strict; before, merging alone respects the size limit. */
  #applyMinimum(): void {
    const { minNrRegions, minRegionSz } = this.attrs;
    if (this.#version === '6.12') {
      this.#szLimit = regionSzLimit(this.#list, minNrRegions, minRegionSz);
      return;
    }
    const { regions, szLimit } = applyMinNrRegions(this.#list, minNrRegions, minRegionSz);
    this.#list = regions;
    this.#szLimit = szLimit;
  }

  #layoutChanged(): void {
    const { length } = this.#list;
    this.peakRegions = Math.max(this.peakRegions, length);
    if (this.#pushCredit === 'none') return;
    if (this.#starts.length < length) {
      this.#starts = new Float64Array(length * 2);
      this.#isCredited = new Uint8Array(length * 2);
    }
    for (let i = 0; i < length; i++) this.#starts[i] = this.#list[i].start;
  }

  #locate(address: number): number {
    const starts = this.#starts;
    let low = 0;
    let high = this.#list.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle] <= address) low = middle;
      else high = middle - 1;
    }
    const region = this.#list[low];
    return region !== undefined && address >= region.start && address < region.end ? low : -1;
  }
}

function nameOf(version: DamonVersion, pushCredit: PushCredit): string {
  if (pushCredit === 'one-per-interval') return 'damon@push-rfc';
  if (pushCredit === 'every-sample') return 'damon@push-aug';
  return version === '7.3' ? 'damon' : `damon@${version}`;
}
