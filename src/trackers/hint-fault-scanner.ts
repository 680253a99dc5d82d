/**
 * The scan of NUMA balancing mode 2 reduced to what pghot's source of hint faults needs: it protects
 * slow memory in address order, 256 MiB of it every period, and collects the faults (task_numa_work,
 * reference tiering-systems section 3.2).
 *
 * The period is scan_period_min / windows, no less than 100 ms; adaptation by locality, which needs
 * faults on top-tier pages, and the limit of 8 times the size in address space are left out. `numab2`
 * is the whole system.
 */

import type { FaultBatch } from '../memory/page-signals.ts';
import { PAGE_SIZE, totalBytes } from '../memory/range.ts';
import { topTierNodes } from '../memory/tier.ts';
import type { TrackerHost } from './tracker.ts';

const SCAN_BYTES = 256 * 2 ** 20;
const PERIOD_MIN_MS = 1_000;
/** 1000 / (MAX_SCAN_WINDOW of 2560 MB / scan_size). */
const FLOOR_MS = 100;
const SCAN_DELAY_MS = 1_000;
/** Looked at in one go: small enough not to protect much more than the scan's size. */
const STRIDE_BYTES = 2 * 2 ** 20;
/** Entry, fault handler and restored PTE of a hint fault (inferred). */
const FAULT_NS = 1_000;

export class HintFaultScanner {
  applicationNs = 0;
  readonly #host: TrackerHost;
  readonly #isSlow: Uint8Array;
  readonly #periodUs: number;
  #nextUs: number;
  #range = 0;
  #offset = 0;
  readonly #counters = { numa_pte_updates: 0, numa_hint_faults: 0 };

  constructor(host: TrackerHost) {
    this.#host = host;
    this.#isSlow = topTierNodes(host.nodes).map((isTop) => 1 - isTop);
    const windows = Math.max(1, Math.ceil(totalBytes(host.ranges()) / SCAN_BYTES));
    this.#periodUs = Math.max(FLOOR_MS, PERIOD_MIN_MS / windows) * 1_000;
    this.#nextUs = host.nowUs() + SCAN_DELAY_MS * 1_000;
  }

  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters };
  }

  /** Protects what is due and takes the faults since the last call. */
  step(): FaultBatch {
    const nowUs = this.#host.nowUs();
    while (nowUs >= this.#nextUs) {
      this.#scan();
      this.#nextUs += this.#periodUs;
    }
    const faults = this.#host.signals.drainFaults();
    this.#counters.numa_hint_faults += faults.count;
    const faultsOn = new Float64Array(this.#isSlow.length);
    for (let i = 0; i < faults.count; i++) if (faults.nid[i] >= 0) faultsOn[faults.nid[i]]++;
    faultsOn.forEach((count, nid) => {
      if (count > 0) this.#host.signals.charge(nid, (count * FAULT_NS) / 1_000);
    });
    this.applicationNs += faults.count * FAULT_NS;
    return faults;
  }

  #scan(): void {
    const ranges = this.#host.ranges();
    const pages = SCAN_BYTES / PAGE_SIZE;
    let updated = 0;
    // At most once around.
    for (let looked = totalBytes(ranges); updated < pages && looked > 0; ) {
      if (this.#range >= ranges.length) this.#range = 0;
      const { start, end } = ranges[this.#range];
      const from = start + this.#offset;
      const to = Math.min(end, from + STRIDE_BYTES);
      updated += this.#host.signals.protect(from, to, this.#isSlow);
      looked -= to - from;
      this.#offset += to - from;
      if (to < end) continue;
      this.#range++;
      this.#offset = 0;
    }
    this.#counters.numa_pte_updates += updated;
  }
}
