/**
 * `seed-test-2` is the second microbenchmark of the kpromoted v0 posting (LKML, 6 March 2025): one
 * thread touches 192 GiB on a 128 GiB DRAM node and a CXL node, one 1 GiB region after the other, 512
 * repetitions of 262,144 random accesses each, half loads and half stores. Access times are those
 * that fit both posted tests: 16.2 ns in DRAM and 40.5 ns on CXL, per access of one thread with loop
 * and stalls. The share of accesses that IBS can see follows from the posted counters:
 * 1,904,619 samples x period 10,000 / 25,769,803,776 accesses.
 */
import { ThermoError } from '../../../memory/error.ts';
import { PAGE_SIZE, roundDown } from '../../../memory/range.ts';
import { ADISTANCE_DRAM, abstractDistance, type MemoryNode } from '../../../memory/tier.ts';
import { formatBytes } from '../../../memory/units.ts';
import type { MoverConfig } from '../../mover.ts';
import type { SimulatedMachineConfig } from '../simulated-machine.ts';
import type { Workload, WorkThread } from '../workload.ts';
import type { PresetOptions } from './preset.ts';

const GIB = 2 ** 30;

/** Accesses to one region: 512 repetitions of one access per page of 1 GiB. */
const SEED_ACCESSES_PER_REGION = 512 * 262144;
const SEED_DRAM_NS = 16.2;
const SEED_CXL_NS = 40.5;
const SEED_SAMPLED_SHARE = (1_904_619 * 10_000) / 25_769_803_776;

/** 1,674,227 samples x period 10,000 / 21,474,836,480 accesses. */
const SEED_1_SAMPLED_SHARE = (1_674_227 * 10_000) / 21_474_836_480;

const SEED_MOVER: MoverConfig = {
  // Batched or multi-threaded kernel migration; one thread moves 0.3 to 0.75 GB/s.
  migrationBytesPerS: 2 * GIB,
  kswapdBytesPerS: 2 * GIB,
  systemBytes: [0, 0],
  useWatermarks: true,
};

/** IBS op period of the posted driver, in ops. */
export const IBS_PERIOD = 10_000;

/** The seed's sequential sweep over `sizeBytes`, one GiB after the other. */
export function seedSweep(sizeBytes: number): Workload {
  const regions = Math.floor(sizeBytes / GIB);
  return {
    name: `sweep of ${formatBytes(regions * GIB)}, active 1 GiB region that moves on`,
    ranges: [{ start: 0, end: regions * GIB }],
    durationUs: Number.POSITIVE_INFINITY,
    threads: [sweepThread('sweep', 0, regions * GIB)],
  };
}

/** A thread that works its way through `[start, end)`, 1 GiB at a time. */
function sweepThread(name: string, start: number, end: number): WorkThread {
  return {
    name,
    nid: 0,
    loadShare: 0.5,
    pace: { kind: 'closed' },
    phaseCount: Math.floor((end - start) / GIB),
    phase: (index) => ({
      accesses: SEED_ACCESSES_PER_REGION,
      areas: [{ start: start + index * GIB, end: start + (index + 1) * GIB, share: 1 }],
    }),
  };
}

/** DRAM of 128 and CXL of 128 parts in 192 of the workload's size, as on the seed's machine. */
function seedNodes(sizeBytes: number): readonly MemoryNode[] {
  const nodeBytes = roundDown((sizeBytes / 192) * 128, PAGE_SIZE);
  // Bandwidth is not part of the posted test; 250 and 25 GB/s are ordinary for 8 channels of DDR5
  // and a CXL x8 device, and only set the abstract distance here.
  const dram = { latency: 110, bandwidth: 250e9 };
  const cxl = { latency: 265, bandwidth: 25e9 };
  return [
    {
      nid: 0,
      kind: 'DRAM',
      capacityBytes: nodeBytes,
      hasCpus: true,
      accessNs: SEED_DRAM_NS,
      bandwidthBytesPerS: dram.bandwidth,
      adistance: ADISTANCE_DRAM,
    },
    {
      nid: 1,
      kind: 'CXL',
      capacityBytes: nodeBytes,
      hasCpus: false,
      accessNs: SEED_CXL_NS,
      bandwidthBytesPerS: cxl.bandwidth,
      adistance: abstractDistance(cxl, dram),
    },
  ];
}

/**
 * The first microbenchmark of the same posting: two threads at once, one on 120 GiB of DRAM, one on 40 GiB
 * that begin on CXL. The first is the bottleneck (reference tiering-systems section 8.3, hypothesis A), so
 * that no promotion can make the test shorter; times are reported by thread.
 */
export function seedTest1(options: PresetOptions): SimulatedMachineConfig {
  const sizeBytes = options.sizeBytes ?? 160 * GIB;
  if (sizeBytes < 4 * GIB || sizeBytes % (4 * GIB) !== 0) {
    throw new ThermoError('THERMO_MACHINE_CONFIG', `seed-test-1 cannot be ${formatBytes(sizeBytes)} large`, {
      hint: 'accepted: multiples of 4 GiB',
    });
  }
  const split = (sizeBytes / 4) * 3;
  return {
    name: 'seed-test-1',
    nodes: seedNodes((sizeBytes / 160) * 192),
    mover: SEED_MOVER,
    workload: {
      name: `sweeps of ${formatBytes(split)} in DRAM and ${formatBytes(sizeBytes - split)} on CXL, 1 GiB at a time`,
      ranges: [
        { start: 0, end: split, nid: 0 },
        { start: split, end: sizeBytes, nid: 1 },
      ],
      durationUs: Number.POSITIVE_INFINITY,
      threads: [sweepThread('DRAM thread', 0, split), sweepThread('CXL thread', split, sizeBytes)],
    },
    push: options.push ?? { kind: 'period', accesses: IBS_PERIOD },
    sampledShare: SEED_1_SAMPLED_SHARE,
    seed: options.seed,
  };
}

export function seedTest2(options: PresetOptions): SimulatedMachineConfig {
  const sizeBytes = options.sizeBytes ?? 192 * GIB;
  if (sizeBytes < 3 * GIB || sizeBytes % GIB !== 0) {
    throw new ThermoError('THERMO_MACHINE_CONFIG', `seed-test-2 cannot be ${formatBytes(sizeBytes)} large`, {
      hint: 'accepted: whole GiB, from 3 GiB on',
    });
  }
  return {
    name: 'seed-test-2',
    nodes: seedNodes(sizeBytes),
    mover: {
      ...SEED_MOVER,
      // The posted counters put 64.6 of the 192 GiB on CXL, so 127.4 GiB of DRAM are the workload's.
      systemBytes: [roundDown((sizeBytes / 192) * 0.3, PAGE_SIZE), 0],
    },
    workload: seedSweep(sizeBytes),
    push: options.push ?? { kind: 'period', accesses: IBS_PERIOD },
    sampledShare: SEED_SAMPLED_SHARE,
    seed: options.seed,
  };
}
