/**
 * klruscand (Kinsey Ho, mm/klruscand.c): a global thread that finds accessed pages in page tables
 * through MGLRU's walks and reports them to pghot with unknown node (reference tiering-systems section
 * 1.5).
 *
 * Every 4 s (the interval as first posted) it walks all memory, in batches of 131,072 pages, and each
 * page with its Accessed bit set becomes a pghot record of this moment. The records are those of
 * pghot-precise: its window of 5 s is the one that kpromoted and pghot had when klruscand was posted, and
 * the 3 s of pghot-default would hardly ever see two walks. kmigrated is pghot's, see `pghot.ts`.
 *
 * Not modelled: walks of single address spaces and their Bloom filters, which let MGLRU skip page tables
 * (here every page is visited and pays); page generations; the time of the walk itself.
 */
import type { ActionOutcome } from '../memory/action.ts';
import { PAGE_SIZE, totalBytes } from '../memory/range.ts';
import { ARRAY_RECORD_NS, WALK_ENTRY_NS } from './costs.ts';
import type { Footprint } from './footprint.ts';
import { PRECISE_FORMAT } from './pghot-record.ts';
import { PghotTable } from './pghot-table.ts';
import type { Tracker, TrackerCpu, TrackerFactory, TrackerHost } from './tracker.ts';

/** KLRUSCAND_INTERVAL. */
const SCAN_US = 4_000_000;
/** kmigrated_sleep_ms. */
const STEP_US = 100_000;
/** BATCH_SIZE, pages. */
export const SCAN_BATCH = 131_072;
export const KLRUSCAND_FOOTPRINT: Footprint = {
  of: 'lower tier',
  recordBytes: PRECISE_FORMAT.bytes,
  fixedBytes: SCAN_BATCH * 8,
};

export interface KlruscandOptions {
  /** Later posts have 2,000 and 500 ms. */
  readonly scanUs?: number;
}

export class Klruscand implements Tracker {
  readonly name = 'klruscand';
  readonly stepUs = STEP_US;
  readonly usesSamples = false;
  readonly #host: TrackerHost;
  readonly #scanUs: number;
  readonly #table: PghotTable;
  readonly #cpu: TrackerCpu = { applicationNs: 0, backgroundNs: 0 };
  #nextScanUs: number;
  #moving = 0;
  readonly #counters = {
    pghot_recorded_accesses: 0,
    pghot_recorded_pgtscans: 0,
    pgpromote_success: 0,
  };

  constructor(host: TrackerHost, options: KlruscandOptions = {}) {
    this.#host = host;
    this.#scanUs = options.scanUs ?? SCAN_US;
    this.#table = new PghotTable(host, { format: PRECISE_FORMAT });
    this.#nextScanUs = host.nowUs() + this.#scanUs;
  }

  step(): void {
    const nowUs = this.#host.nowUs();
    const nowMs = Math.floor(nowUs / 1000);
    if (nowUs >= this.#nextScanUs) {
      this.#scan(nowMs);
      this.#nextScanUs += this.#scanUs;
    }
    if (this.#moving > 0) return;
    const asked = this.#table.asked;
    this.#cpu.backgroundNs += this.#table.migrate(nowMs);
    this.#moving += this.#table.asked - asked;
  }

  onMoved(start: number, end: number, outcome: ActionOutcome): void {
    const pages = (end - start) / PAGE_SIZE;
    this.#moving -= pages;
    if (outcome === 'applied') this.#counters.pgpromote_success += pages;
  }

  counters(): Readonly<Record<string, number>> {
    return {
      ...this.#counters,
      pgpromote_candidate: this.#table.candidates,
      pgpromote_candidate_nrl: this.#table.candidatesNrl,
    };
  }

  /** pghot's array, and the batch of PFNs. */
  get metadataBytes(): number {
    return this.#table.metadataBytes + SCAN_BATCH * 8;
  }

  get cpu(): Readonly<TrackerCpu> {
    return this.#cpu;
  }

  forEachHot(visit: (start: number, end: number) => void): void {
    this.#table.forEachReady(visit);
  }

  #scan(nowMs: number): void {
    const ranges = this.#host.ranges();
    const before = this.#counters.pghot_recorded_pgtscans;
    for (const range of ranges) {
      for (let start = range.start; start < range.end; start += SCAN_BATCH * PAGE_SIZE) {
        this.#host.signals.scanAccessed(
          start,
          Math.min(range.end, start + SCAN_BATCH * PAGE_SIZE),
          (from, to, isAccessed) => {
            if (isAccessed === 1) this.#report(from, to, nowMs);
          },
        );
      }
    }
    this.#cpu.backgroundNs +=
      (totalBytes(ranges) / PAGE_SIZE) * WALK_ENTRY_NS +
      (this.#counters.pghot_recorded_pgtscans - before) * ARRAY_RECORD_NS;
  }

  /** Pages found accessed. */
  #report(start: number, end: number, nowMs: number): void {
    this.#counters.pghot_recorded_pgtscans += (end - start) / PAGE_SIZE;
    this.#host.placement(start, end, (from, to, pageNid) => {
      for (let address = from; address < to; address += PAGE_SIZE) {
        if (!this.#table.record(address, pageNid, -1, nowMs)) return;
        this.#counters.pghot_recorded_accesses++;
      }
    });
  }
}

export const createKlruscand: TrackerFactory = (host) => new Klruscand(host);
