/**
 * Chooses the pages for pull checks. Most of them sweep over all watched memory (explore); some go to
 * regions whose rate is known to be above nothing but not well enough (exploit), and a few around
 * surprising hits (probes).
 *
 * Exploring and exploiting checks are even inside a region, so that hits / trials estimates its mean;
 * probes are not, and say only where in the region heat lies.
 */
import type { RandomStream } from '../memory/random.ts';
import { type AddressRange, PAGE_SIZE } from '../memory/range.ts';
import type { CheckPlan, MonitorAttrs } from './monitor.ts';
import { ProbeQueue } from './probe-queue.ts';
import { hitShare, pullInformation } from './rate.ts';
import type { RegionIndex } from './region-index.ts';
import {
  HITS as HITS_AT,
  IS_SUSPECT,
  PUSHES as PUSHES_AT,
  type RegionTable,
  TRIALS as TRIALS_AT,
} from './region-table.ts';
import { Sweep } from './sweep.ts';

/** Copies, since V8 looks imported constants up at every use (see `ingest.ts`). */
const [HITS, TRIALS, PUSHES] = [HITS_AT, TRIALS_AT, PUSHES_AT];

/** Cells of the guide to the sums of needs. */
const GUIDE = 256;
/** Most of the checks that may be spent on known regions, and on probes. */
const MAX_EXPLOIT_SHARE = 0.4;
const MAX_PROBE_SHARE = 0.25;
/** Information about ln rate after which a region is known well enough: a standard error of 10 %. */
const ENOUGH_INFORMATION = 100;
/** Most checks that a region asks for at a time; a saturated one cannot get more out of them. */
const MOST_WANTED = 64;
/** Time in which wanted checks should be made. */
const WANTED_WITHIN_S = 0.5;
/**
 * Checks to see when known memory goes cold: so many per second for each region, and this share of all
 * in proportion to its hits if everything were checked.
 */
const UPKEEP_PER_S = 4;
const UPKEEP_SHARE = 0.1;
/**
 * Changes come in groups: when this share of the heat has changed, upkeep may take all that exploiting
 * may, for so many aggregations.
 */
const ALARM_HEAT = 0.02;
const ALARM_AGGRS = 4;

export class CheckPlanner implements CheckPlan {
  count = 0;
  addresses: Float64Array;
  /** Position in address order of the region of each check. */
  regionOf: Uint16Array;
  /** 1 for probes. */
  isProbe: Uint8Array;
  readonly probes = new ProbeQueue();
  readonly #sweep: Sweep;
  #sweepAt: Float64Array;
  #probeAt: Float64Array;
  /** Sums of the regions' needs in address order. */
  readonly #needs: Float32Array;
  /**
   * Guide to them (Chen and Asau, "On generating random variates from an empirical distribution", 1974): of
   * GUIDE equal cells of their range, the last region whose sum lies in an earlier cell.
   */
  readonly #guide = new Uint16Array(GUIDE + 1);
  #cellsPerNeed = 0;
  readonly #random: RandomStream;
  #carry = 0;
  #exploitCarry = 0;
  #wantedPerS = 0;
  #changedHeat = 0;
  #alarm = 0;

  constructor(attrs: MonitorAttrs, random: RandomStream) {
    const most = Math.ceil((attrs.pullPerS * attrs.sampleUs) / 1e6);
    this.addresses = new Float64Array(most);
    this.regionOf = new Uint16Array(most);
    this.isProbe = new Uint8Array(most);
    this.#sweepAt = new Float64Array(most);
    this.#probeAt = new Float64Array(most);
    this.#needs = new Float32Array(attrs.maxNrRegions + 1);
    this.#random = random;
    this.#sweep = new Sweep(random.fork('sweep'));
  }

  get metadataBytes(): number {
    return (
      this.#needs.byteLength +
      this.#guide.byteLength +
      this.addresses.length * (3 * 8 + 2 + 1) +
      this.probes.metadataBytes
    );
  }

  setRanges(ranges: readonly AddressRange[]): void {
    this.#sweep.setRanges(ranges);
  }

  /** Notes that the rate of a region has changed, with what was known of it before. */
  noteChange(table: RegionTable, slot: number, intervalS: number): void {
    this.#changedHeat += heatOf(table, slot, intervalS);
  }

