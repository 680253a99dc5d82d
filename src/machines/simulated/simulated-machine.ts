/**
 * The simulated tiered machine.
 *
 * Time advances in pieces on which the access-rate field is constant. In a piece of d seconds a page
 * with rate r per second is found accessed with probability 1 - exp(-r d), its samples are Poisson
 * with mean r d m/period (m = share of accesses that miss the last-level cache, which is all that IBS
 * sees), and a closed thread does d / (mean access time) accesses. Cost per piece depends on the
 * areas, checks and samples, never on the size of the machine.
 *
 * Sources: reference formulas of the access-rate-field model; Accessed-bit and sample statistics are
 * those of independent Poisson accesses.
 */
import { pushSample } from '../../memory/access-batch.ts';
import type { Action, GaugeKind, PageProperty, PageQuery, SystemGauge } from '../../memory/action.ts';
import { ThermoError } from '../../memory/error.ts';
import { NO_VALUE, type RunVisitor } from '../../memory/page-runs.ts';
import type { PushSetting } from '../../memory/push-setting.ts';
import { RandomStream } from '../../memory/random.ts';
import { type AddressRange, assertRanges, PAGE_SIZE } from '../../memory/range.ts';
import { type MemoryNode, topTierNodes } from '../../memory/tier.ts';
import { formatBytes, formatSeconds } from '../../memory/units.ts';
import type { LabMachine } from '../lab-machine.ts';
import type { Baseline, Truth } from '../machine.ts';
import { ModelledBase } from '../modelled-base.ts';
import { Mover, type MoverConfig } from '../mover.ts';
import type { Watermarks } from '../watermarks.ts';
import { FAULT_NS, forEachRate, meanAccessNs, type RateVisitor, RunningThread } from './field.ts';
import { touchFirst } from './first-touch.ts';
import { bytesOn, leastNs, lruBytes } from './gauges.ts';
import { LabView } from './lab-view.ts';
import { LruOrder } from './lru.ts';
import { NodeLoad } from './node-load.ts';
import { PageFacts } from './page-facts.ts';
import { BASELINE_AT_REST, predictWorkload } from './predict.ts';
import { PullChecks } from './pull-checks.ts';
import type { Workload } from './workload.ts';

/** Longest piece while memory moves, as what has moved counts from the next piece on. */
const MOVING_PIECE_US = 10_000;

export interface SimulatedMachineConfig {
  readonly name: string;
  readonly nodes: readonly MemoryNode[];
  readonly mover: MoverConfig;
  readonly workload: Workload;
  readonly push: PushSetting;
  /** Share of accesses that miss the last-level cache and so can be sampled by IBS or PEBS. */
  readonly sampledShare: number;
  /** True: accesses take longer on nodes whose bandwidth is used; left out: never. */
  readonly followsLoad?: boolean;
  readonly seed: number;
}

export class SimulatedMachine extends ModelledBase implements LabMachine, Truth {
  readonly kind = 'simulated';
  readonly name: string;
  readonly workload: string;
  readonly nodes: readonly MemoryNode[];
  readonly truth: Truth = this;
  readonly #config: SimulatedMachineConfig;
  override readonly actions: readonly Action[];
  override readonly pageProperties: readonly PageProperty[] = [
    'anon',
    'active',
    'memcg',
    'young',
    'hugepage_size',
    'unmapped',
  ];
  override readonly gauges: readonly GaugeKind[] = [
    'pressure',
    'lru',
    'accesses',
    'access_time',
    'latency',
    'memcg',
  ];
  /** For the lab only: no monitor, scheme or engine looks at it. */
  readonly lab: LabView;
  protected readonly mover: Mover;
  readonly #load: NodeLoad;
  readonly #facts: PageFacts;
  readonly #faultRandom: RandomStream;
  readonly #lru: LruOrder;
  readonly #threads: RunningThread[];
  readonly #isFast: Uint8Array;
  readonly #baseline: Baseline;
  readonly #totalAccesses: number;
  readonly #pushRandom: RandomStream;
  readonly #checks: PullChecks;
  /** Memory that threads allocate while the machine runs. */
  readonly #hasLate: boolean;
  readonly #warnings: string[] = [];
  /** Accesses per second of each thread in the present piece. */
  readonly #perS: Float64Array;
  readonly #nodePerS: Float64Array;
  #nowUs = 0;
  #accesses = 0;
  #fastAccesses = 0;
  #accessS = 0;
  #allFastS = 0;
  #stallUs = 0;

