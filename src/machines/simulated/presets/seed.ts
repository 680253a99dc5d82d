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
import { SimulatedMachine } from '../simulated-machine.ts';
import type { Workload } from '../workload.ts';
import type { PresetOptions } from './preset.ts';

const GIB = 2 ** 30;

/** Accesses to one region: 512 repetitions of one access per page of 1 GiB. */
const SEED_ACCESSES_PER_REGION = 512 * 262144;
const SEED_DRAM_NS = 16.2;
const SEED_CXL_NS = 40.5;
const SEED_SAMPLED_SHARE = (1_904_619 * 10_000) / 25_769_803_776;

/** IBS op period of the posted driver, in ops. */
export const IBS_PERIOD = 10_000;

/** The seed's sequential sweep over `sizeBytes`, one GiB after the other. */
export function seedSweep(sizeBytes: number): Workload {
  const regions = Math.floor(sizeBytes / GIB);
  return {
    name: `sweep of ${formatBytes(regions * GIB)}, active 1 GiB region that moves on`,
    ranges: [{ start: 0, end: regions * GIB }],
    durationUs: Number.POSITIVE_INFINITY,
    threads: [
      {
        name: 'sweep',
        nid: 0,
        loadShare: 0.5,
        pace: { kind: 'closed' },
        phaseCount: regions,
        phase: (index) => ({
          accesses: SEED_ACCESSES_PER_REGION,
          areas: [{ start: index * GIB, end: (index + 1) * GIB, share: 1 }],
        }),
      },
    ],
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

export function seedTest2(options: PresetOptions): SimulatedMachine {
  const sizeBytes = options.sizeBytes ?? 192 * GIB;
  if (sizeBytes < 3 * GIB || sizeBytes % GIB !== 0) {
    throw new ThermoError('THERMO_MACHINE_CONFIG', `seed-test-2 cannot be ${formatBytes(sizeBytes)} large`, {
      hint: 'accepted: whole GiB, from 3 GiB on',
    });
  }
  return new SimulatedMachine({
    name: 'seed-test-2',
    nodes: seedNodes(sizeBytes),
    mover: {
      // Batched or multi-threaded kernel migration; one thread moves 0.3 to 0.75 GB/s.
      migrationBytesPerS: 2 * GIB,
      kswapdBytesPerS: 2 * GIB,
      // The posted counters put 64.6 of the 192 GiB on CXL, so 127.4 GiB of DRAM are the workload's.
      systemBytes: [roundDown((sizeBytes / 192) * 0.3, PAGE_SIZE), 0],
      useWatermarks: true,
    },
    workload: seedSweep(sizeBytes),
    push: options.push ?? { kind: 'period', accesses: IBS_PERIOD },
    sampledShare: SEED_SAMPLED_SHARE,
    seed: options.seed,
  });
}
