/**
 * HybridTier (ASPLOS'25), sketches of long-term frequency and of momentum: tiering_runtime/hybridtier.cpp
 * of its artifact, reference tiering-systems section 7.3.
 *
 * Samples are collected in batches of 100,000, counted per page, and added to two counting Bloom filters:
 * one sized for the pages of the fast tier and slow to age, one of a hundredth of it that is halved every
 * 1.1 million samples. A page with frequency 5 or momentum 3 is promoted. When less than 1.25 % of the fast
 * tier are free after a batch, pages without momentum and with less frequency are demoted in address
 * order until 5 % are; frequent ones without momentum get a second chance: they go if their frequency
 * is the same 60 s later. While the share of fast accesses is stable, it samples 5 s and rests 5 s.
 *
 * Samples are loads, 100,001 a second of one CPU as its perf_sample_freq_list begins; the machine's rate is
 * raised by the share of stores, which are dropped. It moves pages itself (move_pages of at most 1,024),
 * and loses the samples of that time. The share of fast accesses comes from samples, in the artifact from
 * counters of `perf stat`.
 *
 * Not modelled, as the reference leaves them out: the throttling of demotion and of sampling in the fast
 * tier, the threshold that falls on a plateau, its monitor mode. The artifact rounds filters up to powers of
 * two, here they have their computed size; it scans memory maps of 4 MiB and more, here all ranges.
 */

import type { AccessBatch } from '../memory/access-batch.ts';
import type { ActionOutcome } from '../memory/action.ts';
import { PAGE_SIZE } from '../memory/range.ts';
import { topTierNodes } from '../memory/tier.ts';
import { ARRAY_RECORD_NS, HASH_RECORD_NS, MIGRATE_PAGE_NS, PEBS_RECORD_NS } from './costs.ts';
import { CountingFilter, countersPerElement, MAX_COUNT } from './counting-filter.ts';
import type { Footprint } from './footprint.ts';
import { visitPages } from './hot-pages.ts';
import { PageIndex } from './page-index.ts';
import { PageSweep } from './page-sweep.ts';
import { SampleBatch } from './sample-batch.ts';
import { SamplingDuty } from './sampling-duty.ts';
import { nearestLowerNode, nearestTopNode } from './tiers.ts';
import type { Tracker, TrackerCpu, TrackerFactory, TrackerHost } from './tracker.ts';

const STEP_US = 100_000;
/** SAMPLE_BATCH_SIZE. */
const BATCH_SAMPLES = 100_000;
/** perf_sample_freq_list[4]. */
const SAMPLES_PER_S = 100_001;
/** While resting the machine still has to be asked for something. */
const RESTING_PER_S = 1;
const HOT_FREQUENCY = 5;
const HOT_MOMENTUM = 3;
const FALSE_POSITIVES = 0.001;
/** W: increases of the frequency filter between agings, per page of the fast tier. */
const AGING_PER_PAGE = 160;
const MOMENTUM_SHARE = 100;
const MOMENTUM_AGING = 1_100_000;
/** ALLOC_WMARK and DEMOTE_WMARK, of the fast tier. */
const ALLOC_MARK = 0.0125;
const DEMOTE_MARK = 0.05;
const SECOND_CHANCE_US = 60_000_000;
const SECOND_CHANCES = 10_000;
/** PAGE_MIGRATE_BATCH_SIZE. */
const MOVE_PAGES = 1_024;
/** A node of the artifact's map of a batch (inferred). */
const MAP_NODE_BYTES = 40;
/** Two filters of 4-bit counters, and the map of the samples of a batch. */
export const HYBRIDTIER_FOOTPRINT: Footprint = {
  of: 'fast tier',
  recordBytes: (countersPerElement(FALSE_POSITIVES) / 2) * (1 + 1 / MOMENTUM_SHARE),
  fixedBytes: BATCH_SAMPLES * MAP_NODE_BYTES,
};
const PAGES_KEPT = 65_536;
/** The share of fast accesses is taken from one page in so many: to find a node costs 100 ns or more. */
const SHARE_STRIDE = 16;

