/**
 * kpromoted as posted on 6 March 2025 (RFC v0, mm/kpromoted.c), and as its documentation intended it:
 * reference tiering-systems section 1.2.
 *
 * Follows kpromoted_record_access (a record per sampled page of a lower tier) and the daemon, one per
 * node with CPUs, which every second walks all records of its node and migrates one folio at a time.
 *
 * What is wrong in the original and kept in `kpromoted-posted`:
 * - a new record, created with frequency 1, goes through the window test as well, passes it with a
 *   difference of 0 and is promotable after its first sample.
 * - the age of a record is computed as last_update - now, unsigned: any later sample underflows, sets the
 *   frequency back to 1 and so makes the next pass delete the record.
 * - the driver never stores nid: every record asks for node 0.
 * - a promotable record is looked at once a second only, and a failed migration is tried again until the
 *   record is 10 s old.
 * `kpromoted-intended` counts a new record once, computes now - last_update, stores nid (unknown: nearest
 * node with CPUs), and keeps a record that is not hot yet until its window ends.
 *
 * Not modelled: the order of hash buckets (records are visited in order of their slots), lock contention,
 * and the refusal of migrate_misplaced_folio_prepare at the high watermark: the machine refuses at its
 * own and wakes kswapd. `mig_non_lru` has no cause and stays 0. A pass waits for the migrations of the one
 * before, as the thread does them itself. HZ is not posted; 1000 is assumed.
 */

import type { AccessBatch } from '../memory/access-batch.ts';
import type { ActionOutcome } from '../memory/action.ts';
import { RandomStream } from '../memory/random.ts';
import { PAGE_SIZE } from '../memory/range.ts';
import { topTierNodes } from '../memory/tier.ts';
import { HASH_RECORD_NS, MIGRATE_PAGE_NS, WALK_ELEMENT_NS } from './costs.ts';
import { visitPages } from './hot-pages.ts';
import { IbsDriver } from './ibs-driver.ts';
import { KpromotedRecords } from './kpromoted-records.ts';
import { nearestTopNode } from './tiers.ts';
import type { Tracker, TrackerCpu, TrackerFactory, TrackerHost } from './tracker.ts';

/** KPROMOTED_FREQ_WINDOW and KPROMOTED_FREQ_THRESHOLD. */
const WINDOW_MS = 5_000;
const FREQUENCY_THRESHOLD = 2;
/** Records older than twice the window are dropped as cold_old. */
const OLD_MS = 2 * WINDOW_MS;
/** KPROMOTE_DELAY. */
const PASS_US = 1_000_000;
const STEP_US = 100_000;
const BUCKETS = 2 ** 16;
/** List head and mutex on x86-64. */
const BUCKET_BYTES = 8 + 32;
/** The 56 bytes of a record in its slab. */
const RECORD_BYTES = 64;

export interface KpromotedOptions {
  readonly rules: 'posted' | 'intended';
  /** Time between two passes; the posted counters fit one of about 3 s better. */
  readonly passUs?: number;
}

