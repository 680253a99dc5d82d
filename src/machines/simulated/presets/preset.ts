/** What all presets share: options, nodes of ordinary machines, threads of simple workloads. */
import type { PushSetting } from '../../../memory/push-setting.ts';
import type { MemoryNode } from '../../../memory/tier.ts';
import { type NodeModel, nodeOf } from '../hardware.ts';
import type { Area, WorkThread } from '../workload.ts';

export interface PresetOptions {
  readonly seed: number;
  readonly push?: PushSetting;
  /** Scales the whole machine and its workload. */
  readonly sizeBytes?: number;
}

export const GIB = 2 ** 30;
const MINUTE = 60;

/**
 * DDR5 with 8 channels, 110 ns and 250 GB/s, and a CXL x8 device, 265 ns and 25 GB/s: "cxl-typical" of
 * the reference (tiering-systems section 5).
 */
export const DRAM = { latency: 110, bandwidth: 250e9 };
export const CXL = { latency: 265, bandwidth: 25e9 };

export interface NodeOptions {
  /** Accesses that the modelled thread has in flight: its access takes that much less time. */
  readonly inFlight?: number;
  readonly bandwidth?: number;
}

/** DRAM with the CPUs. */
export function dram(sizeBytes: number, systemBytes = 0): NodeModel {
  return {
    kind: 'DRAM',
    sizeBytes,
    hasCpus: true,
    latencyNs: DRAM.latency,
    bandwidthBytesPerS: DRAM.bandwidth,
    systemBytes,
  };
}

export function cxl(
  sizeBytes: number,
  latencyNs = CXL.latency,
  bandwidthBytesPerS = CXL.bandwidth,
): NodeModel {
  return { kind: 'CXL', sizeBytes, latencyNs, bandwidthBytesPerS };
}

export function dramNode(nid: number, capacityBytes: number, options: NodeOptions = {}): MemoryNode {
  return varied(nodeOf(nid, dram(capacityBytes), dram(capacityBytes)), options);
}

export function cxlNode(nid: number, capacityBytes: number, options: NodeOptions = {}): MemoryNode {
  return varied(nodeOf(nid, cxl(capacityBytes), dram(capacityBytes)), options);
}

/** What is special about a machine does not change its tiers. */
function varied(node: MemoryNode, { inFlight = 1, bandwidth }: NodeOptions): MemoryNode {
  return {
    ...node,
    accessNs: node.accessNs / inFlight,
    bandwidthBytesPerS: bandwidth ?? node.bandwidthBytesPerS,
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
