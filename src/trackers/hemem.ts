/**
 * HeMem (SOSP'21), a user-level library with hot and cold lists of 2 MiB pages: src/pebs.c of the fork
 * cuhk-mass/hemem, reference tiering-systems section 7.2.
 *
 * A page is hot with 4 samples of loads or 4 of stores. When a counter exceeds 10 a global clock ticks,
 * and counters are halved when their page is next sampled. Every 10 ms the policy thread promotes hot pages
 * of the slow tier, oldest first, each for a free page of DRAM or for the oldest cold one, which goes
 * down first; then it looks at 8,192 pages of the hot lists for those that have cooled.
 *
 * What is wrong in the original and kept: a sample halves the counter of its own kind only, and sets the
 * page's clock, so that the other one is never halved for those ticks; hot or not is decided before the
 * halving; cooling is left out in a round that finds DRAM full of hot pages.
 *
 * Not modelled: stores that hit the caches (HeMem samples all stores; the machine those that miss), the
 * request rings between its two threads, write protection while a page moves, more than one fast node.
 * HeMem owns all DRAM; here it leaves the high watermark free, below which the machine's kswapd would work
 * against it. A round waits for the migrations of the one before.
 */

import type { AccessBatch } from '../memory/access-batch.ts';
import type { ActionOutcome } from '../memory/action.ts';
import { PAGE_SIZE } from '../memory/range.ts';
import { topTierNodes } from '../memory/tier.ts';
import { ARRAY_RECORD_NS, MIGRATE_PAGE_NS, PEBS_RECORD_NS } from './costs.ts';
import type { Footprint } from './footprint.ts';
import { RangeJoiner } from './hot-pages.ts';
import { PageIndex } from './page-index.ts';
import { PageLists } from './page-lists.ts';
import { nearestLowerNode, nearestTopNode } from './tiers.ts';
import type { Tracker, TrackerCpu, TrackerFactory, TrackerHost } from './tracker.ts';

/** SAMPLE_PERIOD. */
export const HEMEM_PERIOD = 19_997;
const HUGE_PAGE = 2 * 2 ** 20;
/** HOT_READ_THRESHOLD and HOT_WRITE_THRESHOLD of the fork; the paper has 8 and 4. */
const HOT_READS = 4;
const HOT_WRITES = 4;
/** PEBS_COOLING_THRESHOLD. */
const COOLING_COUNT = 10;
/** COOLING_PAGES. */
const COOLING_PAGES = 8_192;
const ROUND_US = 10_000;
/** PEBS_KSWAPD_MIGRATE_RATE, 10 GB/s. */
const ROUND_BYTES = (10e9 * ROUND_US) / 1e6;
/** struct hemem_page with its mutex, hash handle and list links (inferred). */
const RECORD_BYTES = 240;
export const HEMEM_FOOTPRINT: Footprint = {
  of: 'workload',
  pageBytes: HUGE_PAGE,
  recordBytes: RECORD_BYTES,
};

const FAST_HOT = 0;
const FAST_COLD = 1;
const SLOW_HOT = 2;
const SLOW_COLD = 3;

