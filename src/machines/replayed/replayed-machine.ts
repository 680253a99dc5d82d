/**
 * The replayed machine: a recorded trace on a modelled two-tier machine.
 *
 * Placement, Accessed bits, samples and migrations are computed from the recorded accesses, each at
 * its time. Pages are allocated at their first access, in the fast tier while it has room; the machine
 * demotes the least recently used when the fast tier runs short, as kswapd does.
 *
 * The clock is the instruction count at a settable rate. A trace of some million instructions lasts
 * milliseconds on a real CPU, less than a sampling interval, so the rate is usually far below a CPU's
 * ({@link CPU_INSTRUCTIONS_PER_S}): a recorded access then stands for several, and the completion time
 * charges that many latencies for it. Recorded accesses do not wait for memory (open loop), and no
 * cache stands before the memory: right for traces of cache misses, an upper bound of the effect of
 * placement for traces of all accesses.
 *
 * Samples (perf) have times and stand for a number of accesses each. Accessed bits are then set by what was
 * sampled alone, which is far less than what was accessed.
 */
import { pushSample } from '../../memory/access-batch.ts';
import type { PageProperty, PageQuery } from '../../memory/action.ts';
import { ThermoError } from '../../memory/error.ts';
import type { RunVisitor } from '../../memory/page-runs.ts';
import type { PushSetting } from '../../memory/push-setting.ts';
import { RandomStream } from '../../memory/random.ts';
import { type AddressRange, PAGE_SIZE } from '../../memory/range.ts';
import { ADISTANCE_DRAM, abstractDistance, type MemoryNode } from '../../memory/tier.ts';
import { formatBytes } from '../../memory/units.ts';
import { SpoolReader } from '../../records/spool-reader.ts';
import type { TraceSpool } from '../../records/trace-spool.ts';
import type { LabMachine } from '../lab-machine.ts';
import type { Baseline, Truth } from '../machine.ts';
import { ModelledBase } from '../modelled-base.ts';
import { Mover } from '../mover.ts';
import { type Watermarks, watermarksOf } from '../watermarks.ts';
import { footprintRanges } from './footprint.ts';
import { PageState, PULL_BIT, YOUNG_BIT } from './page-state.ts';
import { ReplayLab } from './replay-lab.ts';

/** A CPU of 1 instruction per ns beside which memory latencies count. */
export const CPU_INSTRUCTIONS_PER_S = 1e9;

export interface TierLatencies {
  readonly fastNs: number;
  readonly slowNs: number;
}

/** Idle latencies of the preset cxl-typical: local DDR5 and a CXL expander. */
export const REPLAY_LATENCIES: TierLatencies = { fastNs: 110, slowNs: 265 };
const FAST_NID = 0;
const SLOW_NID = 1;
/** Longest piece while memory moves: DAMON's sampling interval. */
const MOVING_PIECE_US = 5_000;

/** Size of the fast tier: a share of the footprint, or bytes. */
export type FastSize =
  | { readonly kind: 'share'; readonly share: number }
  | { readonly kind: 'bytes'; readonly bytes: number };

export interface ReplayConfig {
  readonly spool: TraceSpool;
  /** What was traced, for reports. */
  readonly name: string;
  readonly fast: FastSize;
  /** Ticks of the trace's clock per second: instructions, microseconds or samples. */
  readonly ticksPerS: number;
  /** The trace holds samples, and what a sample stands for; left out: it lists instructions. */
  readonly samples?: { readonly period: number };
  /** Length of the window in which a page's true rate is counted: the aggregation interval. */
  readonly truthWindowUs: number;
  readonly push: PushSetting;
  /** Times of an access to either tier; left out: those of DDR5 and a CXL expander. */
  readonly latencies?: TierLatencies;
  /** Most address ranges to watch; undefined: as many as are useful. */
  readonly maxRanges?: number;
  readonly seed: number;
  readonly warnings: readonly string[];
}

