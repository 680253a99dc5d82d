/**
 * The in-kernel IBS driver between the machine's samples and a tracker: rings per CPU, filters, counters.
 *
 * Follows the posted drivers (arch/x86/mm/ibs.c of kpromoted v0 and pghot v1-v3; the IBS Memory Profiler
 * of pghot v7/v8), reference tiering-systems section 2.1:
 * - v0: rings of 50 entries, one of which always stays free. nid is never stored, so every sample says
 *   node 0. One work item for all CPUs: a CPU that finds it queued for another one leaves its ring until
 *   its next sample. v1 (to v3): rings of 150, nid stored, the same single work item.
 * - memprof: rings of 150, nid stored, a work item per CPU with a pending flag, fewer counters.
 * A sample that finds its ring full is lost, `hwhint_buffer_full`.
 *
 * Not modelled, as the machine's samples are user operations that missed the last-level cache already:
 * kernel mode, kernel threads, operations that access no memory, cache hits, invalid addresses. Their
 * counters stay 0. Data sources are counted for loads only (the hardware gives none for stores) and
 * taken from the node of the page. Samples have no times of their own: they are put at the times of a
 * Poisson process between two calls. The model knows nodes, not CPUs: `cpusPerNode` share a node's
 * samples at random. The delay of a work item is not posted; a millisecond is our guess (inferred).
 *
 * Speed: 8 M samples/s (Node 20, one busy core of two), without allocation per sample.
 */

import type { AccessBatch } from '../memory/access-batch.ts';
import type { RandomStream } from '../memory/random.ts';
import { topTierNodes } from '../memory/tier.ts';
import { IBS_SAMPLE_NS } from './costs.ts';
import type { TrackerHost } from './tracker.ts';

export type IbsVersion = 'v0' | 'v1' | 'memprof';

export interface IbsDriverOptions {
  readonly version: IbsVersion;
  /** CPUs of each node on which the application runs. */
  readonly cpusPerNode?: number;
  /** From the interrupt to the drain of the ring, us. */
  readonly workDelayUs?: number;
  readonly sampleNs?: number;
}

/** Samples as a tracker gets them, in the order in which rings are drained. */
export interface HintBatch {
  count: number;
  address: Float64Array;
  /** Node of the page. */
  pageNid: Uint16Array;
  /** Node that accessed as the driver tells it; -1: unknown. */
  nid: Int16Array;
  /** When the sample was taken, us. */
  timeUs: Float64Array;
}

/** Entries of a ring; one of them always stays free. */
export const RING_ENTRIES: Readonly<Record<IbsVersion, number>> = { v0: 50, v1: 150, memprof: 150 };
const WORK_DELAY_US = 1_000;
const NEVER = Number.POSITIVE_INFINITY;

export class IbsDriver {
  readonly #host: TrackerHost;
  readonly #random: RandomStream;
  readonly #version: IbsVersion;
  readonly #cpusPerNode: number;
  readonly #workDelayUs: number;
  readonly #sampleNs: number;
  readonly #isTop: Uint8Array;
  readonly #entries: number;
  /** Rings of all CPUs end to end. */
  readonly #ring: HintBatch;
  readonly #inRing: Uint16Array;
  /** When the work item of a CPU runs; with one item for all, at most one CPU waits. */
  readonly #dueUs: Float64Array;
  /** The earliest of them. */
  #nextDueUs = NEVER;
  readonly #out: HintBatch = emptyHints(1024);
  readonly #samplesOn: Float64Array;
  #lastUs: number;
  #applicationNs = 0;
  #events = 0;
  #useful = 0;
  #lost = 0;
  #dram = 0;
  #extended = 0;
  #remote = 0;

  constructor(host: TrackerHost, options: IbsDriverOptions, random: RandomStream) {
    this.#host = host;
    this.#random = random;
    this.#version = options.version;
    this.#cpusPerNode = options.cpusPerNode ?? 1;
    this.#workDelayUs = options.workDelayUs ?? WORK_DELAY_US;
    this.#sampleNs = options.sampleNs ?? IBS_SAMPLE_NS;
    this.#isTop = topTierNodes(host.nodes);
    this.#entries = RING_ENTRIES[options.version];
    const cpus = this.#isTop.length * this.#cpusPerNode;
    this.#ring = emptyHints(cpus * this.#entries);
    this.#inRing = new Uint16Array(cpus);
    this.#dueUs = new Float64Array(cpus).fill(NEVER);
    this.#samplesOn = new Float64Array(this.#isTop.length);
    this.#lastUs = host.nowUs();
  }

  /** CPU time of all samples so far, ns; charged to the node on which each was taken. */
  get applicationNs(): number {
    return this.#applicationNs;
  }

