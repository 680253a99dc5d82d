/**
 * The faithful DAMON monitor: one random page per region and sampling interval, counts that are
 * forgotten each aggregation, random cuts. To compare with, and to predict what a kernel will do.
 *
 * Kernels without push sources ignore samples. The two prototypes that credit them (LKML, 29 May 2026
 * and August 2026) can be switched on: at most one hit per region and sampling interval, or every
 * sample. Either saturates on large regions, which is what they are here to show.
 */
import type { AccessBatch } from '../../memory/access-batch.ts';
import type { RandomStream } from '../../memory/random.ts';
import { type AddressRange, PAGE_SIZE, roundDown } from '../../memory/range.ts';
import { validateAttrs } from '../attrs.ts';
import { type CheckPlan, type Monitor, type MonitorAttrs, NO_REGIONS, type Regions } from '../monitor.ts';
import { rateOfShare } from '../rate.ts';
import { samplesPerAggr } from './formulas.ts';
import {
  applyMinNrRegions,
  type DamonRegion,
  type DamonVersion,
  mergeRegions,
  regionSzLimit,
  type SplitState,
  setRegions,
  splitRegions,
} from './region.ts';

/** How push samples count: not at all, one hit per region and interval, or each one. */
export type PushCredit = 'none' | 'one-per-interval' | 'every-sample';

export interface DamonOptions {
  readonly version?: DamonVersion;
  readonly pushCredit?: PushCredit;
}

/** sizeof(struct damon_region): 64 bytes since 7.2, 56 before. */
const REGION_BYTES: Readonly<Record<DamonVersion, number>> = { '7.3': 64, '7.2': 64, '6.12': 56 };

export class DamonMonitor implements Monitor, Regions {
  readonly name: string;
  attrs: MonitorAttrs;
  readonly regions: Regions = this;
  readonly spots = NO_REGIONS;
  peakRegions = 0;
  samplesOutside = 0;
  readonly #version: DamonVersion;
  readonly #pushCredit: PushCredit;
  readonly #random: RandomStream;
  readonly #splitState: SplitState = { lastNrRegions: 0, counter: 0 };
  readonly #samples: number;
  #list: DamonRegion[] = [];
  #szLimit = 0;
  readonly #plan: CheckPlan = { count: 0, addresses: new Float64Array(64) };

  /** `attrs.pullPerS` 0 switches pull checks off; any other value means DAMON's own: one per region. */
  constructor(attrs: MonitorAttrs, random: RandomStream, options: DamonOptions = {}) {
    validateAttrs(attrs);
    this.attrs = attrs;
    this.#version = options.version ?? '7.3';
    this.#pushCredit = options.pushCredit ?? 'none';
    this.#random = random.fork('damon');
    this.#samples = samplesPerAggr(attrs.sampleUs, attrs.aggrUs);
    this.name = this.#version === '7.3' ? 'damon' : `damon@${this.#version}`;
  }

  get metadataBytes(): number {
    return this.attrs.maxNrRegions * REGION_BYTES[this.#version];
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
    const share = Math.min(this.#list[i].nrAccesses, this.#samples - 0.5) / this.#samples;
    return rateOfShare(share, this.attrs.sampleUs / 1e6);
  }

  age(i: number): number {
    return this.#list[i].age;
  }

  isIdle(i: number): boolean {
    return this.#list[i].nrAccesses === 0;
  }

  /** nr_accesses, as the kernel reports it. */
  nrAccesses(i: number): number {
    return this.#list[i].nrAccesses;
  }

  setRanges(ranges: readonly AddressRange[]): void {
    this.#list = setRegions(this.#list, ranges, this.attrs.minRegionSz);
    this.#applyMinimum();
    this.#note();
  }

  setAttrs(attrs: MonitorAttrs, _isMidAggregation: boolean): void {
    validateAttrs(attrs);
    this.attrs = attrs;
  }

  planChecks(): CheckPlan {
    const plan = this.#plan;
    plan.count = 0;
    if (this.attrs.pullPerS === 0) return plan;
    if (plan.addresses.length < this.#list.length) plan.addresses = new Float64Array(this.#list.length * 2);
    for (const region of this.#list) {
      region.samplingAddr = region.start + this.#random.below(region.end - region.start);
      plan.addresses[plan.count++] = roundDown(region.samplingAddr, PAGE_SIZE);
    }
    return plan;
  }

  recordPull(hits: Uint8Array): void {
    for (let i = 0; i < this.#plan.count; i++) this.#list[i].nrAccesses += hits[i];
  }

  recordPush(batch: AccessBatch): void {
    if (this.#pushCredit === 'none') return;
    const credited = new Uint8Array(this.#list.length);
    for (let s = 0; s < batch.count; s++) {
      const i = this.#locate(batch.address[s]);
      if (i < 0) {
        this.samplesOutside++;
        continue;
      }
      if (this.#pushCredit === 'one-per-interval' && credited[i] === 1) continue;
      credited[i] = 1;
      this.#list[i].nrAccesses++;
    }
  }

  aggregate(): void {
    const highest = this.#list.reduce((max, region) => Math.max(max, region.nrAccesses), 0);
    this.#list = mergeRegions(this.#list, Math.floor(highest / 10), this.#szLimit, {
      maxNrRegions: this.attrs.maxNrRegions,
      samplesPerAggr: this.#samples,
      version: this.#version,
    });
    this.#applyMinimum();
  }

  resetAndSplit(): void {
    for (const region of this.#list) {
      region.lastNrAccesses = region.nrAccesses;
      region.nrAccesses = 0;
    }
    const { maxNrRegions, minRegionSz } = this.attrs;
    this.#list = splitRegions(
      this.#list,
      this.#splitState,
      { maxNrRegions, minRegionSz, version: this.#version },
      this.#random,
    );
    this.#note();
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

  #note(): void {
    this.peakRegions = Math.max(this.peakRegions, this.#list.length);
  }

  #locate(address: number): number {
    let low = 0;
    let high = this.#list.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#list[middle].start <= address) low = middle;
      else high = middle - 1;
    }
    const region = this.#list[low];
    return region !== undefined && address >= region.start && address < region.end ? low : -1;
  }
}
