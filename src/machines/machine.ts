/**
 * The machine: what an engine runs on. Simulated, replayed and live machines implement it, so the
 * engine and the schemes cannot know which one they are on.
 *
 * The engine owns the order of calls: `preparePull`, `advance`, `readPull`, `drainPush`, `collect`.
 * Everything is measured on the machine's own clock, in microseconds.
 */
import type { AccessBatch } from '../memory/access-batch.ts';
import type {
  Action,
  ActionOutcome,
  ActionRequest,
  GaugeKind,
  NodeGauge,
  PageProperty,
  PageQuery,
  SystemGauge,
} from '../memory/action.ts';
import type { AreaChecks } from '../memory/area-checks.ts';
import type { RunVisitor } from '../memory/page-runs.ts';
import type { PushSetting } from '../memory/push-setting.ts';
import type { AddressRange } from '../memory/range.ts';
import type { MemoryNode } from '../memory/tier.ts';

/**
 * Called for each finished part of a request; the parts of a request add up to it.
 * @param cpuNs time that one CPU spent on the part
 */
export type ActionResultVisitor = (
  tag: number,
  start: number,
  end: number,
  outcome: ActionOutcome,
  cpuNs: number,
) => void;

/** Who moved memory between nodes, in bytes since the start. */
export interface MoveCounters {
  /** To a faster tier, or to another node of the same, asked for by schemes. */
  promotedBytes: number;
  /** To a slower tier, asked for by schemes. */
  demotedBytes: number;
  /** To a slower tier by the machine's own reclaim (kswapd, and threads that allocate). */
  reclaimDemotedBytes: number;
  /** The part of it that threads did themselves, because they needed memory at once. */
  directDemotedBytes: number;
  failedBytes: number;
  /** Part of what schemes and reclaim moved that had been moved the other way less than a minute before. */
  pingPongBytes: number;
  pagedOutBytes: number;
  /** Paged in again, by an access or by willneed. */
  pagedInBytes: number;
  /** First touched while the machine ran, and how long threads waited for what they had to demote. */
  allocatedBytes: number;
  allocationStallUs: number;
}

/** CPU time of one event of evidence, in ns, whichever CPU spends it. */
export interface EvidenceCosts {
  readonly pullCheckNs: number;
  /** From the interrupt to the sample in the batch. */
  readonly pushSampleNs: number;
}

export interface Machine {
  readonly kind: 'simulated' | 'replayed' | 'linux';
  /** Name of the machine and of what runs on it, for reports. */
  readonly name: string;
  readonly workload: string;
  readonly nodes: readonly MemoryNode[];
  readonly actions: readonly Action[];
  /** What page-level filters can ask here. */
  readonly pageProperties: readonly PageProperty[];
  /** What goals can be about here, besides used and free memory. */
  readonly gauges: readonly GaugeKind[];

  nowUs(): number;
  /** True once the workload has ended: the engine stops. */
  isDone(): boolean;
  /** Share of the work done, 0..1; NaN where the end is not known. */
  progress(): number;
  /** Address ranges to watch, sorted and disjoint; they may change between calls. */
  ranges(): readonly AddressRange[];

  /** Clears the Accessed bit of the pages at the first `count` addresses, which are ascending. */
  preparePull(addresses: Float64Array, count: number): void;
  /**
   * Time that may pass at once while no page is to be checked; left out: a sampling interval. A live
   * machine wakes the less often the cheaper it is to watch.
   */
  readonly stepUs?: number;
  /**
   * Lets time pass. May end early when the workload does. Returns a promise only where it has to
   * wait for the world.
   */
  advance(us: number): Promise<void> | undefined;
  /** Writes 1 where the page of the last `preparePull` was accessed since then, else 0. */
  readPull(hits: Uint8Array): void;
  /**
   * Moves the checks that somebody else did since the last call into `areas` (cleared first); left out by
   * machines that check only what they are asked to. Returns how many checks there were.
   */
  drainAreas?(areas: AreaChecks): number;
  /** Moves the samples taken since the last call into `batch` (cleared first). */
  drainPush(batch: AccessBatch): void;
  /** How push samples are taken at present; off also where there is no such source. */
  readonly push: PushSetting;
  /** Takes samples at another rate or period from now on; only where push is not off. */
  setPush(push: PushSetting): void;
  readonly costs: EvidenceCosts;

  /**
   * Visits the placement of `[start, end)`: runs of bytes on one node; holes have `NO_VALUE`, memory that
   * was paged out `PAGED_OUT`.
   */
  placement(start: number, end: number, visit: RunVisitor): void;
  /**
   * Visits `[start, end)` in runs with the value 1 where the pages have the property, else 0. Asking
   * whether pages are young makes them old.
   */
  queryPages(query: PageQuery, start: number, end: number, visit: RunVisitor): void;
  gauge(nid: number): NodeGauge;
  systemGauge(): SystemGauge;
  /** Bytes of a memory cgroup on a node; 0 where there is no such cgroup. */
  memcgBytes(path: string, nid: number): number;
  /** Asks for an action; it happens while time passes, in the order of the requests. */
  submit(request: ActionRequest): void;
  /** Bytes asked for and not yet finished. */
  pendingBytes(): number;
  /** Reports what finished since the last call. */
  collect(visit: ActionResultVisitor): void;
  readonly moves: Readonly<MoveCounters>;
  /** What had to be left out or guessed, in words for the user. */
  warnings(): readonly string[];

  close(): void;
}

/** What only a modelled machine knows: the truth, for scores and baselines. Never shown to monitors. */
export interface Truth {
  /** Accesses done so far, and how many of them hit the fast tier. */
  totals(): { accesses: number; fastAccesses: number };
  /**
   * Visits every range whose pages are accessed at `minRate` or more (accesses per page per second)
   * at this moment, in address order.
   */
  forEachHot(minRate: number, visit: (start: number, end: number) => void): void;
  /** Modelled end of the workload in seconds; complete only once the machine is done. */
  completionSeconds(): number;
  baseline(): Baseline;
}

/** The same accesses without migration, and with everything in DRAM. */
export interface Baseline {
  readonly staticSeconds: number;
  readonly allFastSeconds: number;
  readonly staticFastTierShare: number;
}

export interface ModelledMachine extends Machine {
  readonly truth: Truth;
}
