/**
 * NUMA balancing mode 2, memory tiering (kernel/sched/fair.c, mm/memory.c, mm/migrate.c; reference
 * tiering-systems section 3): threads protect pages of slow memory as they go, the next access to one
 * faults, and what faults soon after is promoted at once, in the context of the thread.
 *
 * What is wrong in the original and kept: a page is judged by one access, so that whatever the scan meets
 * while it is in use goes up and nothing that was marked before; the time of marking is kept modulo some
 * bits, so that a very late fault looks early; the threshold only ever rises, as the default rate limit is
 * never reached; the period adapts only to faults that end in the top tier, all local and private.
 *
 * Not modelled: run time apart from time (a thread that exists runs); the period by thread (all have that of
 * the process); migrations at once (they wait for the machine's migration
 * bandwidth, while the fault has been paid for); times of faults within a step of 20 ms and of marking
 * within 25 ms; files, shared pages, huge pages, policies. The bits of the time are those of a kernel for
 * 8,192 CPUs (inferred).
 *
 * A fault that promotes costs its thread 31 us, of which the machine books 8 as migration; one that does not
 * 1 us (inferred: 31 us for each of the seed's 4.4 million would be 137 s of its 261).
 */

import type { ActionOutcome } from '../memory/action.ts';
import { PAGED_OUT } from '../memory/action.ts';
import { NO_VALUE } from '../memory/page-runs.ts';
import type { FaultBatch } from '../memory/page-signals.ts';
import { PAGE_SIZE, totalBytes } from '../memory/range.ts';
import { topTierNodes } from '../memory/tier.ts';
import {
  HINT_FAULT_NS,
  MIGRATE_PAGE_NS,
  PROMOTING_FAULT_NS,
  PROTECT_ENTRY_NS,
  WALK_ENTRY_NS,
} from './costs.ts';
import {
  adaptedPeriod,
  SCAN_DEFAULTS,
  type ScanKnobs,
  scanPages,
  scanPeriodMax,
  scanPeriodMin,
} from './numab2-period.ts';
import { Numab2Scanner, type VmaRules } from './numab2-scanner.ts';
import { PromotionGate } from './promotion-gate.ts';
import { RecentRanges } from './recent-ranges.ts';
import { nearestTopNode } from './tiers.ts';
import type { Tracker, TrackerCpu, TrackerFactory, TrackerHost } from './tracker.ts';

const STEP_US = 20_000;
/** hot_threshold_ms. */
const HOT_THRESHOLD_MS = 1_000;
/** A thread runs this many times as long as it scanned before it scans again. */
const THROTTLE = 32;
/** 2 * TICK_NSEC at HZ 1000: another thread is likely to win the next time. */
const YIELD_US = 2_000;
/** LAST__PID_SHIFT + NR_CPUS_BITS of a kernel for 8,192 CPUs. */
const TIME_BITS = 21;
/** struct vma_numab_state in its slab. */
const VMA_STATE_BYTES = 64;
/** Taken for hot: promoted within the time of the hot threshold. The system itself keeps no such set. */
const HOT_US = HOT_THRESHOLD_MS * 1_000;
const ALONE = [0];

export interface Numab2Options {
  /** Those of the seed's kernel, 6.14, unless said otherwise. */
  readonly vmaRules?: VmaRules;
  readonly knobs?: ScanKnobs;
  readonly hotThresholdMs?: number;
  readonly rateLimitMBps?: number;
  readonly timeBits?: number;
}

/** Room for promotions on one node during a step. */
interface Target {
  readonly nid: number;
  readonly totalBytes: number;
  freeBytes: number;
  readonly highBytes: number;
  readonly promoBytes: number;
  readonly gate: PromotionGate;
  isRefusing: boolean;
}

