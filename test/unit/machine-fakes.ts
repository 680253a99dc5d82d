/** Small simulated machines for tests of actions: up to three tiers, threads that do what the test says. */
import { openThread, wholeOf } from '../../src/machines/simulated/presets/preset.ts';
import {
  SimulatedMachine,
  type SimulatedMachineConfig,
} from '../../src/machines/simulated/simulated-machine.ts';
import type { Workload, WorkThread } from '../../src/machines/simulated/workload.ts';
import type { ActionOutcome, ActionRequest } from '../../src/memory/action.ts';
import { PAGE_SIZE } from '../../src/memory/range.ts';
import { ADISTANCE_DRAM, type MemoryNode } from '../../src/memory/tier.ts';

export const MIB = 2 ** 20;
export const GIB = 2 ** 30;

/** One node per size, each a tier slower than the one before; ten ns for the first, then 30, 50. */
export function nodesOf(sizes: readonly number[]): MemoryNode[] {
  return sizes.map((capacityBytes, nid) => ({
    nid,
    kind: nid === 0 ? 'DRAM' : 'CXL',
    capacityBytes,
    hasCpus: nid === 0,
    accessNs: 10 + 20 * nid,
    bandwidthBytesPerS: 100e9 / (nid + 1),
    adistance: ADISTANCE_DRAM * (nid + 1),
  }));
}

/** A thread that accesses `[start, end)` at `ratePerS` accesses per page and second. */
export function steadyThread(start: number, end: number, ratePerS: number): WorkThread {
  return openThread('steady', wholeOf(start, end), (ratePerS * (end - start)) / PAGE_SIZE);
}

export function machineOf(
  sizes: readonly number[],
  workload: Pick<Workload, 'ranges' | 'threads'> & Partial<Workload>,
  mover: Partial<SimulatedMachineConfig['mover']> = {},
  more: Partial<SimulatedMachineConfig> = {},
): SimulatedMachine {
  return new SimulatedMachine({
    name: 'test',
    nodes: nodesOf(sizes),
    mover: {
      migrationBytesPerS: GIB,
      kswapdBytesPerS: 0,
      systemBytes: [],
      useWatermarks: true,
      ...mover,
    },
    workload: { name: 'test', durationUs: 36_000e6, ...workload },
    push: { kind: 'off' },
    sampledShare: 1,
    seed: 7,
    ...more,
  });
}

export interface Part {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
  readonly outcome: ActionOutcome;
  readonly cpuNs: number;
}

export function collected(machine: SimulatedMachine): Part[] {
  const parts: Part[] = [];
  machine.collect((tag, start, end, outcome, cpuNs) => parts.push({ tag, start, end, outcome, cpuNs }));
  return parts;
}

/** Asks for one action, lets it happen, tells what became of it; neighbours of one outcome as one part. */
export function act(
  machine: SimulatedMachine,
  action: ActionRequest['action'],
  start: number,
  end: number,
  targetNid = -1,
): Part[] {
  machine.submit({ action, start, end, targetNid, tag: 1 });
  for (let i = 0; machine.pendingBytes() > 0 && i < 10_000; i++) machine.advance(10_000);
  const parts: Part[] = [];
  for (const part of collected(machine)) {
    const last = parts.at(-1);
    if (last?.outcome !== part.outcome || last.end !== part.start) parts.push(part);
    else parts[parts.length - 1] = { ...last, end: part.end, cpuNs: last.cpuNs + part.cpuNs };
  }
  return parts;
}

/** Bytes of the range by what they lie on. */
export function bytesOn(machine: SimulatedMachine, start: number, end: number): Map<number, number> {
  const bytes = new Map<number, number>();
  machine.placement(start, end, (from, to, nid) => {
    bytes.set(nid, (bytes.get(nid) ?? 0) + to - from);
  });
  return bytes;
}

export function sumOf(parts: readonly Part[], outcome?: ActionOutcome): number {
  return parts
    .filter((part) => outcome === undefined || part.outcome === outcome)
    .reduce((sum, { start, end }) => sum + end - start, 0);
}