  constructor(config: SimulatedMachineConfig) {
    super();
    const { nodes, workload } = config;
    assertRanges(workload.ranges);
    this.#config = config;
    this.setPush(config.push);
    this.name = config.name;
    this.workload = workload.name;
    this.nodes = nodes;
    this.#pushRandom = new RandomStream(config.seed, 'machine/push');
    this.#checks = new PullChecks(new RandomStream(config.seed, 'machine/pull'));
    this.#hasLate = workload.ranges.some(({ isLate }) => isLate === true);
    this.#faultRandom = new RandomStream(config.seed, 'machine/fault');
    this.#facts = new PageFacts(workload.kinds ?? [], new RandomStream(config.seed, 'machine/young'));
    this.#load = new NodeLoad(nodes, config.followsLoad === true);
    this.#nodePerS = new Float64Array(nodes.length);
    const swaps: readonly Action[] = config.mover.swapBytesPerS === undefined ? [] : ['pageout', 'willneed'];
    this.actions = ['migrate_hot', 'migrate_cold', ...swaps, 'cold', 'lru_prio', 'lru_deprio', 'stat'];
    this.#lru = new LruOrder(workload.ranges);
    this.mover = new Mover(nodes, config.mover, this.#lru, (start, end, fromNid, toNid) => {
      for (const thread of this.#threads) thread.onMoved(start, end, fromNid, toNid);
      this.lab.moved(start, end, fromNid, toNid);
    });
    let homeless = 0;
    for (const range of workload.ranges) {
      if (range.isLate !== true) homeless += this.mover.populate(range, range.nid);
    }
    if (homeless > 0) {
      throw new ThermoError(
        'THERMO_MACHINE_CONFIG',
        `${formatBytes(homeless)} of the workload find no memory on ${config.name}`,
        {
          hint: 'give the machine more memory or the workload less',
        },
      );
    }
    this.#isFast = topTierNodes(nodes);
    this.#threads = workload.threads.map(
      (thread) => new RunningThread(thread, nodes.length, this.mover.placement),
    );
    this.lab = new LabView({
      nodes,
      threads: this.#threads,
      placement: this.mover.placement,
      ranges: workload.ranges,
      accessNs: this.#load.accessNs,
      fastNid: this.#isFast.indexOf(1),
      random: new RandomStream(config.seed, 'machine/signals'),
    });
    const { accesses, baseline } = predictWorkload(workload, nodes, this.mover.placement, this.#isFast);
    this.#totalAccesses = accesses;
    this.#baseline = baseline;
    const isEstimate = this.#hasLate || config.followsLoad === true;
    this.#warnings.push(...(workload.notes ?? []));
    if (isEstimate && !Number.isFinite(workload.durationUs)) this.#warnings.push(BASELINE_AT_REST);
    this.#perS = new Float64Array(this.#threads.length);
    for (const thread of this.#threads) this.#enterNextPhase(thread);
  }

  nowUs(): number {
    return this.#nowUs;
  }

  isDone(): boolean {
    const { durationUs } = this.#config.workload;
    if (Number.isFinite(durationUs)) return this.#nowUs >= durationUs;
    return this.#threads.every((thread) => thread.done || thread.isEndless);
  }

  progress(): number {
    const { durationUs } = this.#config.workload;
    if (Number.isFinite(durationUs)) return Math.min(1, this.#nowUs / durationUs);
    return this.#totalAccesses > 0 ? Math.min(1, this.#accesses / this.#totalAccesses) : Number.NaN;
  }

  ranges(): readonly AddressRange[] {
    return this.#config.workload.ranges;
  }

  preparePull(addresses: Float64Array, count: number): void {
    this.#checks.begin(addresses, count);
  }

  advance(us: number): undefined {
    const endUs = Math.min(this.#nowUs + us, this.#config.workload.durationUs);
    while (this.#nowUs < endUs && !this.isDone()) {
      const leftUs = endUs - this.#nowUs;
      this.#advancePiece(this.mover.pendingBytes() > 0 ? Math.min(leftUs, MOVING_PIECE_US) : leftUs);
    }
    return undefined;
  }

  readPull(hits: Uint8Array): void {
    this.#checks.finish(hits, (address) => this.#isThere(address));
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

  override queryPages(query: PageQuery, start: number, end: number, visit: RunVisitor): void {
    if (query.property === 'young') {
      this.#facts.queryYoung(
        this.#nowUs,
        start,
        end,
        (from, to, each) => this.#forEachRate(from, to, each),
        visit,
      );
    } else if (query.property === 'active') this.#lru.queryActive(start, end, visit);
    else this.#facts.queryKind(query, start, end, visit);
  }

  override systemGauge(): SystemGauge {
    return {
      someMemPsiUs: this.#stallUs,
      ...lruBytes(this.mover.memory, this.#lru),
      accesses: this.#accesses,
      fastAccesses: this.#fastAccesses,
      accessS: this.#accessS,
      allFastS: this.#allFastS,
      fastNs: leastNs(this.#load.accessNs, this.#isFast, 1),
      slowNs: leastNs(this.#load.accessNs, this.#isFast, 0),
    };
  }

  override memcgBytes(path: string, nid: number): number {
    return bytesOn(this.mover.memory, this.#facts.rangesOf(path), nid);
  }

  warnings(): readonly string[] {
    return this.#warnings;
  }

  close(): void {}

  totals(): { accesses: number; fastAccesses: number } {
    return { accesses: this.#accesses, fastAccesses: this.#fastAccesses };
  }

  completionSeconds(): number {
    const ends = this.#threads.filter((thread) => thread.done).map((thread) => thread.endUs);
    return (ends.length === this.#threads.length ? Math.max(...ends) : this.#nowUs) / 1e6;
  }

  baseline(): Baseline {
    return this.#baseline;
  }

  forEachHot(minRate: number, visit: (start: number, end: number) => void): void {
    let hotFrom = -1;
    this.#forEachRate(0, Number.MAX_SAFE_INTEGER, (start, _end, rate) => {
      const isHot = rate >= minRate;
      if (isHot && hotFrom < 0) hotFrom = start;
      if (!isHot && hotFrom >= 0) {
        visit(hotFrom, start);
        hotFrom = -1;
      }
    });
  }

  #forEachRate(start: number, end: number, visit: RateVisitor): void {
    forEachRate(this.#threads, this.#load.accessNs, start, end, visit);
  }

  /** Advances by at most `us`, or to the end of the first phase that ends. */
  #advancePiece(us: number): void {
    let pieceUs = this.#hasPagedOut() ? Math.min(us, MOVING_PIECE_US) : us;
    let totalPerS = 0;
    // How fast threads go is told at the start of the piece; what moves inside it speeds up the next one.
    for (let i = 0; i < this.#threads.length; i++) {
      const perS = this.#threads[i].accessesPerS(this.#load.accessNs);
      this.#perS[i] = perS;
      totalPerS += perS;
      pieceUs = Math.min(pieceUs, this.#threads[i].leftUs(perS));
      if (this.#threads[i].allocation !== undefined) pieceUs = Math.min(pieceUs, MOVING_PIECE_US);
    }
    const seconds = pieceUs / 1e6;
    this.lab.advanceTo(this.#nowUs + pieceUs);
    this.mover.advance(pieceUs);
    const perAccess = this.#samplesPerAccess(totalPerS);
    this.#nodePerS.fill(0);
    let faultPages = 0;
    for (let i = 0; i < this.#threads.length; i++) {
      const thread = this.#threads[i];
      if (thread.done) continue;
      const workS = thread.pay(seconds);
      const accesses = Math.min(thread.remaining, this.#perS[i] * workS);
      this.#spread(thread, accesses, perAccess);
      thread.remaining -= accesses;
      thread.remainingUs -= pieceUs;
      if (!touchFirst(thread, this.mover, workS)) this.#kill(thread, this.#nowUs + pieceUs);
      this.#accesses += accesses;
      faultPages += this.#fault(thread, accesses, pieceUs);
    }
    this.#stallUs += Math.min(pieceUs, (faultPages * FAULT_NS) / 1000);
    for (let nid = 0; nid < this.#nodePerS.length; nid++) {
      this.#nodePerS[nid] *= this.#config.sampledShare / Math.max(seconds, 1e-9);
    }
    this.#load.follow(this.#nodePerS);
    this.samples.exposureS +=
      this.#config.sampledShare > 0 ? (seconds * perAccess) / this.#config.sampledShare : 0;
    this.#nowUs += pieceUs;
    for (const thread of this.#threads) {
      while (!thread.done && thread.isPhaseOver) this.#enterNextPhase(thread);
    }
  }

  /** Samples per access of the machine. */
  #samplesPerAccess(totalPerS: number): number {
    const { push } = this;
    const { sampledShare } = this.#config;
    if (push.kind === 'off' || totalPerS === 0) return 0;
    if (push.kind === 'period') return sampledShare / push.accesses;
    return Math.min(sampledShare, push.perS / totalPerS);
  }

  /** Distributes accesses over the areas: who served them, which checked pages, which samples. */
  #spread(thread: RunningThread, accesses: number, samplesPerAccess: number): void {
    for (const area of thread.areas) {
      const count = accesses * area.share;
      let fastBytes = 0;
      for (let nid = 0; nid < this.#isFast.length; nid++) {
        if (this.#isFast[nid] === 1) fastBytes += area.bytesOn[nid];
        this.#nodePerS[nid] += (count * area.bytesOn[nid]) / (area.end - area.start);
      }
      this.#fastAccesses += (count * fastBytes) / (area.end - area.start);
      this.#accessS += (count * meanAccessNs(area, this.#load.accessNs)) / 1e9;
      this.#allFastS += (count * leastNs(this.#load.accessNs, this.#isFast, 1)) / 1e9;
      this.#checks.accessed(area.start, area.end, count / area.pages);
      this.lab.accessed(area.start, area.end, count / area.pages, thread);
      if (samplesPerAccess > 0) this.#sample(area.start, area.pages, count * samplesPerAccess, thread);
    }
  }

  #kill(thread: RunningThread, us: number): void {
    this.#warnings.push(`out of memory: ${thread.thread.name} was ended at ${formatSeconds(us / 1e6)}`);
    thread.stop(us);
  }

  #isThere(address: number): boolean {
    return !this.#hasLate || this.nidOf(address) !== NO_VALUE;
  }

  #hasPagedOut(): boolean {
    return this.#threads.some(({ areas }) => areas.some(({ pagedOutBytes }) => pagedOutBytes > 0));
  }

  /** Brings back what was paged out and has been accessed; the pages. */
  #fault(thread: RunningThread, accesses: number, us: number): number {
    let sum = 0;
    // A closed thread waits for each, though it was faster when its pages were still there.
    const most =
      thread.thread.pace.kind === 'closed'
        ? Math.ceil((us * 1000 * (thread.thread.count ?? 1)) / FAULT_NS)
        : Infinity;
    for (const area of thread.areas) {
      const pages = area.pagedOutBytes / PAGE_SIZE;
      if (pages === 0) continue;
      const touched = pages * -Math.expm1((-accesses * area.share) / area.pages);
      const count = Math.min(pages, most - sum, this.#faultRandom.poisson(touched));
      if (count > 0) sum += this.mover.fault(area.start, area.end, count * PAGE_SIZE) / PAGE_SIZE;
    }
    return sum;
  }

  #sample(start: number, pages: number, mean: number, running: RunningThread): void {
    const random = this.#pushRandom;
    const { nid, loadShare } = running.thread;
    const count = random.poisson(mean);
    for (let i = 0; i < count; i++) {
      const address = start + random.below(pages) * PAGE_SIZE;
      const isStore = random.unit() < loadShare ? 0 : 1;
      if (this.#isThere(address)) pushSample(this.samples, address, nid, isStore);
    }
  }

  #enterNextPhase(thread: RunningThread): void {
    for (const area of thread.areas) this.#lru.leave(area);
    thread.nextPhase(this.#nowUs);
    const accessesPerS = thread.accessesPerS(this.#load.accessNs);
    for (const area of thread.areas) {
      this.#lru.enter(area, (accessesPerS * area.share) / area.pages);
    }
    this.lab.entered(thread);
  }
}