export class Numab2 implements Tracker {
  readonly name = 'numab2';
  readonly stepUs = STEP_US;
  readonly usesSamples = false;
  readonly metadataBytes: number;
  readonly #host: TrackerHost;
  readonly #scanner: Numab2Scanner;
  readonly #knobs: ScanKnobs;
  readonly #isTop: Uint8Array;
  /** Pays for scanning where threads are not known. */
  readonly #cpuNid: number;
  readonly #gates: readonly PromotionGate[];
  readonly #timeMask: number;
  readonly #rssBytes: number;
  readonly #promoted = new RecentRanges(HOT_US);
  /** By thread: run time at which it may scan next, less a period (node_stamp). */
  readonly #stampUs: number[] = [];
  #nextScanUs: number;
  #periodMs: number;
  #adaptedSequence = 0;
  #recordedPages = 0;
  /** Bytes asked for and not reported, by target. */
  readonly #movingBytes: Float64Array;
  readonly #cpu: TrackerCpu = { applicationNs: 0, backgroundNs: 0 };
  readonly #counters = {
    numa_pte_updates: 0,
    numa_huge_pte_updates: 0,
    numa_hint_faults: 0,
    numa_hint_faults_local: 0,
    numa_pages_migrated: 0,
    pgmigrate_success: 0,
    pgmigrate_fail: 0,
    pgpromote_success: 0,
  };

  constructor(host: TrackerHost, options: Numab2Options = {}) {
    this.#host = host;
    this.#knobs = options.knobs ?? SCAN_DEFAULTS;
    this.#isTop = topTierNodes(host.nodes);
    this.#cpuNid = nearestTopNode(host.nodes).nid;
    this.#gates = Array.from(
      this.#isTop,
      () =>
        new PromotionGate({
          referenceMs: options.hotThresholdMs ?? HOT_THRESHOLD_MS,
          adjustMs: this.#knobs.scanPeriodMaxMs,
          ...(options.rateLimitMBps === undefined ? {} : { rateLimitMBps: options.rateLimitMBps }),
        }),
    );
    this.#timeMask = 2 ** (options.timeBits ?? TIME_BITS) - 1;
    this.#movingBytes = new Float64Array(this.#isTop.length);
    const ranges = host.ranges();
    this.#rssBytes = totalBytes(ranges);
    this.#periodMs = scanPeriodMin(this.#rssBytes, this.#knobs);
    this.#nextScanUs = host.nowUs() + this.#knobs.scanDelayMs * 1_000;
    this.#scanner = new Numab2Scanner(
      host.signals,
      ranges,
      this.#isTop.map((isTop) => 1 - isTop),
      {
        rules: options.vmaRules ?? '6.7',
        pages: scanPages(this.#knobs),
        scanDelayUs: this.#knobs.scanDelayMs * 1_000,
      },
    );
    this.metadataBytes = ranges.length * VMA_STATE_BYTES;
  }

  /** numa_scan_period at present. */
  get periodMs(): number {
    return this.#periodMs;
  }

  step(): void {
    this.#takeFaults(this.#host.signals.drainFaults());
    this.#scan();
  }

  onMoved(start: number, end: number, outcome: ActionOutcome): void {
    const pages = (end - start) / PAGE_SIZE;
    const nid = this.#host.nidOf(start);
    // All that is asked for goes to the node of a CPU; where there are several, to the one it is on now.
    const target = this.#movingBytes[nid] > 0 ? nid : this.#movingBytes.findIndex((bytes) => bytes > 0);
    if (target >= 0) {
      this.#movingBytes[target] = Math.max(0, this.#movingBytes[target] - (end - start));
    }
    if (outcome !== 'applied') {
      if (outcome !== 'already_there') this.#counters.pgmigrate_fail += pages;
      return;
    }
    this.#adapt();
    this.#recordedPages += pages;
    this.#counters.numa_pages_migrated += pages;
    this.#counters.pgmigrate_success += pages;
    this.#counters.pgpromote_success += pages;
    this.#promoted.note(this.#host.nowUs(), start, end);
  }

  counters(): Readonly<Record<string, number>> {
    const sum = (of: (gate: PromotionGate) => number): number =>
      this.#gates.reduce((total, gate) => total + of(gate), 0);
    return {
      ...this.#counters,
      pgpromote_candidate: sum(({ candidates }) => candidates),
      pgpromote_candidate_nrl: sum(({ candidatesNrl }) => candidatesNrl),
      pgdemote_kswapd: (this.#host.demotedBytes?.() ?? 0) / PAGE_SIZE,
      numa_scan_seq: this.#scanner.sequence,
    };
  }

  get cpu(): Readonly<TrackerCpu> {
    return this.#cpu;
  }

  forEachHot(visit: (start: number, end: number) => void): void {
    this.#promoted.forEach(this.#host.nowUs(), visit);
  }

  /** task_tick_numa and task_numa_work of each thread. */
  #scan(): void {
    const nowUs = this.#host.nowUs();
    const threads = this.#host.runningThreads?.() ?? ALONE;
    for (const thread of threads) {
      const stampUs = this.#stampUs[thread] ?? 0;
      if (nowUs <= stampUs + this.#periodMs * 1_000) continue;
      this.#stampUs[thread] = stampUs + this.#periodMs * 1_000;
      if (nowUs < this.#nextScanUs) continue;
      this.#nextScanUs = nowUs + this.#periodMs * 1_000;
      const { updated, looked } = this.#scanner.scan(nowUs, thread, threads.length);
      const ns = updated * PROTECT_ENTRY_NS + (looked - updated) * WALK_ENTRY_NS;
      this.#stampUs[thread] += YIELD_US + (THROTTLE * ns) / 1_000;
      this.#counters.numa_pte_updates += updated;
      this.#charge(thread, this.#cpuNid, ns);
    }
  }

  #charge(thread: number, nid: number, ns: number): void {
    const { signals } = this.#host;
    if (signals.chargeThread !== undefined) signals.chargeThread(thread, ns / 1_000);
    else signals.charge(nid, ns / 1_000);
    this.#cpu.applicationNs += ns;
  }

  /** do_numa_page of each fault. */
  #takeFaults(faults: FaultBatch): void {
    if (faults.count === 0) return;
    const targets = this.#targets();
    const nowMs = Math.floor(this.#host.nowUs() / 1_000);
    let [start, end, nid] = [-1, -1, -1];
    const flush = (): void => {
      if (start >= 0) this.#host.migrate(start, end, nid);
      start = -1;
    };
    for (let i = 0; i < faults.count; i++) {
      const address = faults.address[i];
      const target = targets[faults.nid[i]];
      const by = faults.thread?.[i] ?? 0;
      this.#scanner.touch(address, by);
      const isPromoted = this.#fault(address, faults.delayUs[i], target, nowMs);
      this.#charge(by, target.nid, isPromoted ? PROMOTING_FAULT_NS : HINT_FAULT_NS);
      if (!isPromoted) continue;
      this.#cpu.applicationNs -= MIGRATE_PAGE_NS;
      if (address !== end || target.nid !== nid) {
        flush();
        [start, nid] = [address, target.nid];
      } else if (start < 0) start = address;
      end = address + PAGE_SIZE;
    }
    flush();
  }

  /** @returns whether the page is to be promoted */
  #fault(address: number, delayUs: number, target: Target, nowMs: number): boolean {
    const pageNid = this.#host.nidOf(address);
    this.#counters.numa_hint_faults++;
    if (pageNid === target.nid) this.#counters.numa_hint_faults_local++;
    if (pageNid === NO_VALUE || pageNid === PAGED_OUT || this.#isTop[pageNid] === 1) return false;
    const latencyMs = Math.floor(delayUs / 1_000) % (this.#timeMask + 1);
    if (!target.gate.admits(latencyMs, nowMs, target, target.promoBytes)) return false;
    if (target.freeBytes < target.highBytes + PAGE_SIZE) {
      if (!target.isRefusing) this.#host.wakeKswapd?.(target.nid);
      target.isRefusing = true;
      this.#counters.pgmigrate_fail++;
      return false;
    }
    target.freeBytes -= PAGE_SIZE;
    this.#movingBytes[target.nid] += PAGE_SIZE;
    return true;
  }

  /** By nid, with what is on its way counted as there. */
  #targets(): Target[] {
    return this.#gates.map((gate, nid) => {
      const { totalBytes: total, freeBytes } = this.#host.gauge(nid);
      const { highBytes, promoBytes } = this.#host.watermarks(nid);
      return {
        nid,
        totalBytes: total,
        freeBytes: freeBytes - this.#movingBytes[nid],
        highBytes,
        promoBytes,
        gate,
        isRefusing: false,
      };
    });
  }

  /** task_numa_placement at the first recorded fault after a pass. */
  #adapt(): void {
    if (this.#adaptedSequence === this.#scanner.sequence) return;
    this.#adaptedSequence = this.#scanner.sequence;
    const before = this.#periodMs;
    // Faults that end on a slow node are not recorded (task_numa_fault), and so no failures are.
    const faults = {
      local: this.#recordedPages,
      remote: 0,
      isPrivate: this.#recordedPages,
      shared: 0,
      failed: 0,
    };
    this.#periodMs = adaptedPeriod(
      before,
      faults,
      scanPeriodMin(this.#rssBytes, this.#knobs),
      scanPeriodMax(this.#rssBytes, this.#knobs),
    );
    if (this.#recordedPages === 0) this.#nextScanUs = this.#host.nowUs() + this.#periodMs * 1_000;
    this.#recordedPages = 0;
  }
}

export const createNumab2: TrackerFactory = (host) => new Numab2(host);
