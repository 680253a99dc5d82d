/**
 * The evidence monitor: region records that keep what was seen, and where.
 *
 * DAMON checks one random page per region and interval, keeps a count, forgets it every aggregation
 * and cuts at random. Here each record holds evidence from both sources until its rate changes, and
 * bins that say where in the region it was seen; regions are cut where a likelihood ratio says that two
 * rates explain the evidence better than one, and joined where that loses least, only when the bounded
 * number of records is needed. Age, minimum size and range updates are DAMON's (reference:
 * mm/damon/core.c, as of Linux 7.3). What is too small or too sparse for regions is in the spot table.
 */
import type { AccessBatch } from '../memory/access-batch.ts';
import type { AreaChecks } from '../memory/area-checks.ts';
import { ThermoError } from '../memory/error.ts';
import type { RandomStream } from '../memory/random.ts';
import type { AddressRange } from '../memory/range.ts';
import { hasScoreChanged } from './age.ts';
import { maxRangesFor, validateAttrs } from './attrs.ts';
import { halveBins } from './bins.ts';
import { absorbInterval } from './change.ts';
import { CheckPlanner } from './check-planner.ts';
import { type Ingested, ingest } from './ingest.ts';
import { ingestAreas } from './ingest-areas.ts';
import { ingestChecks } from './ingest-checks.ts';
import { mergeDown } from './merge.ts';
import type { CheckPlan, Monitor, MonitorAttrs, Regions } from './monitor.ts';
import { type EvidenceQuality, SourceMeter } from './quality.ts';
import { credibleInterval, hitShare } from './rate.ts';
import { refine } from './refine.ts';
import { RegionIndex } from './region-index.ts';
import { IS_DENSE, IS_UNSETTLED, RegionTable } from './region-table.ts';
import { rescale } from './rescale.ts';
import { SourceTrust } from './source-trust.ts';
import { splitByEvidence } from './split.ts';
import { SPOT_BYTES, SPOT_PAGES, SpotTable } from './spot-table.ts';
import { SpotRegions } from './spots.ts';
import { storeShareOf, topUser } from './users.ts';

/** Bytes of everything, per region allowed: 320 KiB at 1,000 regions, as a fixed grid of 81,920 counters. */
const BYTES_PER_REGION = 327.68;
/** Share of the records that an even division of new memory uses; the rest is room for the first cuts. */
const EVEN_SHARE = 0.9;
/**
 * Samples per second and block of the spot table from which single pages of a region are not
 * remembered: its bins learn their place soon enough, and they would crowd out the rare ones.
 */
const DENSE_PER_S = 0.1;
/** Bins up to this size place an event as well as the spot table does. */
const FINE_SHIFT = 14;
/** Edges are probed for up to twice the size of a part, at most 1 GiB. */
const MAX_EDGE_SHIFT = 30;
/** The spot table takes in at most this share of its entries (1 / n) per aggregation: more would only crowd out. */
const SPOT_TURNOVER = 4;
const EVEN_WEIGHTS = { pull: 1, push: 1 };
/** How often a freshly cut region is looked at again with what the spot table knows of it. */
const ZOOMS = 4;
/** A cut is looked for when the events behind a region have grown by this share since the last look. */
const LOOK_AGAIN = 0.2;
/** Aggregations between two estimates of a region of so many events in which nothing happens. */
const STILL_UPDATE_AGGRS = 4;
const MANY_EVENTS = 16;
/** Aggregations after which bins count half. */
const BIN_HALF_LIFE_AGGRS = 160;

