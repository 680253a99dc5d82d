/**
 * The loop, on the machine's clock and in DAMON's order (reference section 1.2): sample; at the end of
 * an aggregation interval merge, schemes, tune, reset, split.
 *
 * The engine knows no particular machine, monitor or clock. It draws no random numbers.
 */

import type { Machine } from '../machines/machine.ts';
import { createAccessBatch } from '../memory/access-batch.ts';
import { type AddressRange, alignRanges, sameRanges } from '../memory/range.ts';
import type { Monitor } from '../monitor/monitor.ts';
import { type ActionTarget, type ResolvedScheme, SchemeExecutor } from '../schemes/executor.ts';
import { InFlight } from './in-flight.ts';
import { RegionSnapshot } from './snapshot.ts';
import { changeState, type EngineState, type StateChange } from './state.ts';

/** DAMON's default ops_update_interval. */
const UPDATE_US = 60e6;
/** Samples taken from the machine at a time. */
const BATCH = 4096;

export interface EngineOptions {
  readonly machine: Machine;
  readonly monitor: Monitor;
  readonly schemes: readonly ResolvedScheme[];
  /** After merge and before schemes: regions are complete and placement is what they were measured on. */
  readonly onAggregated?: (timeUs: number) => void;
  /** After each published change. */
  readonly onPublished?: (change: StateChange) => void;
  /** True stops the loop at the end of the interval. */
  readonly shouldStop?: () => boolean;
  /** Lets other work of the process run now and then; called once per aggregation interval. */
  readonly pause?: () => Promise<void> | undefined;
}

export class Engine implements ActionTarget {
  readonly #options: EngineOptions;
  readonly #machine: Machine;
  readonly #monitor: Monitor;
  readonly #executor: SchemeExecutor;
  readonly #inFlight = new InFlight();
  readonly #batch = createAccessBatch(BATCH);
  #hits = new Uint8Array(64);
  #ranges: readonly AddressRange[] = [];
  #state: EngineState;
  #pullChecks = 0;
  #pushSamples = 0;
  #droppedSamples = 0;

  constructor(options: EngineOptions) {
    const { machine, monitor, schemes } = options;
    this.#options = options;
    this.#machine = machine;
    this.#monitor = monitor;
    this.#executor = new SchemeExecutor(schemes, monitor.attrs);
    this.#state = {
      attrs: monitor.attrs,
      monitor: monitor.name,
      timeUs: machine.nowUs(),
      aggregations: 0,
      nrRegions: 0,
      pullChecks: 0,
      pushSamples: 0,
      droppedSamples: 0,
      schemes: schemes.map(({ scheme }, index) => ({
        name: scheme.name,
        action: scheme.action,
        ...this.#schemeNumbers(index),
      })),
      freeBytes: machine.nodes.map((node) => machine.gauge(node.nid).freeBytes),
      snapshot: undefined,
    };
  }

  get state(): EngineState {
    return this.#state;
  }

  /** Runs until the machine is done or `shouldStop` says so. */
  async run(): Promise<EngineState> {
    const { sampleUs, aggrUs } = this.#monitor.attrs;
    const samplesPerAggr = Math.max(1, Math.floor(aggrUs / sampleUs));
    const samplesPerUpdate = Math.max(1, Math.floor(UPDATE_US / sampleUs));
    this.#updateRanges();
    for (let passed = 1; ; passed++) {
      const waiting = this.#sample(sampleUs);
      if (waiting !== undefined) await waiting;
      this.#collect();
      const isOver = this.#machine.isDone();
      if (passed % samplesPerAggr === 0 || isOver) {
        this.#aggregate();
        const pause = this.#options.pause?.();
        if (pause !== undefined) await pause;
        if (isOver || this.#options.shouldStop?.()) return this.#state;
      }
      if (passed % samplesPerUpdate === 0) this.#updateRanges();
    }
  }

  placement(start: number, end: number, visit: (start: number, end: number, value: number) => void): void {
    this.#inFlight.placement(this.#machine, start, end, visit);
  }

  migrate(start: number, end: number, nids: readonly number[], schemeIndex: number): void {
    let targetNid = nids[0];
    for (const nid of nids) {
      if (this.#machine.gauge(nid).freeBytes > this.#machine.gauge(targetNid).freeBytes) targetNid = nid;
    }
    this.#inFlight.add(start, end);
    this.#machine.submit({ start, end, targetNid, tag: schemeIndex });
  }

  /** One sampling interval: prepare checks, let time pass, read both sources. */
  #sample(sampleUs: number): Promise<void> | undefined {
    const plan = this.#monitor.planChecks();
    this.#machine.preparePull(plan.addresses, plan.count);
    const waiting = this.#machine.advance(sampleUs);
    if (waiting !== undefined) return waiting.then(() => this.#readSources(plan.count));
    this.#readSources(plan.count);
    return undefined;
  }

  #readSources(checks: number): void {
    if (this.#hits.length < checks) this.#hits = new Uint8Array(checks * 2);
    this.#machine.readPull(this.#hits);
    this.#monitor.recordPull(this.#hits);
    this.#pullChecks += checks;
    this.#machine.drainPush(this.#batch);
    this.#monitor.recordPush(this.#batch);
    this.#pushSamples += this.#batch.count;
    this.#droppedSamples += this.#batch.dropped;
  }

  #collect(): void {
    this.#machine.collect((tag, start, end, outcome) => {
      this.#inFlight.remove(start, end);
      if (outcome !== 'already_there') this.#executor.recordResult(tag, end - start, outcome === 'moved');
    });
  }

  #aggregate(): void {
    const now = this.#machine.nowUs();
    this.#monitor.aggregate();
    this.#options.onAggregated?.(now);
    this.#executor.apply(now, this.#monitor.regions, this);
    this.#publish(now);
    this.#monitor.resetAndSplit();
  }

  #publish(now: number): void {
    const snapshot = new RegionSnapshot(now, this.#monitor.regions);
    const change = changeState(this.#state, (draft) => {
      draft.timeUs = now;
      draft.aggregations++;
      draft.nrRegions = snapshot.count;
      draft.pullChecks = this.#pullChecks;
      draft.pushSamples = this.#pushSamples;
      draft.droppedSamples = this.#droppedSamples;
      for (let i = 0; i < draft.schemes.length; i++) Object.assign(draft.schemes[i], this.#schemeNumbers(i));
      for (const { nid } of this.#machine.nodes) draft.freeBytes[nid] = this.#machine.gauge(nid).freeBytes;
      draft.snapshot = snapshot;
    });
    this.#state = change.state;
    this.#options.onPublished?.(change);
  }

  #schemeNumbers(index: number) {
    const { nrTried, szTried, szApplied, szFailed, nrQuotaExceeded } = this.#executor.stats(index);
    return {
      nrTried,
      szTried,
      szApplied,
      szFailed,
      nrQuotaExceeded,
      chargedBytes: this.#executor.chargedBytes(index),
    };
  }

  #updateRanges(): void {
    const ranges = alignRanges(this.#machine.ranges(), this.#monitor.attrs.minRegionSz);
    if (sameRanges(ranges, this.#ranges)) return;
    this.#ranges = ranges;
    this.#monitor.setRanges(ranges);
  }
}