export class Hybridtier implements Tracker {
  readonly name = 'hybridtier';
  readonly stepUs = STEP_US;
  readonly usesSamples = true;
  readonly metadataBytes: number;
  readonly #host: TrackerHost;
  readonly #index: PageIndex;
  readonly #isTop: Uint8Array;
  readonly #fastNid: number;
  readonly #slowNid: number;
  readonly #fastBytes: number;
  readonly #frequency: CountingFilter;
  readonly #momentum: CountingFilter;
  readonly #batch = new SampleBatch(BATCH_SAMPLES);
  readonly #duty: SamplingDuty;
  readonly #sweep: PageSweep;
  /** Pages with a second chance, and their frequency when they got it. */
  readonly #chancePage = new Int32Array(SECOND_CHANCES);
  readonly #chanceFrequency = new Uint8Array(SECOND_CHANCES);
  #chances = 0;
  #chancesAtUs: number;
  /** Pages found hot last, as the filters cannot be listed. */
  #hot = new Float64Array(0);
  readonly #cpu: TrackerCpu = { applicationNs: 0, backgroundNs: 0 };
  #movingBytes = 0;
  #askedPerS = 0;
  readonly #counters = {
    samples: 0,
    stores_dropped: 0,
    num_perf_record_lost: 0,
    num_sample_batches: 0,
    pages_migrated: 0,
    pages_demoted: 0,
    second_chance_pages: 0,
    second_chance_demoted: 0,
  };

  constructor(host: TrackerHost) {
    this.#host = host;
    this.#index = new PageIndex(host.ranges());
    this.#isTop = topTierNodes(host.nodes);
    const fast = nearestTopNode(host.nodes);
    this.#fastNid = fast.nid;
    this.#fastBytes = fast.capacityBytes;
    this.#slowNid = nearestLowerNode(host.nodes)?.nid ?? -1;
    const fastPages = fast.capacityBytes / PAGE_SIZE;
    const counters = Math.ceil(fastPages * countersPerElement(FALSE_POSITIVES));
    this.#frequency = new CountingFilter(counters, AGING_PER_PAGE * fastPages);
    this.#momentum = new CountingFilter(counters / MOMENTUM_SHARE, MOMENTUM_AGING);
    this.metadataBytes =
      this.#frequency.metadataBytes + this.#momentum.metadataBytes + BATCH_SAMPLES * MAP_NODE_BYTES;
    this.#sweep = new PageSweep(host, this.#index, this.#fastNid);
    this.#duty = new SamplingDuty(host.nowUs());
    this.#chancesAtUs = host.nowUs();
    this.#ask(SAMPLES_PER_S);
  }

  takeSamples(batch: AccessBatch): void {
    this.#counters.num_perf_record_lost += batch.dropped;
    if (!this.#duty.isOn) return;
    const recordedOn = new Float64Array(this.#isTop.length);
    let loads = 0;
    for (let i = 0; i < batch.count; i++) {
      if (batch.isStore[i] === 1) continue;
      loads++;
      recordedOn[Math.max(0, batch.nid[i])]++;
      this.#sample(batch.address[i]);
    }
    this.#counters.stores_dropped += batch.count - loads;
    // As many loads as asked for; a batch of a few samples tells no share.
    if (loads > 1_000) this.#ask(SAMPLES_PER_S / (Math.round((loads / batch.count) * 20) / 20 || 0.05));
    this.#cpu.backgroundNs += loads * HASH_RECORD_NS;
    recordedOn.forEach((count, nid) => {
      if (count === 0) return;
      this.#cpu.applicationNs += count * PEBS_RECORD_NS;
      this.#host.signals.charge(nid, (count * PEBS_RECORD_NS) / 1000);
    });
  }

  step(): void {
    if (this.#duty.step(this.#host.nowUs())) this.#ask(this.#duty.isOn ? SAMPLES_PER_S : RESTING_PER_S);
  }

  onMoved(start: number, end: number, outcome: ActionOutcome): void {
    this.#movingBytes -= end - start;
    if (outcome !== 'applied') return;
    const pages = (end - start) / PAGE_SIZE;
    if (this.#isTop[this.#host.nidOf(start)] === 1) this.#counters.pages_migrated += pages;
    else this.#counters.pages_demoted += pages;
  }

  counters(): Readonly<Record<string, number>> {
    return {
      ...this.#counters,
      frequency_agings: this.#frequency.agings,
      momentum_agings: this.#momentum.agings,
    };
  }

  get cpu(): Readonly<TrackerCpu> {
    return this.#cpu;
  }

  /** The pages of the last batch that were hot. */
  forEachHot(visit: (start: number, end: number) => void): void {
    visitPages(this.#hot, visit);
  }

  #ask(perS: number): void {
    if (perS === this.#askedPerS) return;
    this.#askedPerS = perS;
    this.#host.setPush?.({ kind: 'rate', perS });
  }

  #sample(address: number): void {
    if (this.#movingBytes > 0) {
      this.#counters.num_perf_record_lost++;
      return;
    }
    const page = this.#index.indexOf(address);
    if (page < 0) return;
    this.#counters.samples++;
    if (!this.#batch.add(page)) return;
    this.#processBatch();
    this.#batch.clear();
  }

  #processBatch(): void {
    const { page, times, count } = this.#batch;
    this.#counters.num_sample_batches++;
    const agings = this.#momentum.agings;
    const hot: number[] = [];
    const slow: number[] = [];
    let [fastSeen, slowSeen] = [0, 0];
    for (let i = 0; i < count; i++) {
      const frequency = this.#frequency.increase(page[i], times[i]);
      const momentum = this.#momentum.increase(page[i], times[i]);
      const isHot = frequency >= HOT_FREQUENCY || momentum >= HOT_MOMENTUM;
      if (!isHot && i % SHARE_STRIDE !== 0) continue;
      const address = this.#index.addressOf(page[i]);
      const nid = this.#host.nidOf(address);
      const isFast = nid < this.#isTop.length && this.#isTop[nid] === 1;
      if (i % SHARE_STRIDE === 0) {
        if (isFast) fastSeen += times[i];
        else slowSeen += times[i];
      }
      if (!isHot) continue;
      if (hot.length < PAGES_KEPT) hot.push(address);
      if (!isFast && nid < this.#isTop.length) slow.push(address);
    }
    if (this.#momentum.agings > agings) this.#sweep.restart();
    this.#duty.count(fastSeen, slowSeen);
    this.#hot = Float64Array.from(hot);
    this.#cpu.backgroundNs += 2 * count * ARRAY_RECORD_NS;
    if (this.#slowNid < 0) return;
    visitPages(Float64Array.from(slow), (start, end) => this.#move(start, end, this.#fastNid));
    const free = this.#host.gauge(this.#fastNid).freeBytes;
    if (free <= this.#fastBytes * ALLOC_MARK) this.#demote(free);
  }

  #demote(free: number): void {
    const nowUs = this.#host.nowUs();
    let missing = this.#fastBytes * DEMOTE_MARK - free;
    if (this.#chances > 0 && nowUs - this.#chancesAtUs > SECOND_CHANCE_US) {
      missing -= this.#judgeChances();
      this.#chancesAtUs = nowUs;
    }
    if (missing <= 0) return;
    this.#sweep.collect(
      Math.ceil(missing / PAGE_SIZE),
      0,
      (page) => this.#isVictim(page),
      (start, end) => this.#move(start, end, this.#slowNid),
    );
  }

  #isVictim(page: number): boolean {
    if (this.#momentum.frequency(page) >= 1) return false;
    const frequency = this.#frequency.frequency(page);
    if (frequency < HOT_FREQUENCY) return true;
    if (this.#chances === SECOND_CHANCES) return false;
    // A full counter could not show another access.
    if (frequency === MAX_COUNT) this.#frequency.decrease(page);
    this.#chancePage[this.#chances] = page;
    this.#chanceFrequency[this.#chances++] = Math.min(frequency, MAX_COUNT - 1);
    this.#counters.second_chance_pages++;
    return false;
  }

  /** Demotes the pages that nobody was seen to use since they got their chance; the bytes. */
  #judgeChances(): number {
    const failed: number[] = [];
    for (let i = 0; i < this.#chances; i++) {
      const page = this.#chancePage[i];
      if (this.#frequency.frequency(page) !== this.#chanceFrequency[i]) continue;
      const address = this.#index.addressOf(page);
      if (this.#host.nidOf(address) === this.#fastNid) failed.push(address);
    }
    this.#chances = 0;
    this.#counters.second_chance_demoted += failed.length;
    visitPages(Float64Array.from(new Set(failed)), (start, end) => this.#move(start, end, this.#slowNid));
    return failed.length * PAGE_SIZE;
  }

  /** move_pages, at most 1,024 pages a call. */
  #move(start: number, end: number, nid: number): void {
    for (let from = start; from < end; from += MOVE_PAGES * PAGE_SIZE) {
      this.#host.migrate(from, Math.min(end, from + MOVE_PAGES * PAGE_SIZE), nid);
    }
    this.#movingBytes += end - start;
    this.#cpu.backgroundNs += ((end - start) / PAGE_SIZE) * MIGRATE_PAGE_NS;
  }
}

export const createHybridtier: TrackerFactory = (host) => new Hybridtier(host);
