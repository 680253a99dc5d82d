/**
 * kscand, once kmmscand: a thread that scans the Accessed bits of every process and lists pages of slow
 * memory that it takes for accessed, and a thread that migrates what is listed (mm/kscand.c of the V2 era;
 * reference tiering-systems section 4).
 *
 * `kscand-posted` keeps what is wrong in the original:
 *   - the budget of pages is half the scan size in bytes, taken for pages, so that whole VMAs are walked;
 *   - a scan that has reached its size stops only at a VMA that gave entries, and the one after the last
 *     VMA walks nothing and counts as a scan;
 *   - a page counts as accessed when it is not idle, or young, or its entry is. No page is idle before its
 *     first scan, and young, once set, is cleared by reclaim alone: what was ever accessed, as all populated
 *     memory was, is listed by every scan, also while it still waits on the list from the one before.
 * `kscand-intended` walks scan_size from where it stopped, and lists pages that were accessed since their
 * last scan, or since they were populated where there was none.
 *
 * Active (MGLRU): pages start in a young generation, and only reclaim of their own node makes them old. The
 * model has one cause for that: what reclaim moved to slow memory came there inactive and stays so, as
 * nobody reclaims from the slow node. Known by having been seen in, or moved to, the top tier before.
 *
 * Not modelled: V3's second access and its failure ratio, prctl, secondary MMUs, files; reclaim clearing
 * young; other VMAs of the process (stack, libraries); kswapd reclaims to promo, as in tiering mode.
 * The one migrating thread is limited by its CPU: 8 us a page, the middle of 5.3 and 13.
 */

import type { ActionOutcome } from '../memory/action.ts';
import { PAGED_OUT } from '../memory/action.ts';
import { NO_VALUE } from '../memory/page-runs.ts';
import { PAGE_SIZE, roundDown } from '../memory/range.ts';
import { topTierNodes } from '../memory/tier.ts';
import { MIGRATE_PAGE_NS, REFUSE_PAGE_NS, WALK_ENTRY_NS } from './costs.ts';
import { adaptedPace, KSCAND_START, type ScanPace } from './kscand-period.ts';
import { PageFlags } from './page-flags.ts';
import { nearestTopNode } from './tiers.ts';
import type { Tracker, TrackerCpu, TrackerFactory, TrackerHost } from './tracker.ts';

/** kscand_scan_sleep_ms and kmigrate_sleep_ms. */
const SLEEP_US = 20_000;
/** numa_balancing scan_delay. */
const SCAN_DELAY_US = 1e6;
/** struct kscand_migrate_info: two list pointers, folio, address. */
const ENTRY_BYTES = 32;
/** struct kscand_mm_slot and kmigrated_mm_slot (inferred). */
const SLOT_BYTES = 192;
/** Looked at in one go by the migrating thread. */
const WINDOW_BYTES = 64 * 2 ** 20;

/** The flags of a page. */
const SEEN = 1;
const IDLE = 2;
const YOUNG = 4;
/** Was in the top tier: inactive where it is found in slow memory. */
const WAS_TOP = 8;
/** Taken for accessed by its last scan. */
const HOT = 16;

export interface KscandOptions {
  readonly name: string;
  readonly isIntended: boolean;
}

