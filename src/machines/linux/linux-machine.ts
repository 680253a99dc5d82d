/**
 * The machine that this program runs on, with one process as what is watched: time is real, accesses come
 * from sources of the kernel, and memory moves by move_pages.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { type AccessBatch, clearAccessBatch } from '../../memory/access-batch.ts';
import type {
  Action,
  ActionRequest,
  GaugeKind,
  NodeGauge,
  PageProperty,
  PageQuery,
  SystemGauge,
} from '../../memory/action.ts';
import { type AreaChecks, clearAreaChecks } from '../../memory/area-checks.ts';
import { NO_VALUE, PageRuns, type RunVisitor } from '../../memory/page-runs.ts';
import type { PushSetting } from '../../memory/push-setting.ts';
import type { AddressRange } from '../../memory/range.ts';
import { type MemoryNode, tierOf } from '../../memory/tier.ts';
import { formatBytes } from '../../memory/units.ts';
import type { ActionResultVisitor, EvidenceCosts, Machine, MoveCounters } from '../machine.ts';
import type { AccessSource } from './access-source.ts';
import { cgroupNodeBytes } from './cgroup.ts';
import { highWatermarks, nodeMemory, somePressureUs } from './node-memory.ts';
import type { PageNodes } from './page-nodes.ts';
import { type ProcessFacts, processStart, readMappings, threeRanges } from './process-memory.ts';
import type { SystemTree } from './system-tree.ts';

/** Twenty wakes a second: sources hold what comes in between. */
const STEP_US = 50_000;
/** How often it is looked whether the process still runs. */
const ALIVE_US = 200_000;
/** Gauges are read at most so often. */
const GAUGE_US = 50_000;
/** Share of late sampling intervals that is worth a word. */
const MANY_LATE = 0.1;
/** Moves of the opposite direction within this time are ping-pong, as on the modelled machines. */
const PING_PONG_US = 60e6;

export type MoveVisitor = (start: number, end: number, fromNid: number, toNid: number) => void;

/** Whoever carries out requests: {@link LinuxMover}, or in a dry run {@link DryMover}. */
export interface LinuxActor {
  submit(request: ActionRequest): void;
  pendingBytes(): number;
  /** @param moved called with what changed its node */
  collect(visit: ActionResultVisitor, moved: MoveVisitor): void;
  /** Placement as it will be; left out where it is what the kernel says. */
  placement?(start: number, end: number, visit: RunVisitor): void;
  close(): void;
}

export interface LinuxMachineOptions {
  readonly tree: SystemTree;
  readonly process: ProcessFacts;
  readonly nodes: readonly MemoryNode[];
  readonly sources: readonly AccessSource[];
  readonly pageNodes: PageNodes;
  readonly actor: LinuxActor;
  /** By a clock that never goes back; its zero does not matter. */
  readonly clockUs: () => number;
}

const NO_MOVES: MoveCounters = {
  promotedBytes: 0,
  demotedBytes: 0,
  reclaimDemotedBytes: 0,
  directDemotedBytes: 0,
  failedBytes: 0,
  pingPongBytes: 0,
  pagedOutBytes: 0,
  pagedInBytes: 0,
  allocatedBytes: 0,
  allocationStallUs: 0,
};

export class LinuxMachine implements Machine {
  readonly kind = 'linux';
  readonly name: string;
  readonly workload: string;
  readonly nodes: readonly MemoryNode[];
  readonly actions: readonly Action[] = [
    ...(['migrate_hot', 'migrate_cold', 'pageout', 'cold', 'willneed', 'collapse', 'stat'] as const),
  ];
  readonly pageProperties: readonly PageProperty[] = [];
  readonly gauges: readonly GaugeKind[] = ['pressure', 'lru', 'memcg'];
  /** Costs by event are not known on a real machine; the report has the CPU time that was measured. */
  readonly costs: EvidenceCosts = { pullCheckNs: 0, pushSampleNs: 0 };
  readonly stepUs = STEP_US;
  readonly moves: MoveCounters = { ...NO_MOVES };
  readonly #options: LinuxMachineOptions;
  readonly #startUs: number;
  /** By nid. */
  readonly #tiers: number[] = [];
  readonly #reserve: ReadonlyMap<number, number>;
  readonly #gauges = new Map<number, { readonly atUs: number; readonly gauge: NodeGauge }>();
  /** When memory was last moved up (even) or down (odd numbers), in seconds. */
  readonly #movedAt = new PageRuns();
  #push: PushSetting;
  #dueUs: number;
  #lastAliveUs = 0;
  #isGone = false;
  #ranges: readonly AddressRange[];
  /** Sampling intervals that began too late. */
  #overruns = 0;
  #intervals = 0;

  constructor(options: LinuxMachineOptions) {
    const { tree, nodes, process, sources, clockUs } = options;
    this.#options = options;
    this.#startUs = clockUs();
    this.#dueUs = 0;
    this.nodes = nodes;
    this.name = `linux, ${nodes.map(({ nid, kind, capacityBytes }) => `node${nid} ${kind} ${formatBytes(capacityBytes)}`).join(', ')}`;
    this.workload = `${process.name} (process ${process.pid})`;
    for (const node of nodes) this.#tiers[node.nid] = tierOf(node);
    this.#reserve = highWatermarks(tree);
    this.#push = sources.some(({ kind }) => kind === 'push')
      ? { kind: 'period', accesses: 1 }
      : { kind: 'off' };
    this.#ranges = threeRanges(readMappings(tree, process.pid));
  }

