/**
 * MEMTIS (SOSP'23), a histogram of the hotness of all pages and thresholds that fill DRAM: linux/mm/htmm_*.c
 * of cosmoss-jigu/memtis, reference tiering-systems section 7.1.
 *
 * Each sample raises its page's score; a threshold, adapted every 100,000 samples, makes as many pages
 * hot as DRAM holds; every 2,000,000 samples all scores are halved. Every 500 ms hot pages of the slow tier
 * are promoted, and cold ones, then warm ones, demoted as far as DRAM lacks room for them. It chooses its
 * sampling period itself, through the host's `setPush`.
 *
 * Not modelled: huge pages and their splitting (all pages are 4 KiB), cooling by newly allocated memory
 * (nothing is allocated while a workload runs). Scores are halved at once; MEMTIS does so when it next
 * meets a page. Demotion takes pages in address order from where it stopped, MEMTIS from its inactive lists.
 * Pages are chosen in the order in which they became hot and go by address within a pass. Names of
 * counters are those of its traces.
 *
 * Speed on 192 GiB (Node 20, one busy core of two): 5 M samples/s, a walk over all 50 million scores 0.3 s.
 */

import type { AccessBatch } from '../memory/access-batch.ts';
import type { ActionOutcome } from '../memory/action.ts';
import { RandomStream } from '../memory/random.ts';
import { PAGE_SIZE } from '../memory/range.ts';
import { topTierNodes } from '../memory/tier.ts';
import { MIGRATE_PAGE_NS, PEBS_RECORD_NS, PEBS_UPDATE_NS, WALK_ELEMENT_NS } from './costs.ts';
import type { Footprint } from './footprint.ts';
import { RangeJoiner, visitPages } from './hot-pages.ts';
import {
  adaptThresholds,
  BINS,
  binOf,
  FIRST_THRESHOLDS,
  hotCapacityPages,
  leastScore,
  SAMPLE_SCORE,
  type Thresholds,
} from './memtis-histogram.ts';
import { MemtisSampler } from './memtis-sampler.ts';
import { PageIndex } from './page-index.ts';
import { PageQueue } from './page-queue.ts';
import { PageSweep } from './page-sweep.ts';
import { nearestLowerNode, nearestTopNode } from './tiers.ts';
import type { Tracker, TrackerCpu, TrackerFactory, TrackerHost } from './tracker.ts';

/** Small enough for the machine's sample buffer at the shortest period. */
const STEP_US = 20_000;
const MIGRATION_US = 500_000;
const COOLING_SAMPLES = 2_000_000;
const ADAPTATION_SAMPLES = 100_000;
const MIB = 2 ** 20;
/** MAX_MIGRATION_RATE_IN_MBPS 2048, for each direction. */
const PASS_BYTES = (2_048 * MIB * MIGRATION_US) / 1e6;
/** Records of 40 bytes in a ring of 32 pages (BUFFER_SIZE): what may wait for the sampler. */
const RING_RECORDS = Math.floor((32 * PAGE_SIZE) / 40);
const SCORE_BYTES = 8;
export const MEMTIS_FOOTPRINT: Footprint = { of: 'workload', recordBytes: SCORE_BYTES };
const SECTION_PAGES = 4_096;

/** Free DRAM below which it demotes: 2 %, within 50 MB and 1 GB. */
export function demotionMark(dramBytes: number): number {
  return Math.min(Math.max(dramBytes * 0.02, 50 * MIB), 1_024 * MIB);
}