  /** Takes the machine's samples since the last call; what left the rings is valid until the next one. */
  take(batch: AccessBatch): HintBatch {
    const nowUs = this.#host.nowUs();
    const out = this.#out;
    out.count = 0;
    growHints(out, batch.count + this.#ring.address.length);
    this.#samplesOn.fill(0);
    this.#events += batch.count + batch.dropped;
    this.#lost += batch.dropped;
    const spanUs = nowUs - this.#lastUs;
    let timeUs = this.#lastUs;
    for (let i = 0; i < batch.count; i++) {
      // The next of n - i sorted uniform times in what is left of the span.
      const left = 1 - (1 - this.#random.unit()) ** (1 / (batch.count - i));
      timeUs = spanUs > 0 ? timeUs + (nowUs - timeUs) * left : nowUs;
      if (timeUs >= this.#nextDueUs) this.#runWork(timeUs);
      this.#interrupt(batch.address[i], batch.nid[i], batch.isStore[i], timeUs);
    }
    if (nowUs >= this.#nextDueUs) this.#runWork(nowUs);
    this.#lastUs = nowUs;
    this.#charge();
    return out;
  }

  counters(): Readonly<Record<string, number>> {
    if (this.#version === 'memprof') {
      return {
        hwhint_total_events: this.#events,
        hwhint_useful_events: this.#useful,
        hwhint_dropped_events: this.#lost,
        hwhint_dram_accesses: this.#dram,
        hwhint_extmem_accesses: this.#extended,
      };
    }
    return {
      hwhint_nr_events: this.#events,
      hwhint_kernel: 0,
      hwhint_kthread: 0,
      hwhint_non_load_stores: 0,
      hwhint_dc_l2_hits: 0,
      hwhint_local_l3l1l2: 0,
      hwhint_local_peer_cache_near: 0,
      hwhint_dram_accesses: this.#dram,
      hwhint_far_cache_hits: 0,
      hwhint_cxl_accesses: this.#extended,
      hwhint_remote_node: this.#remote,
      hwhint_invalid_laddr: 0,
      hwhint_kernel_addr: 0,
      hwhint_invalid_paddr: 0,
      hwhint_non_lru: 0,
      hwhint_buffer_full: this.#lost,
      hwhint_useful_samples: this.#useful,
    };
  }

  #interrupt(address: number, nid: number, isStore: number, timeUs: number): void {
    const cpuNid = nid >= 0 ? nid : 0;
    this.#samplesOn[cpuNid]++;
    const pageNid = this.#host.nidOf(address);
    // Holes and memory that was paged out since: not online, dropped without a counter.
    if (pageNid >= this.#isTop.length) return;
    if (isStore === 0) {
      if (this.#isTop[pageNid] === 0) this.#extended++;
      else {
        this.#dram++;
        if (nid >= 0 && pageNid !== nid) this.#remote++;
      }
    }
    const pick = this.#cpusPerNode > 1 ? this.#random.below(this.#cpusPerNode) : 0;
    const cpu = cpuNid * this.#cpusPerNode + pick;
    if (this.#inRing[cpu] === this.#entries - 1) {
      this.#lost++;
    } else {
      const ring = this.#ring;
      const at = cpu * this.#entries + this.#inRing[cpu]++;
      ring.address[at] = address;
      ring.pageNid[at] = pageNid;
      ring.nid[at] = this.#version === 'v0' ? 0 : nid;
      ring.timeUs[at] = timeUs;
      this.#useful++;
    }
    this.#queueWork(cpu, timeUs);
  }

  #queueWork(cpu: number, timeUs: number): void {
    const isQueued = this.#version === 'memprof' ? this.#dueUs[cpu] !== NEVER : this.#nextDueUs !== NEVER;
    if (isQueued) return;
    this.#dueUs[cpu] = timeUs + this.#workDelayUs;
    this.#nextDueUs = Math.min(this.#nextDueUs, this.#dueUs[cpu]);
  }

  /** Drains the rings whose work is due. */
  #runWork(timeUs: number): void {
    const { ring: from, out } = { ring: this.#ring, out: this.#out };
    this.#nextDueUs = NEVER;
    for (let cpu = 0; cpu < this.#dueUs.length; cpu++) {
      if (this.#dueUs[cpu] <= timeUs) {
        this.#dueUs[cpu] = NEVER;
        const first = cpu * this.#entries;
        for (let at = first; at < first + this.#inRing[cpu]; at++) {
          const i = out.count++;
          out.address[i] = from.address[at];
          out.pageNid[i] = from.pageNid[at];
          out.nid[i] = from.nid[at];
          out.timeUs[i] = from.timeUs[at];
        }
        this.#inRing[cpu] = 0;
      }
      this.#nextDueUs = Math.min(this.#nextDueUs, this.#dueUs[cpu]);
    }
  }

  #charge(): void {
    for (let nid = 0; nid < this.#samplesOn.length; nid++) {
      const ns = this.#samplesOn[nid] * this.#sampleNs;
      if (ns === 0) continue;
      this.#applicationNs += ns;
      this.#host.signals.charge(nid, ns / 1000);
    }
  }
}

function emptyHints(capacity: number): HintBatch {
  return {
    count: 0,
    address: new Float64Array(capacity),
    pageNid: new Uint16Array(capacity),
    nid: new Int16Array(capacity),
    timeUs: new Float64Array(capacity),
  };
}

function growHints(batch: HintBatch, capacity: number): void {
  if (batch.address.length < capacity) Object.assign(batch, emptyHints(2 * capacity), { count: batch.count });
}
