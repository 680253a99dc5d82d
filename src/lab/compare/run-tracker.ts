/** A per-page system on a modelled machine, from start to end. */
import type { LabMachine } from '../../machines/lab-machine.ts';
import { createAccessBatch } from '../../memory/access-batch.ts';
import type { PageSignals } from '../../memory/page-signals.ts';
import type { PushSetting } from '../../memory/push-setting.ts';
import type { Tracker, TrackerFactory, TrackerHost } from '../../trackers/tracker.ts';
import { DetectionMeter } from './detection-meter.ts';
import type { ContestantResult } from './row.ts';

/** Modelled time between two looks at what a tracker takes for hot. */
export const LOOK_US = 500_000;
/** As many samples as a machine keeps. */
const BATCH = 65_536;

export interface ContestantOptions {
  readonly seed: number;
  /** From which rate on memory is hot, accesses per page per second. */
  readonly minRatePerS: number;
  readonly shouldStop?: () => boolean;
  /** Called now and then; lets other work of the process run. */
  readonly pause?: () => Promise<void> | undefined;
}

/** The machine as a tracker has it. */
export class MachineTrackerHost implements TrackerHost {
  readonly #machine: LabMachine;

  constructor(machine: LabMachine) {
    this.#machine = machine;
  }

  get nodes() {
    return this.#machine.nodes;
  }

  get signals(): PageSignals {
    return this.#machine.lab.signals();
  }

  ranges() {
    return this.#machine.lab.pageRanges;
  }

  nowUs(): number {
    return this.#machine.nowUs();
  }

  nidOf(address: number): number {
    return this.#machine.nidOf(address);
  }

  placement: TrackerHost['placement'] = (start, end, visit) => this.#machine.placement(start, end, visit);

  gauge(nid: number) {
    return this.#machine.gauge(nid);
  }

  watermarks(nid: number) {
    return this.#machine.watermarks(nid);
  }

  migrate(start: number, end: number, targetNid: number): void {
    this.#machine.submit({ action: 'migrate_hot', start, end, targetNid, tag: 0 });
  }

  setPush(push: PushSetting): void {
    this.#machine.setPush(push);
  }

  pendingBytes(): number {
    return this.#machine.pendingBytes();
  }

  wakeKswapd(nid: number): void {
    this.#machine.wakeKswapd(nid);
  }

  demotedBytes(): number {
    return this.#machine.moves.reclaimDemotedBytes;
  }

  runningThreads(): readonly number[] {
    return this.#machine.lab.runningThreads();
  }
}

export async function runTracker(
  machine: LabMachine,
  create: TrackerFactory,
  options: ContestantOptions,
): Promise<ContestantResult> {
  const tracker: Tracker = create(new MachineTrackerHost(machine), options.seed);
  if (!tracker.usesSamples && machine.push.kind !== 'off') machine.setPush({ kind: 'off' });
  const meter = new DetectionMeter(machine.truth, options.minRatePerS);
  const batch = createAccessBatch(BATCH);
  let migrationNs = 0;
  let nextLookUs = 0;
  machine.lab.waste();
  while (!machine.isDone() && !(options.shouldStop?.() ?? false)) {
    machine.advance(tracker.stepUs);
    machine.drainPush(batch);
    tracker.takeSamples?.(batch);
    machine.collect((_tag, start, end, outcome, cpuNs) => {
      migrationNs += cpuNs;
      tracker.onMoved?.(start, end, outcome);
    });
    tracker.step();
    if (machine.nowUs() < nextLookUs) continue;
    nextLookUs = machine.nowUs() + (tracker.lookUs ?? LOOK_US);
    meter.add(machine.nowUs(), (visit) => tracker.forEachHot(visit));
    const pause = options.pause?.();
    if (pause !== undefined) await pause;
  }
  return {
    hotSet: meter.score.result(),
    detection: meter.times(),
    metadataBytes: tracker.metadataBytes,
    cpu: tracker.cpu,
    migrationNs,
    counters: tracker.counters(),
  };
}