export class Hemem implements Tracker {
  readonly name = 'hemem';
  readonly stepUs = ROUND_US;
  readonly usesSamples = true;
  readonly metadataBytes: number;
  readonly #host: TrackerHost;
  readonly #index: PageIndex;
  readonly #isTop: Uint8Array;
  readonly #fastNid: number;
  readonly #slowNid: number;
  readonly #reads: Uint16Array;
  readonly #writes: Uint16Array;
  readonly #localClock: Float64Array;
  readonly #isHot: Uint8Array;
  readonly #lists: PageLists;
  /** Bytes of a page that are asked for and not reported. */
  readonly #movingOf: Float64Array;
  readonly #cpu: TrackerCpu = { applicationNs: 0, backgroundNs: 0 };
  #movingBytes = 0;
  #globalClock = 0;
  /** Pages of the hot lists still to be looked at since the clock ticked. */
  readonly #toCool = [0, 0];
  /** Where looking goes on; -1: at the head. */
  readonly #cursor = [-1, -1];
  readonly #hotCount = [0, 0];
  readonly #counters = {
    hemem_pages_cnt: 0,
    other_pages_cnt: 0,
    total_pages_cnt: 0,
    cools: 0,
    migrations_up: 0,
    migrations_down: 0,
  };

  constructor(host: TrackerHost) {
    this.#host = host;
    this.#index = new PageIndex(host.ranges(), HUGE_PAGE);
    this.#isTop = topTierNodes(host.nodes);
    this.#fastNid = nearestTopNode(host.nodes).nid;
    this.#slowNid = nearestLowerNode(host.nodes)?.nid ?? -1;
    const { pages } = this.#index;
    this.#reads = new Uint16Array(pages);
    this.#writes = new Uint16Array(pages);
    this.#localClock = new Float64Array(pages);
    this.#isHot = new Uint8Array(pages);
    this.#movingOf = new Float64Array(pages);
    this.#lists = new PageLists(pages, 4);
    for (let page = 0; page < pages; page++) this.#enlist(page);
    this.metadataBytes = pages * RECORD_BYTES;
    host.setPush?.({ kind: 'period', accesses: HEMEM_PERIOD });
  }

  takeSamples(batch: AccessBatch): void {
    const recordedOn = new Float64Array(this.#isTop.length);
    for (let i = 0; i < batch.count; i++) {
      recordedOn[Math.max(0, batch.nid[i])]++;
      this.#sample(batch.address[i], batch.isStore[i]);
    }
    this.#cpu.backgroundNs += batch.count * ARRAY_RECORD_NS;
    recordedOn.forEach((count, nid) => {
      if (count === 0) return;
      this.#cpu.applicationNs += count * PEBS_RECORD_NS;
      this.#host.signals.charge(nid, (count * PEBS_RECORD_NS) / 1000);
    });
  }

  step(): void {
    if (this.#movingBytes > 0 || this.#slowNid < 0) return;
    if (!this.#migrate()) return;
    this.#cool(FAST_HOT, FAST_COLD);
    this.#cool(SLOW_HOT, SLOW_COLD);
  }

  onMoved(start: number, end: number, outcome: ActionOutcome): void {
    const bytes = end - start;
    this.#movingBytes -= bytes;
    const page = this.#index.indexOf(start);
    if (outcome === 'applied') {
      if (this.#isTop[this.#host.nidOf(start)] === 1) this.#counters.migrations_up += bytes / PAGE_SIZE;
      else this.#counters.migrations_down += bytes / PAGE_SIZE;
    }
    this.#movingOf[page] -= bytes;
    if (this.#movingOf[page] === 0) this.#enlist(page);
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters, global_clock: this.#globalClock };
  }

  get cpu(): Readonly<TrackerCpu> {
    return this.#cpu;
  }

  forEachHot(visit: (start: number, end: number) => void): void {
    const joiner = new RangeJoiner(visit);
    for (let page = 0; page < this.#isHot.length; page++) {
      if (this.#isHot[page] === 1) joiner.add(this.#index.addressOf(page), this.#index.endOf(page));
    }
    joiner.finish();
  }

  /** The body of pebs_scan_thread. */
  #sample(address: number, isStore: number): void {
    this.#counters.total_pages_cnt++;
    const page = this.#index.indexOf(address);
    if (page < 0) {
      this.#counters.other_pages_cnt++;
      return;
    }
    this.#counters.hemem_pages_cnt++;
    const counts = isStore === 1 ? this.#writes : this.#reads;
    counts[page]++;
    this.#setHot(page, this.#writes[page] >= HOT_WRITES || this.#reads[page] >= HOT_READS);
    counts[page] = shiftRight(counts[page], this.#globalClock - this.#localClock[page]);
    this.#localClock[page] = this.#globalClock;
    if (counts[page] > COOLING_COUNT) this.#tick();
  }

  #tick(): void {
    this.#globalClock++;
    this.#counters.cools++;
    this.#toCool[0] = this.#hotCount[0];
    this.#toCool[1] = this.#hotCount[1];
  }

  /** make_hot and make_cold. */
  #setHot(page: number, isHot: boolean): void {
    if ((this.#isHot[page] === 1) === isHot) return;
    this.#isHot[page] = isHot ? 1 : 0;
    const list = this.#lists.listOf(page);
    // A page on its way gets its list when it arrives.
    if (list >= 0) this.#move(page, list >= SLOW_HOT ? SLOW_COLD : FAST_COLD, isHot);
  }

  /** Puts a page on the list for its node. */
  #enlist(page: number): void {
    const nid = this.#host.nidOf(this.#index.addressOf(page));
    const isFast = nid < this.#isTop.length && this.#isTop[nid] === 1;
    this.#move(page, isFast ? FAST_COLD : SLOW_COLD, this.#isHot[page] === 1);
  }

  #move(page: number, coldList: number, isHot: boolean): void {
    this.#unlist(page);
    const list = isHot ? coldList - 1 : coldList;
    this.#lists.enqueue(list, page);
    if (isHot) this.#hotCount[list >> 1]++;
  }

  #unlist(page: number): void {
    const list = this.#lists.listOf(page);
    for (const side of [0, 1]) if (this.#cursor[side] === page) this.#cursor[side] = this.#lists.next(page);
    if (list === FAST_HOT || list === SLOW_HOT) this.#hotCount[list >> 1]--;
    this.#lists.remove(page);
  }

  /** Hot pages of the slow tier to DRAM; false when DRAM is full of hot pages. */
  #migrate(): boolean {
    let free = this.#host.gauge(this.#fastNid).freeBytes - this.#host.watermarks(this.#fastNid).highBytes;
    for (let asked = 0; asked < ROUND_BYTES; ) {
      const page = this.#lists.first(SLOW_HOT);
      if (page < 0) return true;
      this.#unlist(page);
      if (!this.#isStillHot(page) || this.#isMoved(page, false)) continue;
      const bytes = this.#index.endOf(page) - this.#index.addressOf(page);
      while (free < bytes) {
        const victim = this.#lists.first(FAST_COLD);
        if (victim < 0) {
          this.#enlist(page);
          return false;
        }
        this.#unlist(victim);
        if (!this.#isMoved(victim, true)) free += this.#ask(victim, this.#slowNid);
      }
      free -= this.#ask(page, this.#fastNid);
      asked += bytes;
    }
    return true;
  }

  /** Whether the counters of a page still make it hot; else puts it on the cold list. */
  #isStillHot(page: number): boolean {
    if (this.#writes[page] >= HOT_WRITES || this.#reads[page] >= HOT_READS) return true;
    this.#isHot[page] = 0;
    this.#enlist(page);
    return false;
  }

  /** Whether a page is not where its list says: something else moved it; puts it on the right one. */
  #isMoved(page: number, isFast: boolean): boolean {
    const nid = this.#host.nidOf(this.#index.addressOf(page));
    if (nid < this.#isTop.length && (this.#isTop[nid] === 1) === isFast) return false;
    if (nid < this.#isTop.length) this.#enlist(page);
    return true;
  }

  /** The bytes of a page asked to move. */
  #ask(page: number, nid: number): number {
    const [start, end] = [this.#index.addressOf(page), this.#index.endOf(page)];
    this.#movingOf[page] = end - start;
    this.#movingBytes += end - start;
    this.#host.migrate(start, end, nid);
    this.#cpu.backgroundNs += ((end - start) / PAGE_SIZE) * MIGRATE_PAGE_NS;
    return end - start;
  }

  /** partial_cool_peek_and_move: looks at part of a hot list, without changing counters. */
  #cool(hotList: number, coldList: number): void {
    const side = hotList >> 1;
    for (let i = 0; i < COOLING_PAGES && this.#toCool[side] > 0; i++) {
      const page = this.#cursor[side] >= 0 ? this.#cursor[side] : this.#lists.first(hotList);
      if (page < 0) {
        this.#toCool[side] = 0;
        return;
      }
      this.#toCool[side]--;
      this.#cursor[side] = this.#lists.next(page);
      const ticks = this.#globalClock - this.#localClock[page];
      const isHot =
        shiftRight(this.#writes[page], ticks) >= HOT_WRITES ||
        shiftRight(this.#reads[page], ticks) >= HOT_READS;
      if (isHot) continue;
      this.#isHot[page] = 0;
      this.#move(page, coldList, false);
    }
  }
}

function shiftRight(count: number, ticks: number): number {
  return ticks > 15 ? 0 : count >> ticks;
}

export const createHemem: TrackerFactory = (host) => new Hemem(host);