  nowUs(): number {
    return this.#options.clockUs() - this.#startUs;
  }

  isDone(): boolean {
    return this.#isGone;
  }

  progress(): number {
    return Number.NaN;
  }

  ranges(): readonly AddressRange[] {
    const { tree, process } = this.#options;
    const ranges = threeRanges(readMappings(tree, process.pid));
    if (ranges.length > 0) this.#ranges = ranges;
    return this.#ranges;
  }

  preparePull(addresses: Float64Array, count: number): void {
    for (const source of this.#options.sources) source.prepare?.(addresses, count);
  }

  async advance(us: number): Promise<void> {
    this.#intervals++;
    this.#dueUs += us;
    const now = this.nowUs();
    if (now > this.#dueUs) {
      // Too late: what is lost is lost, and the rest of the machine gets its turn.
      this.#overruns++;
      this.#dueUs = now;
      await nextTurn();
    } else await sleep((this.#dueUs - now) / 1000);
    for (const source of this.#options.sources) source.poll();
    if (this.nowUs() - this.#lastAliveUs >= ALIVE_US) this.#lookForProcess();
  }

  #lookForProcess(): void {
    const { tree, process } = this.#options;
    this.#lastAliveUs = this.nowUs();
    this.#isGone = processStart(tree, process.pid) !== process.startTicks;
  }

  readPull(hits: Uint8Array): void {
    for (const source of this.#options.sources) source.read?.(hits);
  }

  drainAreas(areas: AreaChecks): number {
    clearAreaChecks(areas);
    for (const source of this.#options.sources) source.takeAreas?.(areas);
    let checks = 0;
    for (let i = 0; i < areas.count; i++) checks += areas.trials[i];
    return checks;
  }

  drainPush(batch: AccessBatch): void {
    clearAccessBatch(batch);
    for (const source of this.#options.sources) source.takeSamples?.(batch);
    if (this.#push.kind === 'off') clearAccessBatch(batch);
  }

  get push(): PushSetting {
    return this.#push;
  }

  setPush(push: PushSetting): void {
    this.#push = push;
  }

  placement(start: number, end: number, visit: RunVisitor): void {
    const { actor, pageNodes } = this.#options;
    if (actor.placement === undefined) pageNodes.forEach(start, end, visit);
    else actor.placement(start, end, visit);
  }

  /** Has no property: nothing that is not among `pageProperties` is asked. */
  queryPages(_query: PageQuery, start: number, end: number, visit: RunVisitor): void {
    visit(start, end, 0);
  }

  gauge(nid: number): NodeGauge {
    const now = this.nowUs();
    const known = this.#gauges.get(nid);
    if (known !== undefined && now - known.atUs < GAUGE_US) return known.gauge;
    const { totalBytes, freeBytes } = nodeMemory(this.#options.tree, nid);
    const gauge = { nid, totalBytes, freeBytes, reserveBytes: this.#reserve.get(nid) ?? 0 };
    this.#gauges.set(nid, { atUs: now, gauge });
    return gauge;
  }

  systemGauge(): SystemGauge {
    const { tree } = this.#options;
    const memory = this.nodes.map(({ nid }) => nodeMemory(tree, nid));
    const sum = (key: 'activeBytes' | 'inactiveBytes'): number =>
      memory.reduce((total, node) => total + node[key], 0);
    return {
      someMemPsiUs: somePressureUs(tree),
      activeBytes: sum('activeBytes'),
      inactiveBytes: sum('inactiveBytes'),
      accesses: Number.NaN,
      fastAccesses: Number.NaN,
      accessS: Number.NaN,
      allFastS: Number.NaN,
      fastNs: Number.NaN,
      slowNs: Number.NaN,
    };
  }

  memcgBytes(path: string, nid: number): number {
    return cgroupNodeBytes(this.#options.tree, path, nid);
  }

  submit(request: ActionRequest): void {
    this.#options.actor.submit(request);
  }

  pendingBytes(): number {
    return this.#options.actor.pendingBytes();
  }

  collect(visit: ActionResultVisitor): void {
    this.#options.actor.collect((tag, start, end, outcome, cpuNs) => {
      if (outcome === 'destination_full' || outcome === 'not_mapped' || outcome === 'busy')
        this.moves.failedBytes += end - start;
      visit(tag, start, end, outcome, cpuNs);
    }, this.#noteMove);
  }

  /** Counts a move between nodes that was carried out. */
  #noteMove: MoveVisitor = (start, end, fromNid, toNid) => {
    const [from, to] = [this.#tiers[fromNid] ?? 0, this.#tiers[toNid] ?? 0];
    const direction = to > from ? 1 : 0;
    if (direction === 1) this.moves.demotedBytes += end - start;
    else this.moves.promotedBytes += end - start;
    const now = Math.floor(this.nowUs() / PING_PONG_US);
    this.#movedAt.forEach(start, end, (a, b, last) => {
      if (last !== NO_VALUE && last % 2 !== direction && now - Math.floor(last / 2) <= 1)
        this.moves.pingPongBytes += b - a;
    });
    this.#movedAt.set(start, end, (now % 32_000) * 2 + direction);
  };

  warnings(): readonly string[] {
    const late = this.#overruns / Math.max(1, this.#intervals);
    return late > MANY_LATE
      ? [`${Math.round(late * 100)} % of the sampling intervals began late: make them longer with --sample`]
      : [];
  }

  close(): void {
    this.#options.actor.close();
    for (const source of this.#options.sources) source.stop();
  }
}
