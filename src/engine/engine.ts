/**
 * The loop, on the machine's clock and in DAMON's order (reference section 1.2): sample; at the end of
 * an aggregation interval merge, schemes, tune, reset, split.
 *
 * The engine knows no particular machine, monitor or clock. It draws no random numbers.
 */

import type { Patch } from 'immer';
import type { Machine } from '../machines/machine.ts';
import { type AccessBatch, createAccessBatch } from '../memory/access-batch.ts';
import { createAreaChecks } from '../memory/area-checks.ts';
import type { PushSetting } from '../memory/push-setting.ts';
import { type AddressRange, alignRanges, sameRanges } from '../memory/range.ts';
import { samplesPerAggr } from '../monitor/damon/formulas.ts';
import { tuneIntervals } from '../monitor/interval-tuner.ts';
import type { CheckPlan, Monitor, MonitorAttrs } from '../monitor/monitor.ts';
import { SchemeExecutor } from '../schemes/executor.ts';
import type { ResolvedScheme } from '../schemes/resolve.ts';
import { MachineHost } from './machine-host.ts';
import { type EvidenceRates, limitRates, OverheadMeter, tuneRates } from './overhead-tuner.ts';
import { RegionSnapshot } from './snapshot.ts';
import {
  type Configuration,
  changeState,
  configurationBefore,
  type EngineState,
  type Mutable,
  type SchemeState,
  type StateChange,
} from './state.ts';

/** DAMON's default ops_update_interval. */
const UPDATE_US = 60e6;
/** Samples taken from the machine at a time. */
const BATCH = 4096;

export interface EngineOptions {
  readonly machine: Machine;
  readonly monitor: Monitor;
  readonly schemes: readonly ResolvedScheme[];
  /** Share of one CPU that monitoring may cost: tunes the rates of checks and samples to it. */
  readonly overheadShare?: number;
  /** After merge and before schemes: regions are complete and placement is what they were measured on. */
  readonly onAggregated?: (timeUs: number) => void;
  /** Samples as they come, before the monitor takes them; the batch is used again. */
  readonly onSamples?: (timeUs: number, batch: AccessBatch) => void;
  /** After each published change. */
  readonly onPublished?: (change: StateChange) => void;
  /** True stops the loop at the end of the interval. */
  readonly shouldStop?: () => boolean;
  /** Lets other work of the process run now and then; called once per aggregation interval. */
  readonly pause?: () => Promise<void> | undefined;
}

export class Engine {
  readonly #options: EngineOptions;
  readonly #machine: Machine;
  readonly #monitor: Monitor;
  readonly #executor: SchemeExecutor;
  readonly #host: MachineHost;
  readonly #batch = createAccessBatch(BATCH);
  readonly #areas = createAreaChecks(BATCH);
  #hits = new Uint8Array(64);
  #ranges: readonly AddressRange[] = [];
  #state: EngineState;
  #pullChecks = 0;
  #pushSamples = 0;
  #droppedSamples = 0;
  readonly #overhead: OverheadMeter;
  /** The worker's clock and deadlines in sampling intervals, as DAMON's *_sis. */
  #passedSis = 0;
  #nextAggregationSis = 0;
  #nextUpdateSis = 0;
  #nextTuneSis = 0;
  #isResting = false;
  /** The push setting to return to, while every scheme rests. */
  #restingPush: PushSetting | undefined;
  readonly #undo: (readonly Patch[])[] = [];

