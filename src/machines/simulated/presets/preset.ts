/** What all presets share: options, nodes of ordinary machines, threads of simple workloads. */
import type { PushSetting } from '../../../memory/push-setting.ts';
import { ADISTANCE_DRAM, abstractDistance, type MemoryNode } from '../../../memory/tier.ts';
import type { Area, WorkThread } from '../workload.ts';

export interface PresetOptions {
  readonly seed: number;
  readonly push?: PushSetting;
  /** Scales the whole machine and its workload. */
  readonly sizeBytes?: number;
}

export const GIB = 2 ** 30;
const MINUTE = 60;

/** Samples per second, that of the seed thread's IBS. */
export const DEFAULT_PUSH: PushSetting = { kind: 'rate', perS: 5876 };

/**
 * DDR5 with 8 channels, 110 ns and 250 GB/s, and a CXL x8 device, 265 ns and 25 GB/s: "cxl-typical" of
 * the reference (tiering-systems section 5).
 */
const DRAM = { latency: 110, bandwidth: 250e9 };
const CXL = { latency: 265, bandwidth: 25e9 };

export interface NodeOptions {
  /** Accesses that the modelled thread has in flight: its access takes that much less time. */
  readonly inFlight?: number;
  readonly bandwidth?: number;
}

export function dramNode(nid: number, capacityBytes: number, options: NodeOptions = {}): MemoryNode {
  return {
    nid,
    kind: 'DRAM',
    capacityBytes,
    hasCpus: true,
    accessNs: DRAM.latency / (options.inFlight ?? 1),
    bandwidthBytesPerS: options.bandwidth ?? DRAM.bandwidth,
    adistance: ADISTANCE_DRAM,
  };
}

export function cxlNode(nid: number, capacityBytes: number, options: NodeOptions = {}): MemoryNode {
  return {
    nid,
    kind: 'CXL',
    capacityBytes,
    hasCpus: false,
    accessNs: CXL.latency / (options.inFlight ?? 1),
    bandwidthBytesPerS: options.bandwidth ?? CXL.bandwidth,
    adistance: abstractDistance(CXL, DRAM),
  };
}

/** A thread on node 0 that accesses the same areas for ever, as fast as memory lets it. */
export function closedThread(name: string, areas: readonly Area[], loadShare = 0.7): WorkThread {
  return {
    name,
    nid: 0,
    loadShare,
    pace: { kind: 'closed' },
    phaseCount: 1,
    phase: () => ({ accesses: Number.POSITIVE_INFINITY, areas }),
  };
}

/** A thread that accesses the same areas for ever, at a fixed rate. */
export function openThread(
  name: string,
  areas: readonly Area[],
  accessesPerS: number,
  options: { readonly nid?: number; readonly loadShare?: number } = {},
): WorkThread {
  return {
    name,
    nid: options.nid ?? 0,
    loadShare: options.loadShare ?? 0.7,
    pace: { kind: 'open', accessesPerS },
    phaseCount: 1,
    phase: () => ({ accesses: Number.POSITIVE_INFINITY, areas }),
  };
}

export function minutes(count: number): number {
  return count * MINUTE * 1e6;
}

/** One area with all of the accesses. */
export function wholeOf(start: number, end: number): readonly Area[] {
  return [{ start, end, share: 1 }];
}
