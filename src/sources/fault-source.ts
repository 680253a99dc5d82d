/**
 * NUMA hint faults as samples: a perf software event for each thread of the process, which the kernel
 * raises at every page fault with the exact address. No PMU, no patch.
 */
import type { AccessSource } from '../machines/linux/access-source.ts';
import { FaultEvent } from '../machines/linux/native/perf-event.ts';
import { vmstat } from '../machines/linux/node-memory.ts';
import { readProcess } from '../machines/linux/process-memory.ts';
import type { SystemTree } from '../machines/linux/system-tree.ts';
import type { UndoLedger } from '../machines/linux/undo-ledger.ts';
import { type AccessBatch, createAccessBatch, pushSample } from '../memory/access-batch.ts';
import { ThermoError } from '../memory/error.ts';
import { PAGE_SIZE } from '../memory/range.ts';
import { FaultExposure } from './fault-exposure.ts';

const NUMA_BALANCING = '/proc/sys/kernel/numa_balancing';
/** Mode that protects pages of slow nodes (NUMA_BALANCING_MEMORY_TIERING). */
const TIERING = 2;
/** Ring of each thread: many threads get small ones. */
const [RING_PAGES, SMALL_RING_PAGES, MANY_THREADS] = [64, 16, 16];
const MOST_THREADS = 512;
/** How often new threads are looked for. */
const RESCAN_US = 1e6;
/** Window in which a fault counts unless the user says otherwise: tells rates up to 10/s, and leaves time for the faults of all pages that a scan protects; see `fault-exposure.ts`. */
const WINDOW_US = 100_000;
const HELD = 65536;

export interface FaultSourceOptions {
  readonly tree: SystemTree;
  readonly ledger: UndoLedger;
  readonly pid: number;
  /** Time after its protection in which a page must fault to count as hot. */
  readonly windowUs?: number;
  /** May kernel.numa_balancing be set to 2 for the run? */
  readonly maySetBalancing: boolean;
  readonly nowUs: () => number;
}

export class FaultSource implements AccessSource {
  readonly name = 'faults';
  readonly kind = 'push';
  readonly cost =
    'a page fault for each sample, paid by the thread that accesses, and one for each thread to attach to';
  readonly blindSpots = [
    'pages in the fast tier do not fault: what is promoted looks idle',
    'one fault a page and scan of the kernel (a second to a minute): rates above one per window look alike',
    'in mode 2 the kernel promotes the pages that fault, too, unless their memory policy forbids it',
  ];
  readonly #options: FaultSourceOptions;
  readonly #events = new Map<number, FaultEvent>();
  readonly #batch: AccessBatch = createAccessBatch(HELD);
  #exposure: FaultExposure | undefined;
  #nextScanUs = 0;
  #watchedPages = 0;
  #faults = 0;
  #late = 0;
  #lost = 0;
  #skippedThreads = 0;

  constructor(options: FaultSourceOptions) {
    this.#options = options;
  }

  start(): void {
    const { tree, ledger, maySetBalancing, nowUs, windowUs } = this.#options;
    const mode = tree.readNumber(NUMA_BALANCING);
    if (mode === undefined) {
      throw new ThermoError(
        'THERMO_MACHINE_CONFIG',
        'this kernel makes no hint faults (no kernel.numa_balancing)',
        {
          hint: 'choose another --source; thermocline doctor tells which there are',
        },
      );
    }
    if ((mode & TIERING) === 0) {
      if (!maySetBalancing) {
        throw new ThermoError(
          'THERMO_MACHINE_CONFIG',
          `kernel.numa_balancing is ${mode}: pages of slow nodes do not fault`,
          { hint: 'give --allow numa_balancing to set it to 2 for the run, or choose another --source' },
        );
      }
      ledger.set(NUMA_BALANCING, String(TIERING));
    }
    this.#exposure = new FaultExposure(
      windowUs ?? WINDOW_US,
      vmstat(tree).get('numa_pte_updates') ?? 0,
      nowUs(),
    );
    this.#scanThreads();
  }

  /** Attaches to threads that are new, lets go of those that have ended. */
  #scanThreads(): void {
    const { tree, pid, nowUs } = this.#options;
    this.#nextScanUs = nowUs() + RESCAN_US;
    this.#watchedPages = readProcess(tree, pid).residentBytes / PAGE_SIZE;
    const tids = tree.list(`/proc/${pid}/task`).map(Number);
    for (const [tid, event] of this.#events) {
      if (tids.includes(tid)) continue;
      this.#drain(event);
      event.close();
      this.#events.delete(tid);
    }
    const pages = tids.length > MANY_THREADS ? SMALL_RING_PAGES : RING_PAGES;
    this.#skippedThreads = Math.max(0, tids.length - MOST_THREADS);
    for (const tid of tids.slice(0, MOST_THREADS)) {
      if (!this.#events.has(tid)) this.#events.set(tid, new FaultEvent(tid, pages));
    }
  }

  poll(): void {
    const { tree, pid, nowUs } = this.#options;
    const exposure = this.#exposure;
    if (exposure === undefined) return;
    const now = nowUs();
    const updates = vmstat(tree).get('numa_pte_updates') ?? 0;
    this.#batch.exposureS += exposure.note(updates, this.#watchedPages, now);
    for (const event of this.#events.values()) this.#drain(event);
    if (now >= this.#nextScanUs && tree.exists(`/proc/${pid}`)) this.#scanThreads();
  }

  #drain(event: FaultEvent): void {
    this.#lost += event.drain((address, timeUs) => {
      this.#faults++;
      if (this.#exposure?.counts(timeUs)) pushSample(this.#batch, address, -1, 0);
      else this.#late++;
    });
  }

  takeSamples(batch: AccessBatch): void {
    const held = this.#batch;
    for (let i = 0; i < held.count; i++) pushSample(batch, held.address[i], -1, 0);
    batch.exposureS += held.exposureS;
    batch.dropped += held.dropped + this.#lost;
    held.count = 0;
    held.exposureS = 0;
    held.dropped = 0;
    this.#lost = 0;
  }

  stop(): void {
    for (const event of this.#events.values()) event.close();
    this.#events.clear();
  }

  facts(): Readonly<Record<string, number | string>> {
    const { size } = this.#events;
    return { faults: this.#faults, late: this.#late, threads: size, skippedThreads: this.#skippedThreads };
  }
}
