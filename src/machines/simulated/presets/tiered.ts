/**
 * Ordinary machines with DRAM and CXL memory, each with the workload of one question.
 *
 * Sizes, access rates and pacing are ours; where a published complaint or experiment stands behind a
 * machine, its comment names it.
 */

import { RandomStream } from '../../../memory/random.ts';
import { roundDown } from '../../../memory/range.ts';
import { DEFAULT_PUSH } from '../hardware.ts';
import type { SimulatedMachineConfig } from '../simulated-machine.ts';
import type { Area, WorkThread } from '../workload.ts';
import {
  closedThread,
  cxlNode,
  dramNode,
  GIB,
  minutes,
  openThread,
  type PresetOptions,
  wholeOf,
} from './preset.ts';

const MIGRATION = { migrationBytesPerS: 2 * GIB, kswapdBytesPerS: 2 * GIB, useWatermarks: true };

/**
 * 64 GiB of DRAM with 50 GiB in it that nobody uses any more, 96 GiB of CXL, and a service that keeps
 * using 6 GiB: the experiment in which the quota auto-tuner was reported to take 15 minutes to its first
 * demotion and then to overshoot, 90 % free where 50 % was asked for (reference tiering-systems section
 * 0.10). 10 minutes.
 */
export function coldDram(options: PresetOptions): SimulatedMachineConfig {
  const unit = roundDown((options.sizeBytes ?? 56 * GIB) / 56, 2 ** 21);
  const cold = 50 * unit;
  const end = 56 * unit;
  return {
    name: 'cold-dram',
    nodes: [dramNode(0, 64 * unit), cxlNode(1, 96 * unit)],
    mover: { ...MIGRATION, systemBytes: [2 * unit, 0] },
    workload: {
      name: '50 GiB that nobody uses any more, 6 GiB in use',
      ranges: [{ start: 0, end }],
      durationUs: minutes(10),
      threads: [openThread('service', wholeOf(cold, end), 60e6 * (unit / GIB))],
    },
    push: options.push ?? DEFAULT_PUSH,
    sampledShare: 1,
    seed: options.seed,
  };
}

/** Hot areas of a phase, their size, and how long they stay. */
const SPOTS = 8;
const SPOT_SHARE_OF_UNIT = 1 / 4;
const PHASE_S = 60;

/**
 * DRAM full to the brim, 62 GiB, and 38 GiB on CXL. Of the accesses 85 % go to 2 GiB in 8 places, which
 * change every minute and lie anywhere; 15 % to a fifth of the memory, always the same. The churn is that
 * of the Taobench variant with which self-tuned tiering was posted (reference section 6.1). Five minutes
 * if all were fast.
 */
export function fullDram(options: PresetOptions): SimulatedMachineConfig {
  const unit = roundDown((options.sizeBytes ?? 100 * GIB) / 100, 2 ** 21);
  const end = 100 * unit;
  const threads = 8;
  const random = new RandomStream(options.seed, 'preset/full-dram');
  const spotBytes = unit * SPOT_SHARE_OF_UNIT;
  const phases = Array.from({ length: 5 }, () => [...hotSpots(random, end, spotBytes), ...warmAreas(end)]);
  const thread = (index: number): WorkThread => ({
    name: `worker ${index}`,
    nid: 0,
    loadShare: 0.7,
    pace: { kind: 'closed' },
    phaseCount: phases.length,
    phase: (phase) => ({ accesses: (PHASE_S * 1e9) / 110, areas: phases[phase] }),
  });
  return {
    name: 'full-dram',
    nodes: [dramNode(0, 64 * unit), cxlNode(1, 96 * unit)],
    mover: { ...MIGRATION, systemBytes: [2 * unit - 256 * 2 ** 20, 0] },
    workload: {
      name: '100 GiB, 2 GiB hot in 8 places that change every minute, 20 GiB warm',
      ranges: [{ start: 0, end }],
      durationUs: Number.POSITIVE_INFINITY,
      threads: Array.from({ length: threads }, (_, i) => thread(i)),
    },
    push: options.push ?? DEFAULT_PUSH,
    sampledShare: 1,
    seed: options.seed,
  };
}

/** Disjoint, one per eighth of the memory. */
function hotSpots(random: RandomStream, end: number, bytes: number): Area[] {
  const slot = end / SPOTS;
  return Array.from({ length: SPOTS }, (_, i) => {
    const start = i * slot + roundDown(random.unit() * (slot - bytes), 4096);
    return { start: roundDown(start, 4096), end: roundDown(start, 4096) + bytes, share: 0.85 / SPOTS };
  });
}

/** Every tenth hundredth pair of the memory, 20 % of it. */
function warmAreas(end: number): Area[] {
  const tenth = roundDown(end / 10, 4096);
  return Array.from({ length: 10 }, (_, i) => ({
    start: i * tenth,
    end: i * tenth + roundDown(tenth / 5, 4096),
    share: 0.15 / 10,
  }));
}

/**
 * DRAM whose bandwidth others use up: 90 % of it. A service has 24 GiB, all of them hot, on CXL, and DRAM
 * has room for all of them: but there an access takes longer than on CXL before half of them have moved.
 * Colloid (SOSP'24): whoever promotes on makes it worse. Two minutes.
 */
export function loadedDram(options: PresetOptions): SimulatedMachineConfig {
  const unit = roundDown((options.sizeBytes ?? 60 * GIB) / 60, 2 ** 21);
  const antagonist = 36 * unit;
  const end = 60 * unit;
  const bandwidth = 100e9;
  return {
    name: 'loaded-dram',
    nodes: [
      dramNode(0, 64 * unit, { inFlight: 64, bandwidth }),
      cxlNode(1, 96 * unit, { inFlight: 64, bandwidth: bandwidth / 2 }),
    ],
    mover: { ...MIGRATION, systemBytes: [2 * unit, 0] },
    workload: {
      name: '24 GiB hot on CXL, beside 36 GiB that use up the bandwidth of DRAM',
      ranges: [
        { start: 0, end: antagonist, nid: 0 },
        { start: antagonist, end, nid: 1 },
      ],
      durationUs: minutes(2),
      threads: [
        openThread('antagonist', wholeOf(0, antagonist), (0.9 * bandwidth) / 64),
        closedThread('service', wholeOf(antagonist, end)),
      ],
    },
    push: options.push ?? DEFAULT_PUSH,
    sampledShare: 1,
    followsLoad: true,
    seed: options.seed,
  };
}

/**
 * Memory bandwidth is what is short: one program would read 150 GB/s, DRAM gives 30 and CXL 20, and all of
 * its 16 GiB begin in DRAM. Weighted interleaving uses both. One minute.
 */
export function bandwidthBound(options: PresetOptions): SimulatedMachineConfig {
  const unit = roundDown((options.sizeBytes ?? 16 * GIB) / 16, 2 ** 21);
  return {
    name: 'bandwidth',
    nodes: [
      dramNode(0, 32 * unit, { inFlight: 256, bandwidth: 30e9 }),
      cxlNode(1, 32 * unit, { inFlight: 256, bandwidth: 20e9 }),
    ],
    mover: { ...MIGRATION, systemBytes: [unit, 0] },
    workload: {
      name: '16 GiB read as fast as memory gives',
      ranges: [{ start: 0, end: 16 * unit }],
      durationUs: minutes(1),
      threads: [closedThread('reader', wholeOf(0, 16 * unit), 1)],
    },
    push: options.push ?? DEFAULT_PUSH,
    sampledShare: 1,
    followsLoad: true,
    seed: options.seed,
  };
}