export class ReplayedMachine extends ModelledBase implements LabMachine, Truth {
  readonly kind = 'replayed';
  readonly name: string;
  readonly workload: string;
  readonly nodes: readonly MemoryNode[];
  readonly truth: Truth = this;
  override readonly pageProperties: readonly PageProperty[] = ['young'];
  /** Bytes of all pages that the trace touches. */
  readonly footprintBytes: number;
  readonly #config: ReplayConfig;
  protected readonly mover: Mover;
  readonly #pages: PageState;
  readonly #ranges: readonly AddressRange[];
  readonly #fastPages: number;
  readonly #random: RandomStream;
  /** Accesses per sample, and those left until the next one. */
  #period = Number.POSITIVE_INFINITY;
  #untilSample = Number.POSITIVE_INFINITY;
  readonly #reader: SpoolReader;
  /** For the lab only: no monitor, scheme or engine looks at it. */
  readonly lab: ReplayLab;
  #nowUs = 0;
  #windowStartUs = 0;
  #accesses = 0;
  #fastAccesses = 0;
  #staticFastAccesses = 0;
  #checkedIds = new Int32Array(64);
  #checkedCount = 0;

  constructor(config: ReplayConfig) {
    super();
    const { spool, fast } = config;
    this.#config = config;
    this.workload = config.name;
    const footprintPages = spool.pages.count;
    this.footprintBytes = footprintPages * PAGE_SIZE;
    this.#fastPages = fastPagesOf(fast, this.footprintBytes);
    this.nodes = twoTiers(
      this.#fastPages * PAGE_SIZE,
      this.footprintBytes,
      config.latencies ?? REPLAY_LATENCIES,
    );
    this.name = `replay, ${formatBytes(this.#fastPages * PAGE_SIZE)} fast of ${formatBytes(this.footprintBytes)}`;
    this.#pages = new PageState(spool.pages, FAST_NID);
    this.#ranges = footprintRanges(spool.pages.sortedPages(), config.maxRanges);
    this.mover = new Mover(
      this.nodes,
      { migrationBytesPerS: 2 * 2 ** 30, kswapdBytesPerS: 2 * 2 ** 30, systemBytes: [], useWatermarks: true },
      this.#pages,
      (start, end, _from, toNid) => this.#onMoved(start, end, toNid),
    );
    this.#reader = new SpoolReader(spool, (id, loads, stores) => this.#access(id, loads, stores));
    this.lab = new ReplayLab({
      spool,
      pages: this.#pages,
      nid: FAST_NID,
      ticksPerS: config.ticksPerS,
      savedNs: (this.nodes[SLOW_NID].accessNs - this.nodes[FAST_NID].accessNs) * this.#stretch(),
      nowUs: () => Math.max(this.#nowUs, (this.#reader.ticks / config.ticksPerS) * 1e6),
      endS: () => (this.isDone() ? this.completionSeconds() : Number.NaN),
    });
    this.#random = new RandomStream(config.seed, 'replay/push');
    this.setPush(config.push);
  }

  override setPush(push: PushSetting): void {
    super.setPush(push);
    this.#period = samplePeriod(push, this.#config.spool.accesses, this.#durationUs() / 1e6);
    // Poisson samples have no memory: the wait for the next one begins anew.
    this.#untilSample = Number.isFinite(this.#period)
      ? this.#random.exponential() * this.#period
      : Number.POSITIVE_INFINITY;
  }

  nowUs(): number {
    return this.#nowUs;
  }

  isDone(): boolean {
    return this.#reader.isAtEnd && this.#nowUs >= this.#durationUs();
  }

  progress(): number {
    return Math.min(1, this.#nowUs / this.#durationUs());
  }

  ranges(): readonly AddressRange[] {
    return this.#ranges;
  }

  preparePull(addresses: Float64Array, count: number): void {
    if (this.#checkedIds.length < count) this.#checkedIds = new Int32Array(count * 2);
    for (let i = 0; i < count; i++) {
      const id = this.#config.spool.pages.find(addresses[i] / PAGE_SIZE);
      this.#checkedIds[i] = id;
      if (id >= 0) this.#pages.accessed[id] &= ~PULL_BIT;
    }
    this.#checkedCount = count;
  }

  advance(us: number): undefined {
    const endUs = this.#nowUs + us;
    // What has moved counts from the next piece on.
    while (this.mover.pendingBytes() > 0 && this.#nowUs + MOVING_PIECE_US < endUs) {
      this.#advancePiece(MOVING_PIECE_US);
    }
    this.#advancePiece(endUs - this.#nowUs);
    return undefined;
  }

  #advancePiece(us: number): void {
    const endUs = this.#nowUs + us;
    this.#reader.readUntil((endUs / 1e6) * this.#config.ticksPerS);
    this.samples.exposureS += Number.isFinite(this.#period) ? us / 1e6 / this.#period : 0;
    this.mover.advance(us);
    this.#nowUs = endUs;
    if (this.#nowUs - this.#windowStartUs >= this.#config.truthWindowUs || this.isDone()) {
      this.#pages.endWindow((this.#nowUs - this.#windowStartUs) / 1e6);
      this.#windowStartUs = this.#nowUs;
    }
  }

  readPull(hits: Uint8Array): void {
    for (let i = 0; i < this.#checkedCount; i++) {
      const id = this.#checkedIds[i];
      hits[i] = id >= 0 ? this.#pages.accessed[id] & PULL_BIT : 0;
    }
    this.#checkedCount = 0;
  }

  override queryPages(_query: PageQuery, start: number, end: number, visit: RunVisitor): void {
    this.#pages.takeBits(YOUNG_BIT, start, end, visit);
  }

  nidOf(address: number): number {
    return this.mover.placement.get(address);
  }

  wakeKswapd(nid: number): void {
    this.mover.wakeKswapd(nid);
  }

  watermarks(nid: number): Watermarks {
    return this.mover.watermarks[nid];
  }

  warnings(): readonly string[] {
    return this.#config.warnings;
  }

  close(): void {
    this.#config.spool.close();
  }

  totals(): { accesses: number; fastAccesses: number } {
    return { accesses: this.#accesses, fastAccesses: this.#fastAccesses };
  }

  forEachHot(minRate: number, visit: (start: number, end: number) => void): void {
    this.#pages.forEachHot(minRate, visit);
  }

  completionSeconds(): number {
    return this.#modelledSeconds(this.#fastAccesses) + this.lab.chargedUs / 1e6;
  }

  baseline(): Baseline {
    return {
      staticSeconds: this.#modelledSeconds(this.#staticFastAccesses),
      allFastSeconds: this.#modelledSeconds(this.#accesses),
      staticFastTierShare: this.#accesses > 0 ? this.#staticFastAccesses / this.#accesses : 0,
    };
  }

  /**
   * Instructions at the CPU's speed and accesses at their tier's latency, stretched to the trace clock. Times
   * of samples include what accesses took: the recording is taken as one with all memory fast, and only
   * what the slow tier adds is charged.
   */
  #modelledSeconds(fastAccesses: number): number {
    const { samples, latencies = REPLAY_LATENCIES } = this.#config;
    const included = samples === undefined ? 0 : Math.min(latencies.fastNs, REPLAY_LATENCIES.fastNs);
    const [fast, slow] = [this.nodes[FAST_NID].accessNs, this.nodes[SLOW_NID].accessNs];
    const memoryNs = fastAccesses * (fast - included) + (this.#accesses - fastAccesses) * (slow - included);
    return Math.min(this.#nowUs, this.#durationUs()) / 1e6 + (memoryNs * this.#stretch()) / 1e9;
  }

  /** Accesses that a recorded one stands for. */
  #stretch(): number {
    return this.#config.samples?.period ?? CPU_INSTRUCTIONS_PER_S / this.#config.ticksPerS;
  }

  #durationUs(): number {
    return Math.max(1, (this.#config.spool.ticks / this.#config.ticksPerS) * 1e6);
  }

  #access(id: number, loads: number, stores: number): void {
    const count = loads + stores;
    const pages = this.#pages;
    if (!pages.isPlaced(id)) this.#allocate(id);
    pages.touch(id, count);
    this.lab.accessed(id, count);
    this.#accesses += count;
    if (pages.nid[id] === FAST_NID) this.#fastAccesses += count;
    // Ids are given in the order of first access, so without migration the first ones are fast.
    if (id < this.#fastPages) this.#staticFastAccesses += count;
    this.#untilSample -= count;
    while (this.#untilSample < 0) {
      const isStore = this.#random.unit() * count < stores ? 1 : 0;
      pushSample(this.samples, pages.pages.pageAt(id) * PAGE_SIZE, FAST_NID, isStore);
      this.#untilSample += this.#random.exponential() * this.#period;
    }
  }

  #allocate(id: number): void {
    const start = this.#pages.pages.pageAt(id) * PAGE_SIZE;
    this.mover.populate({ start, end: start + PAGE_SIZE });
    this.#pages.nid[id] = this.mover.placement.get(start);
  }

  #onMoved(start: number, end: number, toNid: number): void {
    const { pages, nid } = this.#pages;
    for (let page = start / PAGE_SIZE; page < end / PAGE_SIZE; page++) {
      const id = pages.find(page);
      if (id < 0) continue;
      nid[id] = toNid;
      this.lab.moved(id, toNid === FAST_NID);
    }
  }
}

/**
 * A fast node that holds `fastBytes` above its watermarks, and a slow one with room for everything.
 */
export function twoTiers(
  fastBytes: number,
  footprintBytes: number,
  { fastNs, slowNs }: TierLatencies,
): readonly MemoryNode[] {
  // The reserve below the high watermark comes on top, so that the workload gets what was asked for.
  const withReserve = (bytes: number): number => {
    let capacity = bytes;
    while (capacity - watermarksOf(capacity).highBytes < bytes)
      capacity +=
        PAGE_SIZE *
        Math.max(1, Math.floor((bytes - capacity + watermarksOf(capacity).highBytes) / PAGE_SIZE));
    return capacity;
  };
  const dram = { latency: fastNs, bandwidth: 250e9 };
  const cxl = { latency: slowNs, bandwidth: 25e9 };
  return [
    {
      nid: FAST_NID,
      kind: 'DRAM',
      capacityBytes: withReserve(fastBytes),
      hasCpus: true,
      accessNs: fastNs,
      bandwidthBytesPerS: dram.bandwidth,
      adistance: ADISTANCE_DRAM,
    },
    {
      nid: SLOW_NID,
      kind: 'CXL',
      capacityBytes: withReserve(2 * footprintBytes),
      hasCpus: false,
      accessNs: slowNs,
      bandwidthBytesPerS: cxl.bandwidth,
      adistance: abstractDistance(cxl, dram),
    },
  ];
}

/** @throws ThermoError THERMO_MACHINE_CONFIG for a fast tier that holds no page */
export function fastPagesOf(fast: FastSize, footprintBytes: number): number {
  const wanted = fast.kind === 'share' ? fast.share * footprintBytes : fast.bytes;
  const pages = Math.floor(wanted / PAGE_SIZE);
  if (pages >= 1) return pages;
  throw new ThermoError('THERMO_MACHINE_CONFIG', `a fast tier of ${formatBytes(wanted)} holds no page`, {
    hint: `the footprint is ${formatBytes(footprintBytes)}; expected a share or size of at least one page`,
  });
}

function samplePeriod(push: PushSetting, accesses: number, seconds: number): number {
  if (push.kind === 'off' || (push.kind === 'rate' && push.perS === 0)) return Number.POSITIVE_INFINITY;
  return push.kind === 'period' ? push.accesses : Math.max(1, accesses / (push.perS * seconds));
}
