/**
 * A tracker: a per-page system of the argument about tiering, as its authors posted it, on a modelled
 * machine. It takes samples, hint faults or Accessed bits, decides which pages are hot, and moves them.
 *
 * Trackers are faithful even where their originals are wrong, and say so in their headers; counters carry
 * the original's names. Nothing here allocates per sample.
 */
import type { AccessBatch } from '../memory/access-batch.ts';
import type { ActionOutcome, NodeGauge } from '../memory/action.ts';
import type { RunVisitor } from '../memory/page-runs.ts';
import type { PageSignals } from '../memory/page-signals.ts';
import type { PushSetting } from '../memory/push-setting.ts';
import type { AddressRange } from '../memory/range.ts';
import type { MemoryNode } from '../memory/tier.ts';

/** Watermarks of free memory on a node, bytes. */
export interface NodeWatermarks {
  readonly minBytes: number;
  readonly lowBytes: number;
  readonly highBytes: number;
  readonly promoBytes: number;
}

/** What a tracker has of the machine. */
export interface TrackerHost {
  readonly nodes: readonly MemoryNode[];
  ranges(): readonly AddressRange[];
  nowUs(): number;
  /** Node of the page at an address; NO_VALUE for holes. */
  nidOf(address: number): number;
  placement(start: number, end: number, visit: RunVisitor): void;
  gauge(nid: number): NodeGauge;
  watermarks(nid: number): NodeWatermarks;
  readonly signals: PageSignals;
  /**
   * Asks for pages to be moved; they move at the machine's migration bandwidth, in the order of the
   * requests. The outcome comes through {@link Tracker.onMoved}. Wakes kswapd of a target that is full.
   */
  migrate(start: number, end: number, targetNid: number): void;
  /** Bytes asked for and not moved yet. */
  pendingBytes(): number;
  /** Has kswapd reclaim up to the promo watermark of a node, as a promotion that finds no room does. */
  wakeKswapd?(nid: number): void;
  /** Bytes that kswapd has moved to slower nodes (pgdemote_kswapd). */
  demotedBytes?(): number;
  /** Numbers of the workload's threads that run; left out where they are not known. */
  runningThreads?(): readonly number[];
  /**
   * Takes samples at another rate or period from now on, for systems that choose it themselves; left out
   * where samples are what they are.
   */
  setPush?(push: PushSetting): void;
}

/** Who pays for tracking, in CPU time, ns. */
export interface TrackerCpu {
  /** In the context of the application: faults, interrupts. */
  applicationNs: number;
  /** In kernel threads. */
  backgroundNs: number;
}

export interface Tracker {
  readonly name: string;
  /** Time between two steps, us. */
  readonly stepUs: number;
  /** Whether it takes samples; the machine takes none for one that does not. */
  readonly usesSamples: boolean;
  /** Samples since the last step; valid during the call. */
  takeSamples?(batch: AccessBatch): void;
  step(): void;
  onMoved?(start: number, end: number, outcome: ActionOutcome): void;
  /** The original's counters under the original's names. */
  counters(): Readonly<Record<string, number>>;
  /** Bytes of all its records at their peak. */
  readonly metadataBytes: number;
  readonly cpu: Readonly<TrackerCpu>;
  /** Time between two looks at its hot set, where a look goes through many pages; default 0.5 s. */
  readonly lookUs?: number;
  /** Visits what it takes for hot at present, in address order, disjoint. */
  forEachHot(visit: (start: number, end: number) => void): void;
}

export type TrackerFactory = (host: TrackerHost, seed: number) => Tracker;
