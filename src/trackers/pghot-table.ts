/**
 * pghot's records of all pages and the thread that takes the ready ones: what pghot-default,
 * pghot-precise and klruscand share. See `pghot.ts` for what it follows.
 *
 * Speed (Node 20, one busy core of two): 50 M records/s in address order, 5 M/s at random in 192 GiB; a pass
 * costs nothing for sections without a ready record.
 */

import { invariant } from '../memory/error.ts';
import { PAGE_SIZE } from '../memory/range.ts';
import { topTierNodes } from '../memory/tier.ts';
import { ARRAY_RECORD_NS, MIGRATE_PAGE_NS, WALK_ELEMENT_NS } from './costs.ts';
import { RangeJoiner } from './hot-pages.ts';
import { PageIndex } from './page-index.ts';
import type { RecordFormat } from './pghot-record.ts';
import { PromotionGate } from './promotion-gate.ts';
import { lowerTierNodes, nearestTopNode } from './tiers.ts';
import type { TrackerHost } from './tracker.ts';

/** A memory section of 128 MiB. */
export const SECTION_PAGES = 32_768;
/** kmigrated_batch_nr. */
export const MIGRATION_BATCH = 512;

export interface PghotSettings {
  readonly format: RecordFormat;
  /** vm.pghot_freq_threshold, 1 to the format's largest frequency. */
  readonly freqThreshold?: number;
  /** vm.pghot_promote_freq_window_ms, 1000 to the format's largest. */
  readonly freqWindowMs?: number;
  /** vm.pghot_promote_rate_limit_MBps. */
  readonly rateLimitMBps?: number;
  /** vm.pghot_target_nid; left out: the nearest node with CPUs, which is the kernel's 0 on most machines. */
  readonly targetNid?: number;
}

export class PghotTable {
  /** Records consumed by the thread, whether or not their pages were promoted. */
  consumed = 0;
  /** Pages asked for. */
  asked = 0;
  readonly metadataBytes: number;
  readonly #host: TrackerHost;
  readonly #format: RecordFormat;
  readonly #threshold: number;
  readonly #windowMs: number;
  readonly #targetNid: number;
  readonly #isTop: Uint8Array;
  readonly #index: PageIndex;
  readonly #records: Uint8Array | Uint32Array;
  /** Sections with a record that became ready since the last walk. */
  readonly #isHotSection: Uint8Array;
  #hotSections = 0;
  readonly #gates: readonly PromotionGate[];
  readonly #batch = new Float64Array(MIGRATION_BATCH);
  #batchCount = 0;
  #batchNid = -1;