export class Kscand implements Tracker {
  readonly name: string;
  readonly stepUs = SLEEP_US;
  readonly usesSamples = false;
  readonly #host: TrackerHost;
  readonly #isIntended: boolean;
  readonly #isTop: Uint8Array;
  readonly #flags: PageFlags;
  readonly #endAddress: number;
  /** New flags by old ones: [slow or top][not accessed or accessed]. */
  readonly #next: readonly (readonly [Uint8Array, Uint8Array])[];
  readonly #becomesTop = Uint8Array.from({ length: 256 }, (_, flags) => flags | WAS_TOP);
  readonly #defaultTarget: number;
  #target: number;
  #pace: ScanPace = KSCAND_START;
  #address = 0;
  #nextScanUs: number;
  #list: { start: number; readonly end: number }[] = [];
  #listedPages = 0;
  /** What the scans so far take for hot; made when it is asked for. */
  #hot: [number, number][] | undefined;
  #peakPages = 0;
  #movingBytes = 0;
  #budgetNs = 0;
  readonly #cpu: TrackerCpu = { applicationNs: 0, backgroundNs: 0 };
  readonly #counters = {
    nr_kscand_mm_scans: 0,
    nr_kscand_vma_scans: 0,
    nr_kscand_migadded: 0,
    nr_kscand_migrated: 0,
    nr_kscand_migrate_failed: 0,
    nr_kscand_slowtier: 0,
    nr_kscand_toptier: 0,
    nr_kscand_idlepage: 0,
    pgpromote_success: 0,
  };

  constructor(host: TrackerHost, options: KscandOptions) {
    this.name = options.name;
    this.#host = host;
    this.#isIntended = options.isIntended;
    this.#isTop = topTierNodes(host.nodes);
    this.#endAddress = Math.max(...host.ranges().map(({ end }) => end));
    this.#flags = new PageFlags();
    this.#next = [false, true].map((isTop) => [
      nextFlags(isTop, false, options.isIntended),
      nextFlags(isTop, true, options.isIntended),
    ]);
    this.#defaultTarget = nearestTopNode(host.nodes).nid;
    this.#target = this.#defaultTarget;
    this.#nextScanUs = host.nowUs() + SCAN_DELAY_US;
  }

  get pace(): ScanPace {
    return this.#pace;
  }

  step(): void {
    this.#migrate();
    if (this.#host.nowUs() >= this.#nextScanUs) this.#scan();
  }

  onMoved(start: number, end: number, outcome: ActionOutcome): void {
    const pages = (end - start) / PAGE_SIZE;
    this.#movingBytes -= end - start;
    if (outcome !== 'applied') {
      this.#counters.nr_kscand_migrate_failed += pages;
      return;
    }
    this.#counters.nr_kscand_migrated += pages;
    this.#counters.pgpromote_success += pages;
    this.#flags.transform(start, end, this.#becomesTop, ignore);
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters, pgdemote_kswapd: (this.#host.demotedBytes?.() ?? 0) / PAGE_SIZE };
  }

  get metadataBytes(): number {
    return SLOT_BYTES + this.#peakPages * ENTRY_BYTES;
  }

  get cpu(): Readonly<TrackerCpu> {
    return this.#cpu;
  }

  forEachHot(visit: (start: number, end: number) => void): void {
    this.#hot ??= this.#hotRanges();
    for (const [start, end] of this.#hot) visit(start, end);
  }

  #hotRanges(): [number, number][] {
    const ranges: [number, number][] = [];
    this.#flags.forEach(0, this.#endAddress, (start, end, flags) => {
      if ((flags & HOT) === 0) return;
      const last = ranges.at(-1);
      if (last !== undefined && last[1] === start) last[1] = end;
      else ranges.push([start, end]);
    });
    return ranges;
  }

  /** kscand_scan_mm_slot. */
  #scan(): void {
    this.#hot = undefined;
    const scannedOn = new Float64Array(this.#isTop.length);
    let [size, accessed] = [0, 0];
    let stoppedAt = 0;
    for (const vma of this.#host.ranges()) {
      if (vma.end <= this.#address) continue;
      const start = this.#isIntended ? Math.max(vma.start, this.#address) : vma.start;
      const end = this.#isIntended ? Math.min(vma.end, start + this.#pace.sizeBytes - size) : vma.end;
      const listed = this.#walk(start, end, scannedOn);
      this.#counters.nr_kscand_vma_scans++;
      accessed += listed;
      size += end - start;
      if (size < this.#pace.sizeBytes || (!this.#isIntended && listed === 0)) continue;
      stoppedAt = end;
      break;
    }
    this.#address = this.#isIntended && stoppedAt >= this.#endAddress ? 0 : stoppedAt;
    this.#target = this.#busiestTop(scannedOn);
    this.#counters.nr_kscand_mm_scans++;
    this.#peakPages = Math.max(this.#peakPages, this.#listedPages);
    const scanNs = (size / PAGE_SIZE) * WALK_ENTRY_NS;
    this.#cpu.backgroundNs += scanNs;
    this.#pace = adaptedPace(this.#pace, accessed);
    this.#nextScanUs = this.#host.nowUs() + scanNs / 1_000 + this.#pace.periodMs * 1_000;
  }

  /** Walks `[start, end)` and lists what is accessed in slow memory; the pages. */
  #walk(start: number, end: number, scannedOn: Float64Array): number {
    let listed = 0;
    this.#host.signals.scanAccessed(start, end, (from, to, isAccessed) => {
      this.#host.placement(from, to, (runStart, runEnd, nid) => {
        if (nid === NO_VALUE || nid === PAGED_OUT) return;
        const isTop = this.#isTop[nid];
        const pages = (runEnd - runStart) / PAGE_SIZE;
        scannedOn[nid] += pages;
        if (isTop === 1) this.#counters.nr_kscand_toptier += pages;
        else this.#counters.nr_kscand_slowtier += pages;
        this.#flags.transform(runStart, runEnd, this.#next[isTop][isAccessed], (a, b, flags) => {
          if ((flags & HOT) === 0) this.#counters.nr_kscand_idlepage += (b - a) / PAGE_SIZE;
          else if (isTop === 0) {
            this.#append(a, b);
            listed += (b - a) / PAGE_SIZE;
          }
        });
      });
    });
    return listed;
  }

  #append(start: number, end: number): void {
    this.#list.push({ start, end });
    this.#listedPages += (end - start) / PAGE_SIZE;
    this.#counters.nr_kscand_migadded += (end - start) / PAGE_SIZE;
  }

  /** get_target_node: of the top tier, the node on which most pages were scanned. */
  #busiestTop(scannedOn: Float64Array): number {
    let best = -1;
    for (let nid = 0; nid < scannedOn.length; nid++) {
      if (this.#isTop[nid] === 1 && scannedOn[nid] > (best < 0 ? 0 : scannedOn[best])) best = nid;
    }
    return best < 0 ? this.#defaultTarget : best;
  }

  /** kmigrated_migrate_mm: as much of the list as one CPU does in the time since the last step. */
  #migrate(): void {
    // A thread that has nothing to do saves no time up.
    if (this.#list.length === 0) {
      this.#budgetNs = 0;
      return;
    }
    this.#budgetNs = Math.min(this.#budgetNs, MIGRATE_PAGE_NS) + SLEEP_US * 1_000;
    const target = this.#host.gauge(this.#target);
    const high = this.#host.watermarks(this.#target).highBytes;
    const room = {
      bytes: roundDown(target.freeBytes - this.#movingBytes - high, PAGE_SIZE),
      isRefusing: false,
    };
    let done = 0;
    while (done < this.#list.length && this.#budgetNs >= MIGRATE_PAGE_NS) {
      const entry = this.#list[done];
      const stop = this.#drain(entry.start, Math.min(entry.end, entry.start + WINDOW_BYTES), room);
      this.#listedPages -= (stop - entry.start) / PAGE_SIZE;
      entry.start = stop;
      if (stop >= entry.end) done++;
    }
    if (done > 0) this.#list.splice(0, done);
  }

  /** kmigrated_promote_folio of each page; the first address that is left. */
  #drain(start: number, end: number, room: { bytes: number; isRefusing: boolean }): number {
    let stop = start;
    this.#host.placement(start, end, (from, to, nid) => {
      this.#flags.forEach(from, to, (a, b, flags) => {
        if (a !== stop) return;
        const isMovable =
          nid !== NO_VALUE && nid !== PAGED_OUT && this.#isTop[nid] === 0 && (flags & WAS_TOP) === 0;
        if (isMovable) stop = this.#promote(a, b, room);
        if (isMovable && room.bytes >= PAGE_SIZE) return;
        stop = this.#refuse(stop, b);
      });
    });
    return stop;
  }

  /** As far as budget and room go; where it ended. */
  #promote(start: number, end: number, room: { bytes: number; isRefusing: boolean }): number {
    const affordable = Math.floor(this.#budgetNs / MIGRATE_PAGE_NS) * PAGE_SIZE;
    const bytes = Math.min(end - start, affordable, Math.max(0, room.bytes));
    if (bytes > 0) this.#host.migrate(start, start + bytes, this.#target);
    this.#movingBytes += bytes;
    room.bytes -= bytes;
    this.#budgetNs -= (bytes / PAGE_SIZE) * MIGRATE_PAGE_NS;
    if (room.bytes < PAGE_SIZE && !room.isRefusing) {
      room.isRefusing = true;
      this.#host.wakeKswapd?.(this.#target);
    }
    return start + bytes;
  }

  #refuse(start: number, end: number): number {
    const affordable = Math.floor(this.#budgetNs / REFUSE_PAGE_NS) * PAGE_SIZE;
    const bytes = Math.max(0, Math.min(end - start, affordable));
    this.#budgetNs -= (bytes / PAGE_SIZE) * REFUSE_PAGE_NS;
    this.#cpu.backgroundNs += (bytes / PAGE_SIZE) * REFUSE_PAGE_NS;
    this.#counters.nr_kscand_migrate_failed += bytes / PAGE_SIZE;
    return start + bytes;
  }
}

/** hot_vma_idle_pte_entry, as a table over the flags. */
function nextFlags(isTop: boolean, isAccessed: boolean, isIntended: boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, flags) => {
    const isNew = (flags & SEEN) === 0;
    let next = (flags | SEEN | (isTop ? WAS_TOP : 0)) & ~HOT;
    if (isIntended) return isAccessed || isNew ? next | HOT : next;
    // Populating a page accessed it.
    const isYoungEntry = isAccessed || isNew;
    if (isYoungEntry) next = (next | YOUNG) & ~IDLE;
    const isHot = (next & IDLE) === 0 || (next & YOUNG) !== 0;
    if (isHot) next |= HOT;
    // An accessed page of the top tier is left before it is made idle.
    return isHot && isTop ? next : next | IDLE;
  });
}

function ignore(): void {}

export const createKscandPosted: TrackerFactory = (host) =>
  new Kscand(host, { name: 'kscand-posted', isIntended: false });

export const createKscandIntended: TrackerFactory = (host) =>
  new Kscand(host, { name: 'kscand-intended', isIntended: true });