export class Kpromoted implements Tracker {
  readonly name: string;
  readonly stepUs = STEP_US;
  readonly usesSamples = true;
  readonly #host: TrackerHost;
  readonly #isPosted: boolean;
  readonly #passUs: number;
  readonly #driver: IbsDriver;
  readonly #isTop: Uint8Array;
  readonly #fallbackNid: number;
  readonly #daemonNids: readonly number[];
  readonly #records = new KpromotedRecords();
  readonly #cpu: TrackerCpu = { applicationNs: 0, backgroundNs: 0 };
  #nextPassUs: number;
  /** Pages asked for and not reported. */
  #moving = 0;
  readonly #counters = {
    kpromoted_recorded_accesses: 0,
    kpromoted_recorded_hwhints: 0,
    kpromoted_recorded_pgtscans: 0,
    kpromoted_record_toptier: 0,
    kpromoted_record_added: 0,
    kpromoted_record_exists: 0,
    kpromoted_mig_right_node: 0,
    kpromoted_mig_non_lru: 0,
    kpromoted_mig_cold_old: 0,
    kpromoted_mig_cold_not_accessed: 0,
    kpromoted_mig_candidate: 0,
    kpromoted_mig_promoted: 0,
    kpromoted_mig_dropped: 0,
  };

  constructor(host: TrackerHost, seed: number, options: KpromotedOptions) {
    this.name = `kpromoted-${options.rules}`;
    this.#host = host;
    this.#isPosted = options.rules === 'posted';
    this.#passUs = options.passUs ?? PASS_US;
    const version = this.#isPosted ? 'v0' : 'v1';
    this.#driver = new IbsDriver(host, { version }, new RandomStream(seed, `trackers/${this.name}/ibs`));
    this.#isTop = topTierNodes(host.nodes);
    this.#fallbackNid = nearestTopNode(host.nodes).nid;
    this.#daemonNids = host.nodes.filter(({ hasCpus }) => hasCpus).map(({ nid }) => nid);
    this.#nextPassUs = host.nowUs() + this.#passUs;
  }

  takeSamples(batch: AccessBatch): void {
    const hints = this.#driver.take(batch);
    for (let i = 0; i < hints.count; i++) {
      this.#record(hints.address[i], hints.pageNid[i], hints.nid[i], Math.floor(hints.timeUs[i] / 1000));
    }
    this.#cpu.applicationNs = this.#driver.applicationNs;
    this.#cpu.backgroundNs += hints.count * HASH_RECORD_NS;
  }

  step(): void {
    const nowUs = this.#host.nowUs();
    if (nowUs < this.#nextPassUs || this.#moving > 0) return;
    const candidates = this.#counters.kpromoted_mig_candidate;
    for (const nid of this.#daemonNids) this.#pass(nid, Math.floor(nowUs / 1000));
    const workUs = ((this.#counters.kpromoted_mig_candidate - candidates) * MIGRATE_PAGE_NS) / 1000;
    // From when it was due, so that steps of the simulation do not stretch the cycle; it never catches up.
    this.#nextPassUs = Math.max(this.#nextPassUs, nowUs - this.stepUs) + this.#passUs + workUs;
    this.#cpu.backgroundNs += workUs * 1000 + (BUCKETS + this.#records.count) * WALK_ELEMENT_NS;
  }

  onMoved(start: number, end: number, outcome: ActionOutcome): void {
    for (let page = start / PAGE_SIZE; page < end / PAGE_SIZE; page++) {
      this.#moving--;
      const slot = this.#records.find(page);
      if (slot < 0) continue;
      this.#records.isMoving[slot] = 0;
      if (outcome !== 'applied') continue;
      this.#counters.kpromoted_mig_promoted++;
      this.#records.remove(slot);
    }
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#driver.counters(), ...this.#counters };
  }

  get metadataBytes(): number {
    return BUCKETS * BUCKET_BYTES + this.#records.peakCount * RECORD_BYTES;
  }

  get cpu(): Readonly<TrackerCpu> {
    return this.#cpu;
  }

  forEachHot(visit: (start: number, end: number) => void): void {
    const { page, frequency, slots } = this.#records;
    const hot = page.subarray(0, slots).filter((number, slot) => number >= 0 && frequency[slot] >= 2);
    visitPages(
      hot.map((number) => number * PAGE_SIZE),
      visit,
    );
  }

  /** kpromoted_record_access. */
  #record(address: number, pageNid: number, nid: number, now: number): void {
    const counters = this.#counters;
    counters.kpromoted_recorded_accesses++;
    counters.kpromoted_recorded_hwhints++;
    if (this.#isTop[pageNid] === 1) {
      counters.kpromoted_record_toptier++;
      return;
    }
    const records = this.#records;
    const page = Math.floor(address / PAGE_SIZE);
    let slot = records.find(page);
    const isNew = slot < 0;
    if (isNew) {
      slot = records.add(page);
      records.frequency[slot] = 1;
      records.lastUpdate[slot] = now;
      counters.kpromoted_record_added++;
    } else {
      counters.kpromoted_record_exists++;
    }
    if (isNew && !this.#isPosted) {
      // Counted by its creation.
    } else if (this.#isPastWindow(records.lastUpdate[slot], now)) {
      records.frequency[slot] = 1;
      records.lastUpdate[slot] = now;
    } else {
      records.frequency[slot]++;
    }
    records.recency[slot] = now;
    records.hotNode[slot] = nid >= 0 ? nid : this.#fallbackNid;
  }

  #isPastWindow(lastUpdate: number, now: number): boolean {
    if (!this.#isPosted) return now - lastUpdate > WINDOW_MS;
    // As unsigned numbers: anything below 0 is huge.
    const difference = lastUpdate - now;
    return difference < 0 || difference > WINDOW_MS;
  }

  /** kpromoted_migrate: all buckets, the records that ask for node `nid`. */
  #pass(nid: number, now: number): void {
    const records = this.#records;
    const { slots } = records;
    for (let slot = 0; slot < slots; slot++) {
      const page = records.page[slot];
      if (page < 0 || records.hotNode[slot] !== nid) continue;
      const pageNid = this.#host.nidOf(page * PAGE_SIZE);
      if (this.#isKept(slot, pageNid, nid, now)) {
        this.#counters.kpromoted_mig_candidate++;
        records.isMoving[slot] = 1;
        this.#moving++;
        this.#host.migrate(page * PAGE_SIZE, (page + 1) * PAGE_SIZE, nid);
      }
    }
  }

  /** Whether a record is to be migrated; drops those that are no longer worth it. */
  #isKept(slot: number, pageNid: number, nid: number, now: number): boolean {
    const counters = this.#counters;
    const age = now - this.#records.lastUpdate[slot];
    if (pageNid >= this.#isTop.length) {
      // Gone; has no counter of its own.
    } else if (pageNid === nid) {
      counters.kpromoted_mig_right_node++;
    } else if (age > OLD_MS) {
      counters.kpromoted_mig_cold_old++;
    } else if (this.#records.frequency[slot] < FREQUENCY_THRESHOLD) {
      if (!this.#isPosted && age <= WINDOW_MS) return false;
      counters.kpromoted_mig_cold_not_accessed++;
    } else {
      return true;
    }
    counters.kpromoted_mig_dropped++;
    this.#records.remove(slot);
    return false;
  }
}

export const createKpromotedPosted: TrackerFactory = (host, seed) =>
  new Kpromoted(host, seed, { rules: 'posted' });

export const createKpromotedIntended: TrackerFactory = (host, seed) =>
  new Kpromoted(host, seed, { rules: 'intended' });