  constructor(options: EngineOptions) {
    const { machine, monitor, schemes } = options;
    this.#options = options;
    this.#machine = machine;
    this.#monitor = monitor;
    this.#overhead = new OverheadMeter(machine.costs, machine.nowUs());
    this.#host = new MachineHost(machine, () => this.#overhead.now.pull + this.#overhead.now.push);
    this.#executor = new SchemeExecutor(schemes, monitor.attrs, this.#host);
    this.#state = {
      configuration: { schemes, attrs: monitor.attrs },
      attrs: monitor.attrs,
      monitor: monitor.name,
      timeUs: machine.nowUs(),
      aggregations: 0,
      nrRegions: 0,
      pullChecks: 0,
      pushSamples: 0,
      droppedSamples: 0,
      monitoringCpuShare: 0,
      evidence: null,
      isResting: false,
      schemes: this.#schemeStates(schemes),
      freeBytes: machine.nodes.map((node) => machine.gauge(node.nid).freeBytes),
      snapshot: undefined,
    };
  }

  get state(): EngineState {
    return this.#state;
  }

  /** Runs until the machine is done or `shouldStop` says so. */
  async run(): Promise<EngineState> {
    const monitor = this.#monitor;
    this.#nextAggregationSis = aggregationSis(monitor.attrs);
    this.#nextUpdateSis = updateSis(monitor.attrs);
    this.#nextTuneSis = this.#nextAggregationSis * (monitor.attrs.intervalsGoal?.aggrs ?? 0);
    this.#updateRanges();
    const { overheadShare } = this.#options;
    if (overheadShare !== undefined)
      this.#setRates(limitRates(this.#rates(), this.#machine.costs, overheadShare));
    for (;;) {
      if (this.#isResting) {
        await this.#rest();
        const pause = this.#options.pause?.();
        if (pause !== undefined) await pause;
        if (this.#options.shouldStop?.()) return this.#state;
        continue;
      }
      const plan = monitor.planChecks();
      const steps = this.#stepsAtOnce(plan.count);
      const waiting = this.#sample(plan, steps * monitor.attrs.sampleUs);
      if (waiting !== undefined) await waiting;
      this.#passedSis += steps;
      this.#collect();
      const isOver = this.#machine.isDone();
      if (this.#passedSis >= this.#nextAggregationSis || isOver) {
        this.#aggregate();
        const pause = this.#options.pause?.();
        if (pause !== undefined) await pause;
        if (isOver || this.#options.shouldStop?.()) return this.#state;
      }
      if (this.#passedSis >= this.#nextUpdateSis) {
        this.#nextUpdateSis = this.#passedSis + updateSis(monitor.attrs);
        this.#updateRanges();
      }
    }
  }

  /**
   * Changes schemes and attributes while running: all or nothing. Regions, their ages, quota windows and
   * the statistics of schemes that keep their name survive. Call it between two aggregations, from
   * `pause` or `onPublished`.
   * @throws ThermoError THERMO_MONITOR_CONFIG if the monitor cannot take the attributes; nothing has
   * changed then
   */
  configure(configuration: Configuration): void {
    const { inversePatches } = this.#commit(configuration);
    this.#undo.push(inversePatches);
  }

  /** Takes the last change back; false if there is none. @throws as {@link configure} */
  undo(): boolean {
    const patches = this.#undo.at(-1);
    if (patches === undefined) return false;
    this.#commit(configurationBefore(this.#state, patches));
    this.#undo.pop();
    return true;
  }

  /** Feeds a `user_input` goal. */
  setUserInput(schemeIndex: number, goalIndex: number, value: number): void {
    this.#executor.setUserInput(schemeIndex, goalIndex, value);
  }

  #commit(configuration: Configuration): StateChange {
    const { schemes, attrs } = configuration;
    // What tuning has made of the attributes stays unless they change.
    if (attrs !== this.#state.configuration.attrs) {
      this.#setAttrs(attrs);
      this.#nextAggregationSis = this.#passedSis + aggregationSis(attrs);
      this.#nextUpdateSis = this.#passedSis + updateSis(attrs);
      this.#nextTuneSis = this.#passedSis + aggregationSis(attrs) * (attrs.intervalsGoal?.aggrs ?? 0);
    }
    this.#executor.setSchemes(schemes);
    return this.#change((draft) => {
      draft.configuration = configuration as Mutable<Configuration>;
      draft.schemes = this.#schemeStates(schemes) as Mutable<SchemeState>[];
    });
  }

  /** Sampling intervals that may pass without a look: more than one only where nothing is to be checked. */
  #stepsAtOnce(checks: number): number {
    const { stepUs } = this.#machine;
    if (checks > 0 || stepUs === undefined) return 1;
    const left = this.#nextAggregationSis - this.#passedSis;
    return Math.max(1, Math.min(left, Math.floor(stepUs / this.#monitor.attrs.sampleUs)));
  }

  /** One sampling interval or more: prepare checks, let time pass, read both sources. */
  #sample(plan: CheckPlan, us: number): Promise<void> | undefined {
    this.#machine.preparePull(plan.addresses, plan.count);
    const waiting = this.#machine.advance(us);
    if (waiting !== undefined) return waiting.then(() => this.#readSources(plan.count));
    this.#readSources(plan.count);
    return undefined;
  }

  #readSources(checks: number): void {
    if (this.#hits.length < checks) this.#hits = new Uint8Array(checks * 2);
    this.#machine.readPull(this.#hits);
    this.#monitor.recordPull(this.#hits);
    this.#pullChecks += checks + (this.#machine.drainAreas?.(this.#areas) ?? 0);
    if (this.#areas.count > 0) this.#monitor.recordAreas?.(this.#areas);
    this.#machine.drainPush(this.#batch);
    this.#options.onSamples?.(this.#machine.nowUs(), this.#batch);
    this.#monitor.recordPush(this.#batch);
    this.#pushSamples += this.#batch.count;
    this.#droppedSamples += this.#batch.dropped;
  }

  #collect(): void {
    this.#host.collect((tag, bytes, outcome, cpuNs) =>
      this.#executor.recordResult(tag, bytes, outcome, cpuNs),
    );
  }

  /**
   * Every scheme rests: nobody looks at memory, until the watermarks of one say that it is time
   * (kdamond_wait_activation). What happens meanwhile is not sampled either.
   */
  async #rest(): Promise<void> {
    const machine = this.#machine;
    // Other schemes may have been given since all came to rest: there may be nothing to wait for.
    if (this.#executor.watch(this.#host.freeShare())) return this.#wake();
    if (this.#restingPush === undefined) {
      this.#restingPush = machine.push;
      if (machine.push.kind !== 'off') machine.setPush({ kind: 'off' });
    }
    const restUs = this.#executor.restUs;
    const waiting = machine.advance(restUs);
    if (waiting !== undefined) await waiting;
    this.#collect();
    machine.drainPush(this.#batch);
    if (!this.#executor.watch(this.#host.freeShare()) && !machine.isDone()) {
      this.#publish(machine.nowUs());
      return;
    }
    this.#wake();
  }

  #wake(): void {
    const push = this.#restingPush;
    if (push !== undefined && push.kind !== 'off') this.#machine.setPush(push);
    this.#restingPush = undefined;
    this.#isResting = false;
  }

  #aggregate(): void {
    const now = this.#machine.nowUs();
    this.#monitor.aggregate();
    this.#options.onAggregated?.(now);
    const isAnyActive = this.#executor.watch(this.#host.freeShare());
    this.#executor.apply(now, this.#monitor.regions, this.#monitor.spots);
    const isMeasured = this.#overhead.measure(now, {
      pullChecks: this.#pullChecks,
      pushSamples: this.#pushSamples + this.#droppedSamples,
    });
    this.#publish(now);
    this.#tuneIntervals();
    if (isMeasured) this.#tuneRates();
    this.#nextAggregationSis = this.#passedSis + aggregationSis(this.#monitor.attrs);
    this.#monitor.resetAndSplit();
    this.#isResting = !isAnyActive;
  }

  /** kdamond's place for it: after the schemes, on regions whose counts are complete. */
  #tuneIntervals(): void {
    const { attrs, regions } = this.#monitor;
    const { intervalsGoal: goal } = attrs;
    if (goal === undefined || goal.aggrs === 0 || this.#passedSis < this.#nextTuneSis) return;
    this.#nextTuneSis += aggregationSis(attrs) * goal.aggrs;
    const tuned = tuneIntervals(attrs, regions);
    if (tuned === attrs) return;
    this.#setAttrs(tuned);
    this.#nextUpdateSis = this.#passedSis + updateSis(tuned);
  }

  #tuneRates(): void {
    const { overheadShare } = this.#options;
    const { smoothed } = this.#overhead;
    if (overheadShare === undefined || smoothed === undefined) return;
    const rates = this.#rates();
    const tuned = tuneRates(rates, smoothed, overheadShare);
    if (tuned === rates) return;
    this.#overhead.forget();
    this.#setRates(tuned);
  }

  #rates(): EvidenceRates {
    return { pullPerS: this.#monitor.attrs.pullPerS, push: this.#machine.push };
  }

  #setRates({ pullPerS, push }: EvidenceRates): void {
    const { attrs } = this.#monitor;
    if (push !== this.#machine.push) this.#machine.setPush(push);
    if (pullPerS !== attrs.pullPerS) this.#setAttrs({ ...attrs, pullPerS });
  }

  /** Before the start, or between schemes and reset: no count is incomplete, so not mid-aggregation. */
  #setAttrs(attrs: MonitorAttrs): void {
    this.#monitor.setAttrs(attrs, false);
    this.#executor.setAttrs(attrs);
  }

  #publish(now: number): void {
    const snapshot = new RegionSnapshot(now, this.#monitor.regions, this.#monitor.spots);
    const { pull, push } = this.#overhead.now;
    this.#change((draft) => {
      draft.attrs = this.#monitor.attrs;
      draft.timeUs = now;
      if (this.#restingPush === undefined) draft.aggregations++;
      draft.nrRegions = snapshot.count;
      draft.pullChecks = this.#pullChecks;
      draft.pushSamples = this.#pushSamples;
      draft.droppedSamples = this.#droppedSamples;
      draft.monitoringCpuShare = pull + push;
      draft.evidence = this.#monitor.quality?.() ?? null;
      draft.isResting = this.#restingPush !== undefined;
      this.#updateSchemes(draft.schemes);
      for (const { nid } of this.#machine.nodes) draft.freeBytes[nid] = this.#machine.gauge(nid).freeBytes;
      draft.snapshot = snapshot;
    });
  }

  #change(recipe: (draft: Mutable<EngineState>) => void): StateChange {
    const change = changeState(this.#state, recipe);
    this.#state = change.state;
    this.#options.onPublished?.(change);
    return change;
  }

  #updateSchemes(drafts: Mutable<SchemeState>[]): void {
    drafts.forEach((draft, index) => {
      const { szFailedBy, ...numbers } = this.#schemeNumbers(index);
      Object.assign(draft, numbers);
      Object.assign(draft.szFailedBy, szFailedBy);
    });
  }

  #schemeStates(schemes: readonly ResolvedScheme[]): SchemeState[] {
    return schemes.map(({ scheme }, index) => ({
      name: scheme.name,
      action: scheme.action,
      ...this.#schemeNumbers(index),
    }));
  }

  #schemeNumbers(index: number) {
    const effectiveBytes = this.#executor.effectiveBytes(index);
    const stats = this.#executor.stats(index);
    return {
      ...stats,
      szFailedBy: { ...stats.szFailedBy },
      chargedBytes: this.#executor.chargedBytes(index),
      effectiveBytes: Number.isFinite(effectiveBytes) ? effectiveBytes : null,
      isActive: this.#executor.isActive(index),
    };
  }

  #updateRanges(): void {
    const ranges = alignRanges(this.#machine.ranges(), this.#monitor.attrs.minRegionSz);
    if (sameRanges(ranges, this.#ranges)) return;
    this.#ranges = ranges;
    this.#monitor.setRanges(ranges);
  }
}

/** Sampling intervals of an aggregation interval. */
function aggregationSis({ sampleUs, aggrUs }: MonitorAttrs): number {
  return samplesPerAggr(sampleUs, aggrUs);
}

/** Sampling intervals between two updates of the ranges. */
function updateSis({ sampleUs }: MonitorAttrs): number {
  return samplesPerAggr(sampleUs, UPDATE_US);
}
