/** One contestant on one machine with one seed. Everything it needs travels as plain data, so that it can run in a worker. */
import { Readable } from 'node:stream';
import type { LabMachine } from '../../machines/lab-machine.ts';
import { openRecording, type RecordingOptions } from '../../machines/replayed/open-recording.ts';
import { type FastSize, REPLAY_LATENCIES } from '../../machines/replayed/replayed-machine.ts';
import { type MachineSpec, simulatedConfig } from '../../machines/simulated/machine-spec.ts';
import { SimulatedMachine, type SimulatedMachineConfig } from '../../machines/simulated/simulated-machine.ts';
import { SEED_PUSH } from '../../memory/push-setting.ts';
import { fastTierOf, type MemoryNode, tierOf } from '../../memory/tier.ts';
import { maxRangesFor } from '../../monitor/attrs.ts';
import { DEFAULT_ATTRS } from '../../monitor/monitor.ts';
import type { AddressKind } from '../../records/access-parser.ts';
import type { InputFormat } from '../../records/detect.ts';
import { loadSchemes } from '../../schemes/load.ts';
import { type Contestant, chooseContestants, schemesOf } from './contestants.ts';
import { Oracle } from './oracle.ts';
import { buildRow, type CompareRow, type ContestantResult } from './row.ts';
import { runMonitor } from './run-monitor.ts';
import { type ContestantOptions, runTracker } from './run-tracker.ts';
import { applySettings, type TaskSettings } from './settings.ts';

/** A recorded trace instead of a simulated machine. */
export interface TraceSource {
  readonly path: string;
  readonly format?: InputFormat;
  readonly fast: FastSize;
  /** Left out: that of the format. */
  readonly instructionsPerS?: number;
  readonly includeFetches: boolean;
  readonly address?: AddressKind;
  readonly pid?: number;
  readonly fields?: readonly string[];
}

export interface CompareTask {
  readonly tracker: string;
  readonly machine: MachineSpec;
  /** Then `machine` and `sizeBytes` say nothing. */
  readonly trace?: TraceSource;
  readonly sizeBytes?: number;
  readonly seed: number;
  /** Text of the scheme file that monitors run, and its name for messages. */
  readonly schemes?: { readonly text: string; readonly file: string };
  readonly minRatePerS: number;
  /** What is changed of the contestant; left out: nothing. */
  readonly settings?: TaskSettings;
}

/** @param nowMs of a clock, to tell how long it took */
export async function runContestant(
  task: CompareTask,
  nowMs: () => number,
  control: Pick<ContestantOptions, 'shouldStop' | 'pause'> = {},
): Promise<CompareRow> {
  const contestant = applySettings(chooseContestants([task.tracker])[0], task.settings);
  const startMs = nowMs();
  const machine = await openMachine(task, contestant);
  if (task.settings?.push !== undefined) machine.setPush(task.settings.push);
  const options = { seed: task.seed, minRatePerS: task.minRatePerS, ...control };
  try {
    const result = await runOn(machine, contestant, task, options);
    const row = buildRow(contestant.name, machine, result, {
      seed: task.seed,
      minRatePerS: task.minRatePerS,
      wallSeconds: (nowMs() - startMs) / 1000,
    });
    const isAllSlow = contestant.kind === 'baseline' && contestant.placement === 'all slow';
    return isAllSlow ? { ...row, fastTierShare: 0 } : row;
  } finally {
    machine.close();
  }
}

/**
 * The machine of a task, to be closed.
 * @param contestant who runs on it; left out: nobody in particular
 */
export async function openMachine(
  task: Omit<CompareTask, 'tracker' | 'minRatePerS'>,
  contestant?: Contestant,
): Promise<LabMachine> {
  const { trace, machine, seed, sizeBytes } = task;
  if (trace === undefined) {
    const config = simulatedConfig(machine, { seed, ...(sizeBytes === undefined ? {} : { sizeBytes }) });
    return new SimulatedMachine(variantOf(config, contestant));
  }
  return openRecording({ ...replayOptions(trace, seed), ...replayVariant(contestant) });
}

function replayOptions(trace: TraceSource, seed: number): RecordingOptions {
  return {
    path: trace.path,
    format: trace.format,
    // Never read: a trace that many read has a name.
    stdin: Readable.from([]),
    includeFetches: trace.includeFetches,
    address: trace.address,
    pid: trace.pid,
    fields: trace.fields,
    fast: trace.fast,
    instructionsPerS: trace.instructionsPerS,
    truthWindowUs: DEFAULT_ATTRS.aggrUs,
    push: SEED_PUSH,
    maxRanges: maxRangesFor(DEFAULT_ATTRS.maxNrRegions),
    seed,
  };
}

/** The same trace with both tiers as fast as the fast one, or as slow as the slow one. */
function replayVariant(contestant?: Contestant): Pick<RecordingOptions, 'fast' | 'latencies'> | undefined {
  if (contestant?.kind !== 'baseline' || contestant.placement === 'as it is') return undefined;
  const { fastNs, slowNs } = REPLAY_LATENCIES;
  const ns = contestant.placement === 'all fast' ? fastNs : slowNs;
  return { fast: { kind: 'share', share: 1 }, latencies: { fastNs: ns, slowNs: ns } };
}

async function runOn(
  machine: LabMachine,
  contestant: Contestant,
  task: CompareTask,
  options: ContestantOptions,
): Promise<ContestantResult> {
  switch (contestant.kind) {
    case 'baseline':
      return runTracker(machine, () => NOTHING, options);
    case 'oracle':
      return runTracker(machine, (host) => new Oracle(machine, host, task.minRatePerS), options);
    case 'tracker':
      return runTracker(machine, contestant.create, options);
    case 'monitor': {
      const { text, file, intervals } = schemesOf(contestant, task.schemes);
      const { schemes } = loadSchemes(text, file, intervals);
      return runMonitor(machine, { ...contestant, schemes }, options);
    }
  }
}

/** A tracker that does nothing. */
const NOTHING = {
  name: 'nothing',
  stepUs: 100_000,
  usesSamples: false,
  metadataBytes: 0,
  cpu: { applicationNs: 0, backgroundNs: 0 },
  step: () => undefined,
  counters: () => ({}),
  forEachHot: () => undefined,
};

/** The same machine with all nodes as fast as the fastest, or as slow as the slowest. */
function variantOf(config: SimulatedMachineConfig, contestant?: Contestant): SimulatedMachineConfig {
  if (contestant?.kind !== 'baseline' || contestant.placement === 'as it is') return config;
  const fastTier = fastTierOf(config.nodes);
  const model = (isWanted: (node: MemoryNode) => boolean): MemoryNode | undefined =>
    config.nodes.find(isWanted);
  const as =
    contestant.placement === 'all fast'
      ? model((node) => tierOf(node) === fastTier)
      : model((node) => tierOf(node) > fastTier);
  if (as === undefined) return config;
  const { accessNs, bandwidthBytesPerS, adistance } = as;
  return {
    ...config,
    nodes: config.nodes.map((node) => ({ ...node, accessNs, bandwidthBytesPerS, adistance })),
    // Nobody reclaims where all memory is alike.
    mover: { ...config.mover, kswapdBytesPerS: 0 },
  };
}