export class Memtis implements Tracker {
  readonly name = 'memtis';
  readonly stepUs = STEP_US;
  readonly usesSamples = true;
  readonly lookUs = 5_000_000;
  readonly metadataBytes: number;
  readonly #host: TrackerHost;
  readonly #sampler: MemtisSampler;
  readonly #index: PageIndex;
  readonly #isTop: Uint8Array;
  readonly #fastNid: number;
  readonly #slowNid: number;
  readonly #capacityPages: number;
  readonly #demotionMark: number;
  readonly #scores: Uint32Array;
  /** Pages by bin. */
  readonly #pagesIn = new Float64Array(BINS);
  readonly #hotInSection: Int32Array;
  /** Hot pages of the slow tier, in the order in which they were found. */
  readonly #waiting = new PageQueue();
  /** Pages of one pass. */
  readonly #chosen = new Int32Array(PASS_BYTES / PAGE_SIZE);
  readonly #sweep: PageSweep;
  readonly #cpu: TrackerCpu = { applicationNs: 0, backgroundNs: 0 };
  #thresholds: Thresholds = FIRST_THRESHOLDS;
  #hasCooled = false;
  #nextPassUs: number;
  #sampledAtUs: number;
  #movingBytes = 0;
  readonly #counters = {
    nr_sampled: 0,
    nr_dram: 0,
    nr_nvm: 0,
    nr_write: 0,
    nr_lost: 0,
    htmm_nr_promoted: 0,
    htmm_nr_demoted: 0,
    nr_coolings: 0,
  };

  constructor(host: TrackerHost, seed: number) {
    this.#host = host;
    this.#sampler = new MemtisSampler(host.nowUs(), new RandomStream(seed, 'trackers/memtis/stores'));
    this.#index = new PageIndex(host.ranges());
    this.#isTop = topTierNodes(host.nodes);
    const fast = nearestTopNode(host.nodes);
    this.#fastNid = fast.nid;
    this.#slowNid = nearestLowerNode(host.nodes)?.nid ?? -1;
    const top = host.nodes.filter(({ nid }) => this.#isTop[nid] === 1);
    this.#capacityPages = hotCapacityPages(top.reduce((sum, node) => sum + node.capacityBytes, 0));
    this.#demotionMark = demotionMark(fast.capacityBytes);
    const { pages } = this.#index;
    this.#scores = new Uint32Array(pages).fill(leastScore(FIRST_THRESHOLDS.hot + 1));
    this.#pagesIn[FIRST_THRESHOLDS.hot + 1] = pages;
    this.#hotInSection = new Int32Array(Math.ceil(pages / SECTION_PAGES));
    this.#countHot();
    this.#queueRisen(0, Number.POSITIVE_INFINITY);
    this.#sweep = new PageSweep(host, this.#index, this.#fastNid);
    this.metadataBytes = pages * SCORE_BYTES;
    this.#nextPassUs = host.nowUs() + MIGRATION_US;
    this.#sampledAtUs = host.nowUs();
    host.setPush?.({ kind: 'period', accesses: this.#sampler.loadPeriod });
  }

  takeSamples(batch: AccessBatch): void {
    const sampled = this.#counters.nr_sampled;
    const recordedOn = new Float64Array(this.#isTop.length);
    const nowUs = this.#host.nowUs();
    // The sampler is one thread: beyond a whole CPU and the ring, samples are lost.
    let capacity = RING_RECORDS + Math.floor(((nowUs - this.#sampledAtUs) * 1000) / PEBS_UPDATE_NS);
    this.#sampledAtUs = nowUs;
    for (let i = 0; i < batch.count; i++) {
      if (!this.#sampler.accepts(batch.isStore[i])) continue;
      recordedOn[Math.max(0, batch.nid[i])]++;
      if (capacity > 0) {
        capacity--;
        this.#sampler.spend(PEBS_UPDATE_NS);
        this.#update(batch.address[i], batch.isStore[i]);
      } else {
        this.#counters.nr_lost++;
      }
    }
    this.#counters.nr_lost += batch.dropped;
    this.#cpu.backgroundNs += (this.#counters.nr_sampled - sampled) * PEBS_UPDATE_NS;
    recordedOn.forEach((count, nid) => {
      if (count === 0) return;
      this.#cpu.applicationNs += count * PEBS_RECORD_NS;
      this.#host.signals.charge(nid, (count * PEBS_RECORD_NS) / 1000);
    });
  }

  step(): void {
    const nowUs = this.#host.nowUs();
    if (this.#sampler.adapt(nowUs)) {
      this.#host.setPush?.({ kind: 'period', accesses: this.#sampler.loadPeriod });
    }
    if (nowUs < this.#nextPassUs) return;
    this.#nextPassUs += MIGRATION_US;
    // Its threads move pages themselves, and have not finished the last pass.
    if (this.#movingBytes === 0 && this.#slowNid >= 0) this.#migrate();
  }

  onMoved(start: number, end: number, outcome: ActionOutcome): void {
    const pages = (end - start) / PAGE_SIZE;
    this.#movingBytes -= end - start;
    const isOnFast = this.#isTop[this.#host.nidOf(start)] === 1;
    if (outcome === 'applied') {
      if (isOnFast) this.#counters.htmm_nr_promoted += pages;
      else this.#counters.htmm_nr_demoted += pages;
    } else if (!isOnFast) {
      // Stays on the slow node's active list.
      const first = this.#index.indexOf(start);
      for (let i = 0; i < pages; i++) this.#waiting.push(first + i);
    }
  }

  counters(): Readonly<Record<string, number>> {
    return {
      ...this.#counters,
      active_threshold: this.#thresholds.hot,
      warm_threshold: this.#thresholds.warm,
      sample_period: this.#sampler.loadPeriod,
    };
  }

  get cpu(): Readonly<TrackerCpu> {
    return this.#cpu;
  }

  forEachHot(visit: (start: number, end: number) => void): void {
    const least = leastScore(this.#thresholds.hot);
    const joiner = new RangeJoiner(visit);
    for (let section = 0; section < this.#hotInSection.length; section++) {
      if (this.#hotInSection[section] === 0) continue;
      const past = Math.min((section + 1) * SECTION_PAGES, this.#scores.length);
      for (let page = section * SECTION_PAGES; page < past; page++) {
        if (this.#scores[page] < least) continue;
        const address = this.#index.addressOf(page);
        joiner.add(address, address + PAGE_SIZE);
      }
    }
    joiner.finish();
  }

  /** update_base_page. */
  #update(address: number, isStore: number): void {
    const page = this.#index.indexOf(address);
    const nid = this.#host.nidOf(address);
    if (page < 0 || nid >= this.#isTop.length) return;
    const counters = this.#counters;
    counters.nr_sampled++;
    if (isStore === 1) counters.nr_write++;
    else if (this.#isTop[nid] === 1) counters.nr_dram++;
    else counters.nr_nvm++;
    const before = this.#scores[page];
    const after = Math.min(before + SAMPLE_SCORE, 0xffffffff);
    this.#scores[page] = after;
    this.#pagesIn[binOf(before)]--;
    this.#pagesIn[binOf(after)]++;
    const least = leastScore(this.#thresholds.hot);
    if (before < least && after >= least) {
      this.#hotInSection[Math.floor(page / SECTION_PAGES)]++;
      if (this.#isTop[nid] === 0) this.#waiting.push(page);
    }
    if (counters.nr_sampled % COOLING_SAMPLES === 0) this.#cool();
    if (counters.nr_sampled % ADAPTATION_SAMPLES === 0) this.#adaptThresholds();
  }

  #cool(): void {
    const scores = this.#scores;
    const pagesIn = this.#pagesIn.fill(0);
    for (let page = 0; page < scores.length; page++) {
      const score = scores[page] >>> 1;
      scores[page] = score;
      pagesIn[binOf(score)]++;
    }
    this.#counters.nr_coolings++;
    this.#hasCooled = true;
    this.#countHot();
    this.#purgeWaiting();
    this.#sweep.restart();
    this.#cpu.backgroundNs += scores.length * WALK_ELEMENT_NS;
  }

  #adaptThresholds(): void {
    const old = this.#thresholds;
    this.#thresholds = adaptThresholds(this.#pagesIn, this.#capacityPages, old, this.#hasCooled);
    this.#hasCooled = false;
    const { hot, warm } = this.#thresholds;
    if (warm !== old.warm) this.#sweep.restart();
    if (hot === old.hot) return;
    this.#countHot();
    if (hot < old.hot) this.#queueRisen(leastScore(hot), leastScore(old.hot));
    else this.#purgeWaiting();
    this.#sweep.restart();
    this.#cpu.backgroundNs += this.#scores.length * WALK_ELEMENT_NS;
  }

  #countHot(): void {
    const scores = this.#scores;
    const least = leastScore(this.#thresholds.hot);
    for (let section = 0; section < this.#hotInSection.length; section++) {
      const past = Math.min((section + 1) * SECTION_PAGES, scores.length);
      let count = 0;
      for (let page = section * SECTION_PAGES; page < past; page++) if (scores[page] >= least) count++;
      this.#hotInSection[section] = count;
    }
  }

  /** Slow pages that are hot since the threshold fell. */
  #queueRisen(least: number, below: number): void {
    for (let page = 0; page < this.#scores.length; page++) {
      const score = this.#scores[page];
      if (score < least || score >= below) continue;
      const nid = this.#host.nidOf(this.#index.addressOf(page));
      if (nid < this.#isTop.length && this.#isTop[nid] === 0) this.#waiting.push(page);
    }
  }

  /** Takes those out of the queue that are not hot any more. */
  #purgeWaiting(): void {
    const least = leastScore(this.#thresholds.hot);
    for (let left = this.#waiting.count; left > 0; left--) {
      const page = this.#waiting.shift();
      if (this.#scores[page] >= least) this.#waiting.push(page);
    }
  }

  /** kmigraterd of both nodes. */
  #migrate(): void {
    const { freeBytes } = this.#host.gauge(this.#fastNid);
    const wanted = Math.min(this.#waiting.count * PAGE_SIZE, PASS_BYTES);
    const needed = Math.min(this.#demotionMark + wanted - freeBytes, PASS_BYTES);
    let demoted = 0;
    if (needed > 0) {
      const { hot, warm } = this.#thresholds;
      demoted = this.#demote(leastScore(warm), needed);
      const missing = this.#demotionMark - freeBytes - demoted;
      if (missing > 0 && warm < hot) demoted += this.#demote(leastScore(hot), missing);
    }
    const room = freeBytes + demoted - this.#host.watermarks(this.#fastNid).highBytes;
    const promoted = this.#promote(Math.min(wanted, room));
    this.#movingBytes += demoted + promoted;
    this.#cpu.backgroundNs += ((demoted + promoted) / PAGE_SIZE) * MIGRATE_PAGE_NS;
  }

  /** Asks for pages below a score to go; the bytes. */
  #demote(belowScore: number, bytes: number): number {
    const scores = this.#scores;
    return this.#sweep.collect(
      Math.ceil(bytes / PAGE_SIZE),
      belowScore,
      (page) => scores[page] < belowScore,
      (start, end) => this.#host.migrate(start, end, this.#slowNid),
    );
  }

  #promote(bytes: number): number {
    const least = leastScore(this.#thresholds.hot);
    const most = Math.floor(Math.max(0, bytes) / PAGE_SIZE);
    let count = 0;
    while (count < most) {
      const page = this.#waiting.shift();
      if (page < 0) break;
      const nid = this.#host.nidOf(this.#index.addressOf(page));
      if (this.#scores[page] < least || nid >= this.#isTop.length || this.#isTop[nid] === 1) continue;
      this.#chosen[count++] = page;
    }
    // By address: neighbours become one request, and the machine's map is written in order.
    visitPages(
      Float64Array.from(this.#chosen.subarray(0, count), (page) => this.#index.addressOf(page)),
      (start, end) => this.#host.migrate(start, end, this.#fastNid),
    );
    return count * PAGE_SIZE;
  }
}

export const createMemtis: TrackerFactory = (host, seed) => new Memtis(host, seed);