  /** Recomputes the needs; to be called whenever the layout or the evidence changed. */
  reweigh(table: RegionTable, perS: number, intervalS: number): void {
    const { count, order, past, recent } = table;
    let heat = 0;
    // Of every region the share of checks that hit, until its need takes the place.
    for (let i = 0; i < count; i++) {
      const slot = order[i];
      const share = table.rate[slot] > 0 ? hitShare(table.rate[slot], intervalS) : 0;
      this.#needs[i + 1] = share;
      heat += share * (table.end[slot] - table.start[slot]);
    }
    this.#alarm = this.#changedHeat > ALARM_HEAT * heat ? ALARM_AGGRS : Math.max(0, this.#alarm - 1);
    this.#changedHeat = 0;
    const upkeepPerHeat = heat > 0 ? ((this.#alarm > 0 ? MAX_EXPLOIT_SHARE : UPKEEP_SHARE) * perS) / heat : 0;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const slot = order[i];
      const at = slot * 4;
      const pushes = past[at + PUSHES] + recent[at + PUSHES];
      if (pushes + past[at + HITS] + recent[at + HITS] > 0) {
        const share = this.#needs[i + 1];
        const perTrial = pullInformation(table.rate[slot], intervalS, share);
        const trials = past[at + TRIALS] + recent[at + TRIALS];
        const missing = ENOUGH_INFORMATION - pushes - trials * perTrial;
        sum += UPKEEP_PER_S + upkeepPerHeat * share * (table.end[slot] - table.start[slot]);
        if (missing > 0 && trials < 4 * MOST_WANTED) {
          sum += Math.min(MOST_WANTED, missing / Math.max(perTrial, 0.05)) / WANTED_WITHIN_S;
        }
      } else if ((table.flags[slot] & IS_SUSPECT) !== 0) sum += MOST_WANTED / WANTED_WITHIN_S;
      table.flags[slot] &= ~IS_SUSPECT;
      this.#needs[i + 1] = sum;
    }
    this.#wantedPerS = sum;
    this.#makeGuide(count);
  }

  #makeGuide(count: number): void {
    const needs = this.#needs;
    const guide = this.#guide;
    const perNeed = needs[count] > 0 ? GUIDE / needs[count] : 0;
    let cell = 1;
    for (let i = 1; i < count; i++) {
      for (; cell <= GUIDE && needs[i] * perNeed >= cell; cell++) guide[cell] = i - 1;
    }
    guide.fill(Math.max(0, count - 1), cell);
    this.#cellsPerNeed = perNeed;
  }

  /** Plans `perS` checks per second for `intervalS` (fractions carry over). */
  plan(table: RegionTable, index: RegionIndex, perS: number, intervalS: number): CheckPlan {
    this.#carry += perS * intervalS;
    const count = Math.floor(this.#carry);
    this.#carry -= count;
    this.count = count;
    if (this.addresses.length < count) {
      this.addresses = new Float64Array(count);
      this.regionOf = new Uint16Array(count);
      this.isProbe = new Uint8Array(count);
      this.#sweepAt = new Float64Array(count);
      this.#probeAt = new Float64Array(count);
    }
    if (count === 0) return this;
    this.#exploitCarry += Math.min(MAX_EXPLOIT_SHARE * count, this.#wantedPerS * intervalS);
    const exploit = Math.min(count, Math.floor(this.#exploitCarry));
    this.#exploitCarry -= exploit;
    const probes = this.probes.take(
      this.#probeAt,
      Math.min(count - exploit, Math.ceil(MAX_PROBE_SHARE * count)),
      this.#random,
    );
    const explore = count - exploit - probes;
    if (explore > 0) this.#sweep.fill(this.#sweepAt, explore);
    this.#merge(table, index, explore, exploit, probes);
    return this;
  }

  /** Merges the three ascending samples; each check with the position of its region. */
  #merge(table: RegionTable, index: RegionIndex, explore: number, exploit: number, probes: number): void {
    const { order, start, end } = table;
    const { addresses, regionOf, isProbe } = this;
    const needs = this.#needs;
    const sweepAt = this.#sweepAt;
    const probeAt = this.#probeAt;
    const step = needs[table.count] / Math.max(1, exploit);
    let at = 0;
    let e = 0;
    let p = 0;
    // Places that are taken in turn: the next of each sample, Infinity when it is used up.
    let nextSweep = explore > 0 ? sweepAt[0] : Number.POSITIVE_INFINITY;
    let nextProbe = probes > 0 ? probeAt[0] : Number.POSITIVE_INFINITY;
    for (let x = 0; x <= exploit; x++) {
      let region = 0;
      let address = Number.POSITIVE_INFINITY;
      if (x < exploit) {
        const place = (x + this.#random.unit()) * step;
        const cell = Math.min(GUIDE - 1, Math.floor(place * this.#cellsPerNeed));
        region = lastAtMost(needs, this.#guide[cell], this.#guide[cell + 1], place);
        const slot = order[region];
        const pages = (end[slot] - start[slot]) / PAGE_SIZE;
        const share = (place - needs[region]) / (needs[region + 1] - needs[region]);
        const page = Math.max(0, Math.min(pages - 1, Math.floor(share * pages)));
        address = start[slot] + page * PAGE_SIZE;
      }
      while (nextSweep <= address || nextProbe <= address) {
        const isSweep = nextSweep <= nextProbe;
        const next = isSweep ? nextSweep : nextProbe;
        if (next === Number.POSITIVE_INFINITY) break;
        const i = index.locate(next);
        // Probes near an edge may fall into a gap between ranges.
        if (i >= 0) {
          addresses[at] = next;
          regionOf[at] = i;
          isProbe[at++] = isSweep ? 0 : 1;
        }
        if (isSweep) nextSweep = ++e < explore ? sweepAt[e] : Number.POSITIVE_INFINITY;
        else nextProbe = ++p < probes ? probeAt[p] : Number.POSITIVE_INFINITY;
      }
      if (address === Number.POSITIVE_INFINITY) break;
      addresses[at] = address;
      regionOf[at] = region;
      isProbe[at++] = 0;
    }
    this.count = at;
  }
}

/** Last index from `first` to `last` whose sum is at most `value`, with a need of its own. */
function lastAtMost(sums: Float32Array, first: number, last: number, value: number): number {
  let low = first;
  let high = last;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sums[middle] <= value) low = middle;
    else high = middle - 1;
  }
  while (low > 0 && sums[low + 1] === sums[low]) low--;
  return low;
}

/** Bytes that would be found accessed. */
function heatOf(table: RegionTable, slot: number, intervalS: number): number {
  const rate = table.rate[slot];
  return rate > 0 ? table.sz(slot) * hitShare(rate, intervalS) : 0;
}