export class EvidenceMonitor implements Monitor, Regions {
  readonly name = 'evidence';
  attrs: MonitorAttrs;
  readonly regions: Regions = this;
  readonly spots: SpotRegions;
  peakRegions = 0;
  samplesOutside = 0;
  readonly #table: RegionTable;
  readonly #index: RegionIndex;
  readonly #planner: CheckPlanner;
  readonly #spotTable: SpotTable;
  readonly #trust = new SourceTrust();
  readonly #meter = new SourceMeter();
  readonly #areaRandom: RandomStream;
  /** Slots in which a cut is to be looked for. */
  readonly #look: Uint16Array;
  /** Exposure of the samples of this aggregation interval. */
  #nowExposureS = 0;
  #lastExposureS = 0;
  /** Samples of this interval that the spot table should have seen, and those it has. */
  #sparse = 0;
  #remembered = 0;
  readonly #ingested: Ingested = { outside: 0, sparse: 0, remembered: 0 };
  readonly #evenRegions: number;
  #rangeCount = 0;
  #aggregations = 0;

  constructor(attrs: MonitorAttrs, random: RandomStream) {
    validateAttrs(attrs);
    this.attrs = attrs;
    this.#trust.weights = attrs.weights ?? EVEN_WEIGHTS;
    const { maxNrRegions } = attrs;
    this.#table = new RegionTable(maxNrRegions, attrs.minRegionSz);
    this.#index = new RegionIndex(maxNrRegions);
    this.#planner = new CheckPlanner(attrs, random.fork('checks'));
    this.#look = new Uint16Array(maxNrRegions);
    this.#areaRandom = random.fork('areas');
    this.#evenRegions = Math.max(attrs.minNrRegions, Math.floor(maxNrRegions * EVEN_SHARE));
    const budget = Math.floor(maxNrRegions * BYTES_PER_REGION);
    const taken =
      this.#table.metadataBytes +
      this.#index.metadataBytes +
      this.#planner.metadataBytes +
      this.#look.byteLength +
      SpotTable.fixedBytes;
    this.#spotTable = new SpotTable(Math.max(0, Math.floor((budget - taken) / SPOT_BYTES)));
    this.spots = new SpotRegions(this.#table, this.#index, this.#spotTable);
  }

  get metadataBytes(): number {
    return (
      this.#table.metadataBytes +
      this.#index.metadataBytes +
      this.#planner.metadataBytes +
      this.#spotTable.metadataBytes +
      this.#look.byteLength
    );
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

  /** Ends of the 95 % credible interval of a region's rate. */
  rateInterval(i: number): { readonly low: number; readonly high: number } {
    const { rate, information, exposure } = this.#trust.estimate(
      this.#table,
      this.#table.order[i],
      this.#intervalS(),
    );
    return credibleInterval(rate, information, exposure);
  }

  age(i: number): number {
    return this.#table.age[this.#table.order[i]];
  }

  isIdle(i: number): boolean {
    const slot = this.#table.order[i];
    return this.#table.nowHits[slot] + this.#table.nowPushes[slot] === 0;
  }

  nrAccesses(i: number): number {
    return Math.round(this.#samplesPerAggr() * hitShare(this.rate(i), this.#intervalS()));
  }

  /** Node whose CPUs access the region most, of those that samples name; -1 where none do. */
  accessingNid(i: number): number {
    return topUser(this.#table, this.#table.order[i]);
  }

  /** Share of its samples that are stores; NaN where none tell. */
  storeShare(i: number): number {
    return storeShareOf(this.#table, this.#table.order[i]);
  }

  /** How good the evidence behind the rates is. */
  quality(): EvidenceQuality {
    return this.#meter.quality(this.#table, this.#trust, this.#intervalS());
  }

  setAttrs(attrs: MonitorAttrs, _isMidAggregation: boolean): void {
    validateAttrs(attrs);
    const old = this.attrs;
    if (attrs.maxNrRegions !== old.maxNrRegions || attrs.minRegionSz !== old.minRegionSz) {
      throw new ThermoError(
        'THERMO_MONITOR_CONFIG',
        'the most regions and their smallest size are fixed when monitoring starts',
        { hint: `keep ${old.maxNrRegions} regions of ${old.minRegionSz} bytes or more, or start anew` },
      );
    }
    this.attrs = attrs;
    this.#trust.weights = attrs.weights ?? EVEN_WEIGHTS;
    if (attrs.sampleUs !== old.sampleUs || attrs.aggrUs !== old.aggrUs) rescale(this.#table, old, attrs);
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
    this.#table.setRanges(ranges, this.#evenRegions);
    this.#index.setRanges(ranges);
    this.#planner.setRanges(ranges);
    this.#layoutChanged();
  }

  planChecks(): CheckPlan {
    // A source of weight 0 is not asked at all.
    const perS = this.attrs.weights?.pull === 0 ? 0 : this.attrs.pullPerS;
    return this.#planner.plan(this.#table, this.#index, perS, this.#intervalS());
  }

  recordPull(hits: Uint8Array): void {
    this.#meter.addChecks(this.#planner.count);
    ingestChecks(this.#table, this.#planner, this.#spotTable, hits, this.#intervalS());
  }

  recordAreas(areas: AreaChecks): void {
    if (this.attrs.weights?.pull === 0) return;
    this.#meter.addChecks(ingestAreas(this.#table, this.#index, areas, this.#areaRandom));
  }

  recordPush(batch: AccessBatch): void {
    if (this.attrs.weights?.push === 0) return;
    this.#meter.addSamples(batch.count, batch.dropped);
    const room = Math.max(0, this.#spotTable.capacity / SPOT_TURNOVER - this.#remembered);
    ingest(this.#table, this.#index, this.#spotTable, batch, room, this.#ingested);
    const { outside, sparse, remembered } = this.#ingested;
    this.samplesOutside += outside;
    this.#sparse += sparse;
    this.#remembered += remembered;
    // Lost samples are lost exposure, not absence of accesses.
    const taken = batch.count + batch.dropped;
    this.#nowExposureS += taken > 0 ? (batch.exposureS * batch.count) / taken : batch.exposureS;
  }

  aggregate(): void {
    const table = this.#table;
    const intervalS = this.#intervalS();
    this.#aggregations++;
    this.#meter.tick(this.attrs.aggrUs / 1e6);
    this.#trust.begin();
    for (let i = 0; i < table.count; i++) {
      const slot = table.order[i];
      const hasChanged = absorbInterval(table, slot, this.#nowExposureS);
      if (hasChanged) this.#planner.noteChange(table, slot, intervalS);
      // Where much is known and nothing was seen the estimate falls slowly: now and then is enough.
      const isStill =
        !hasChanged &&
        table.nowHits[slot] + table.nowPushes[slot] === 0 &&
        table.events(slot) >= MANY_EVENTS &&
        (slot + this.#aggregations) % STILL_UPDATE_AGGRS !== 0;
      if (!isStill) this.#trust.update(table, slot, intervalS);
    }
    this.#trust.end();
    this.#spotTable.tick(this.#nowExposureS * (this.#sparse > 0 ? this.#remembered / this.#sparse : 1));
    this.#sparse = 0;
    this.#remembered = 0;
    this.#updateAges();
    this.spots.invalidate();
  }

  resetAndSplit(): void {
    const table = this.#table;
    const looks = this.#chooseLooks();
    table.nowHits.fill(0);
    table.nowTrials.fill(0);
    table.nowPushes.fill(0);
    this.#lastExposureS = this.#nowExposureS;
    this.#nowExposureS = 0;
    this.#split(looks);
    this.#markDense();
    this.#layoutChanged();
    this.spots.invalidate();
  }

  /** Cuts, and looks again at what was cut out with finer bins. */
  #split(looks: number): void {
    const table = this.#table;
    let count = looks;
    for (let zoom = 0; zoom < ZOOMS && count > 0; zoom++) {
      const parts = splitByEvidence(table, this.#look, count, this.#sizeLimit());
      count = 0;
      for (let k = 0; k < parts; k++) {
        const slot = this.#look[k];
        this.#trust.update(table, slot, this.#intervalS());
        refine(table, slot, this.#spotTable);
        this.#probeEdges(slot);
        if (table.events(slot) > 0) this.#look[count++] = slot;
      }
    }
  }

  /** Asks for checks just outside a hot part that was cut out, in case it goes on there. */
  #probeEdges(slot: number): void {
    const table = this.#table;
    if (this.attrs.pullPerS === 0 || table.events(slot) === 0) return;
    const shift = Math.min(MAX_EDGE_SHIFT, Math.ceil(Math.log2(table.sz(slot))) + 1);
    this.#planner.probes.addEdges(table.start[slot], table.end[slot], shift);
  }

  /** Marks the regions whose single pages need not be remembered. */
  #markDense(): void {
    const table = this.#table;
    const exposurePerS = (this.#lastExposureS * 1e6) / this.attrs.aggrUs;
    const limit = DENSE_PER_S / (SPOT_PAGES * Math.max(1e-12, exposurePerS));
    for (let i = 0; i < table.count; i++) {
      const slot = table.order[i];
      const isSettled = (table.flags[slot] & IS_UNSETTLED) === 0;
      const isDense = isSettled && (table.binShift[slot] <= FINE_SHIFT || table.rate[slot] > limit);
      if (isDense) table.flags[slot] |= IS_DENSE;
      else table.flags[slot] &= ~IS_DENSE;
    }
  }

  /** Regions with new events worth a look; also lets old bins fade, a share of them each time. */
  #chooseLooks(): number {
    const table = this.#table;
    let looks = 0;
    for (let i = 0; i < table.count; i++) {
      const slot = table.order[i];
      if ((slot + this.#aggregations) % BIN_HALF_LIFE_AGGRS === 0) {
        halveBins(table, slot, ((this.#aggregations / BIN_HALF_LIFE_AGGRS) & 1) as 0 | 1);
      }
      const fresh = table.nowHits[slot] + table.nowPushes[slot];
      const unseen = Math.min(65535, table.unseen[slot] + fresh);
      table.unseen[slot] = unseen;
      if (unseen === 0) continue;
      if (unseen < LOOK_AGAIN * table.events(slot) && unseen < 65535) continue;
      table.unseen[slot] = 0;
      table.flags[slot] &= ~IS_UNSETTLED;
      this.#look[looks++] = slot;
    }
    return looks;
  }

  #layoutChanged(): void {
    this.#index.rebuild(this.#table);
    this.#planner.reweigh(this.#table, this.attrs.pullPerS, this.#intervalS());
    this.peakRegions = Math.max(this.peakRegions, this.#table.count);
  }

  /** DAMON's sz_limit: no region larger than all memory / minNrRegions arises by merging. */
  #sizeLimit(): number {
    return Math.max(this.attrs.minRegionSz, this.#table.totalBytes / this.attrs.minNrRegions);
  }

  #intervalS(): number {
    return this.attrs.sampleUs / 1e6;
  }

  #samplesPerAggr(): number {
    return Math.max(1, Math.floor(this.attrs.aggrUs / this.attrs.sampleUs));
  }

  /**
   * DAMON's age rule on the expected nr_accesses: 0 when it differs by more than a tenth of the
   * highest, or when one of the two is (near) zero and the other is not; else one more.
   */
  #updateAges(): void {
    const table = this.#table;
    const intervalS = this.#intervalS();
    const samples = this.#samplesPerAggr();
    let highest = 0;
    for (let i = 0; i < table.count; i++) highest = Math.max(highest, table.rate[table.order[i]]);
    const threshold = (samples * hitShare(highest, intervalS)) / 10;
    for (let i = 0; i < table.count; i++) {
      const slot = table.order[i];
      // A region in which nothing was seen counts 0, whatever older evidence says.
      const idle = table.nowHits[slot] + table.nowPushes[slot] === 0;
      const score = idle ? 0 : samples * hitShare(table.rate[slot], intervalS);
      const last = table.lastScore[slot];
      if (hasScoreChanged(score, last, threshold)) table.age[slot] = 0;
      else table.age[slot]++;
      table.lastScore[slot] = score;
    }
  }
}