  constructor(host: TrackerHost, settings: PghotSettings) {
    const { format } = settings;
    this.#host = host;
    this.#format = format;
    this.#threshold = settings.freqThreshold ?? 2;
    this.#windowMs = settings.freqWindowMs ?? format.defaultWindowMs;
    invariant(
      this.#threshold >= 1 && this.#threshold <= format.maxFrequency,
      `freq_threshold ${this.#threshold} is not within 1..${format.maxFrequency}`,
    );
    invariant(
      this.#windowMs >= 1_000 && this.#windowMs <= format.maxWindowMs,
      `freq_window_ms ${this.#windowMs} is not within 1000..${format.maxWindowMs}`,
    );
    this.#targetNid = settings.targetNid ?? nearestTopNode(host.nodes).nid;
    this.#isTop = topTierNodes(host.nodes);
    this.#index = new PageIndex(host.ranges());
    this.#records =
      format.bytes === 1 ? new Uint8Array(this.#index.pages) : new Uint32Array(this.#index.pages);
    this.#isHotSection = new Uint8Array(Math.ceil(this.#index.pages / SECTION_PAGES));
    const gate = { referenceMs: this.#windowMs, rateLimitMBps: settings.rateLimitMBps ?? 65_536 };
    this.#gates = Array.from(this.#isTop, () => new PromotionGate(gate));
    const lowerBytes = lowerTierNodes(host.nodes).reduce((sum, node) => sum + node.capacityBytes, 0);
    this.metadataBytes = (lowerBytes / PAGE_SIZE) * format.bytes;
  }

  get candidates(): number {
    return this.#gates.reduce((sum, gate) => sum + gate.candidates, 0);
  }

  get candidatesNrl(): number {
    return this.#gates.reduce((sum, gate) => sum + gate.candidatesNrl, 0);
  }

  /**
   * pghot_record_access.
   * @param nid node that accessed, -1 unknown
   * @returns whether the access was recorded: false for pages of top-tier nodes, on `nid` already, or gone
   */
  record(address: number, pageNid: number, nid: number, nowMs: number): boolean {
    if (pageNid >= this.#isTop.length || this.#isTop[pageNid] === 1 || pageNid === nid) return false;
    const page = this.#index.indexOf(address);
    if (page < 0) return false;
    const before = this.#records[page];
    const after = this.#format.update(before, nowMs, nid, this.#windowMs, this.#threshold);
    this.#records[page] = after;
    if (this.#format.isReady(after)) {
      const section = Math.floor(page / SECTION_PAGES);
      this.#hotSections += 1 - this.#isHotSection[section];
      this.#isHotSection[section] = 1;
    }
    return true;
  }

  /**
   * One pass of kmigrated over the sections with ready records.
   * @returns CPU time, ns
   */
  migrate(nowMs: number): number {
    if (this.#hotSections === 0) return 0;
    const asked = this.asked;
    let walked = 0;
    for (let section = 0; section < this.#isHotSection.length; section++) {
      if (this.#isHotSection[section] === 0) continue;
      this.#isHotSection[section] = 0;
      const first = section * SECTION_PAGES;
      const past = Math.min(first + SECTION_PAGES, this.#records.length);
      walked += past - first;
      for (let page = first; page < past; page++) {
        const record = this.#records[page];
        if (record !== 0 && this.#format.isReady(record)) this.#consume(page, record, nowMs);
      }
    }
    this.#hotSections = 0;
    this.#flush();
    return walked * WALK_ELEMENT_NS + (this.asked - asked) * (MIGRATE_PAGE_NS + ARRAY_RECORD_NS);
  }

  /** Visits the ready pages. */
  forEachReady(visit: (start: number, end: number) => void): void {
    if (this.#hotSections === 0) return;
    const joiner = new RangeJoiner(visit);
    for (let section = 0; section < this.#isHotSection.length; section++) {
      if (this.#isHotSection[section] === 0) continue;
      const first = section * SECTION_PAGES;
      for (let page = first; page < Math.min(first + SECTION_PAGES, this.#records.length); page++) {
        if (!this.#format.isReady(this.#records[page])) continue;
        const address = this.#index.addressOf(page);
        joiner.add(address, address + PAGE_SIZE);
      }
    }
    joiner.finish();
  }

  /** Takes the whole record; a page that the gate refuses has to be seen anew. */
  #consume(page: number, record: number, nowMs: number): void {
    this.#records[page] = 0;
    this.consumed++;
    const address = this.#index.addressOf(page);
    const pageNid = this.#host.nidOf(address);
    if (pageNid >= this.#isTop.length || this.#isTop[pageNid] === 1) return;
    const stored = this.#format.nid(record);
    const nid = stored >= 0 ? stored : this.#targetNid;
    const ageMs = this.#format.ageMs(record, nowMs);
    if (
      !this.#gates[nid].admits(ageMs, nowMs, this.#host.gauge(nid), this.#host.watermarks(nid).promoBytes)
    ) {
      return;
    }
    if (nid !== this.#batchNid || this.#batchCount === MIGRATION_BATCH) this.#flush();
    this.#batchNid = nid;
    this.#batch[this.#batchCount++] = address;
  }

  /** Hands the batch over, neighbours as one range. */
  #flush(): void {
    const batch = this.#batch;
    for (let i = 0; i < this.#batchCount; ) {
      const start = batch[i];
      let end = start;
      for (; i < this.#batchCount && batch[i] === end; i++) end += PAGE_SIZE;
      this.#host.migrate(start, end, this.#batchNid);
    }
    this.asked += this.#batchCount;
    this.#batchCount = 0;
  }
}
