/** Simulated hardware without a workload, from what people say of it: kind, size, latency, bandwidth. */
import type { PushSetting } from '../../memory/push-setting.ts';
import {
  ADISTANCE_DRAM,
  abstractDistance,
  fastTierOf,
  type MemoryNode,
  type NodeKind,
  tierOf,
} from '../../memory/tier.ts';
import type { MoverConfig } from '../mover.ts';
import type { SimulatedMachineConfig } from './simulated-machine.ts';

/** A machine as a preset or a file has it, before something runs on it. */
export type Hardware = Omit<SimulatedMachineConfig, 'workload' | 'seed'>;

/** What is said of a node. */
export interface NodeModel {
  readonly kind: NodeKind;
  readonly sizeBytes: number;
  readonly hasCpus?: boolean;
  readonly latencyNs: number;
  readonly bandwidthBytesPerS: number;
  /** Taken before the workload starts; none if left out. */
  readonly systemBytes?: number;
}

export interface HardwareOptions extends Partial<Omit<MoverConfig, 'systemBytes'>> {
  readonly push?: PushSetting;
  readonly sampledShare?: number;
  readonly followsLoad?: boolean;
}

/** Samples per second, that of the seed thread's IBS. */
export const DEFAULT_PUSH: PushSetting = { kind: 'rate', perS: 5876 };

/** Batched or multi-threaded kernel migration; one thread moves 0.3 to 0.75 GB/s. */
export const MIGRATION_BYTES_PER_S = 2 * 2 ** 30;

/**
 * A machine of these nodes, numbered in their order. Abstract distances are the kernel's, against the
 * first DRAM node with CPUs, or the first node where there is none.
 */
export function hardware(
  name: string,
  models: readonly NodeModel[],
  options: HardwareOptions = {},
): Hardware {
  const reference = models.find(({ kind, hasCpus }) => kind === 'DRAM' && hasCpus === true) ?? models[0];
  return {
    name,
    nodes: models.map((model, nid) => nodeOf(nid, model, reference)),
    mover: {
      migrationBytesPerS: options.migrationBytesPerS ?? MIGRATION_BYTES_PER_S,
      kswapdBytesPerS: options.kswapdBytesPerS ?? MIGRATION_BYTES_PER_S,
      ...(options.swapBytesPerS === undefined ? {} : { swapBytesPerS: options.swapBytesPerS }),
      systemBytes: models.map(({ systemBytes }) => systemBytes ?? 0),
      useWatermarks: options.useWatermarks ?? true,
    },
    push: options.push ?? DEFAULT_PUSH,
    sampledShare: options.sampledShare ?? 1,
    ...(options.followsLoad === true ? { followsLoad: true } : {}),
  };
}

export function nodeOf(nid: number, model: NodeModel, reference: NodeModel): MemoryNode {
  const asMeasured = ({ latencyNs, bandwidthBytesPerS }: NodeModel) => ({
    latency: latencyNs,
    bandwidth: bandwidthBytesPerS,
  });
  return {
    nid,
    kind: model.kind,
    capacityBytes: model.sizeBytes,
    hasCpus: model.hasCpus ?? false,
    accessNs: model.latencyNs,
    bandwidthBytesPerS: model.bandwidthBytesPerS,
    adistance:
      model === reference ? ADISTANCE_DRAM : abstractDistance(asMeasured(model), asMeasured(reference)),
  };
}

/** What a workload has to know of the machine to fit it. */
export interface Room {
  /** Free bytes of the top tier, and below it. */
  readonly fastBytes: number;
  readonly slowBytes: number;
  /** Node with CPUs that promotions go to, the time of an access there, and its bandwidth. */
  readonly fastNid: number;
  readonly fastNs: number;
  readonly fastBandwidth: number;
  readonly seed: number;
}

export function roomOf({ nodes, mover }: Pick<Hardware, 'nodes' | 'mover'>, seed: number): Room {
  const fastTier = fastTierOf(nodes);
  let [fastBytes, slowBytes] = [0, 0];
  for (const node of nodes) {
    const bytes = node.capacityBytes - (mover.systemBytes[node.nid] ?? 0);
    if (tierOf(node) <= fastTier) fastBytes += bytes;
    else slowBytes += bytes;
  }
  const fast = nodes.find((node) => tierOf(node) === fastTier) ?? nodes[0];
  return {
    fastBytes,
    slowBytes,
    fastNid: fast.nid,
    fastNs: fast.accessNs,
    fastBandwidth: fast.bandwidthBytesPerS,
    seed,
  };
}
