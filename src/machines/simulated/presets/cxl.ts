/**
 * Machines as they are sold: DRAM with CXL of three speeds, with HBM above it, and the two on which DAMON's
 * tiering was posted. Latencies and bandwidths are those of reference tiering-systems section 5, sizes ours
 * where no posting is named.
 */
import { roundDown } from '../../../memory/range.ts';
import { type Hardware, hardware, type NodeModel } from '../hardware.ts';
import type { SimulatedMachineConfig } from '../simulated-machine.ts';
import { type WorkloadRequest, withWorkload } from '../workloads/index.ts';
import { CXL, cxl, DRAM, dram, GIB, type PresetOptions } from './preset.ts';

/** A part of a machine whose workload has `parts` of them: what `--size` scales. */
function unitOf(options: PresetOptions, parts: number): number {
  return roundDown((options.sizeBytes ?? parts * GIB) / parts, 2 ** 21);
}

function preset(
  name: string,
  models: readonly NodeModel[],
  workload: WorkloadRequest,
  options: PresetOptions,
  followsLoad = false,
): SimulatedMachineConfig {
  const { push } = options;
  const machine: Hardware = hardware(name, models, { followsLoad, ...(push === undefined ? {} : { push }) });
  return withWorkload(machine, workload, options.seed);
}

/** 64 GiB of DRAM, 2 taken by the system, and 96 GiB of CXL. */
function dramAndCxl(name: string, latencyNs: number, bandwidthBytesPerS: number, options: PresetOptions) {
  const unit = unitOf(options, 100);
  const models = [dram(64 * unit, 2 * unit), cxl(96 * unit, latencyNs, bandwidthBytesPerS)];
  return preset(name, models, { name: 'gups' }, options);
}

/** A device on 16 lanes, as near as a remote socket. */
export const cxlFast = (options: PresetOptions): SimulatedMachineConfig =>
  dramAndCxl('cxl-fast', 190, 50e9, options);

/** 8 lanes. */
export const cxlTypical = (options: PresetOptions): SimulatedMachineConfig =>
  dramAndCxl('cxl-typical', CXL.latency, CXL.bandwidth, options);

/** 8 lanes behind a switch. */
export const cxlSlow = (options: PresetOptions): SimulatedMachineConfig =>
  dramAndCxl('cxl-slow', 400, 20e9, options);

/**
 * 16 GiB of HBM, a tenth slower than DRAM at rest and with four times its bandwidth (abstract distance 158),
 * beside 64 GiB of DRAM with the CPUs and 96 GiB of CXL. Promotions end in DRAM unless a scheme names HBM.
 * Follows load, without which HBM is good for nothing; the scan wants more than the bandwidth of DRAM.
 */
export function hbm(options: PresetOptions): SimulatedMachineConfig {
  const unit = unitOf(options, 100);
  const models: NodeModel[] = [
    dram(64 * unit, 2 * unit),
    {
      kind: 'HBM',
      sizeBytes: 16 * unit,
      latencyNs: DRAM.latency * 1.1,
      bandwidthBytesPerS: DRAM.bandwidth * 4,
    },
    cxl(96 * unit),
  ];
  return preset('hbm', models, { name: 'stream', parameters: { threads: 64 } }, options, true);
}

/**
 * The machine of the posting of self-tuned tiering (20 April 2025, reference section 6.1): 250 GiB of DRAM,
 * 50 GiB of CXL, and a Taobench of 270 GiB of which 10 change between hot and cold each minute.
 */
export function damonPost(options: PresetOptions): SimulatedMachineConfig {
  const unit = unitOf(options, 270);
  const parameters = { sizeBytes: 270 * unit, churnShare: 10 / 270 };
  return preset('damon-post', [dram(250 * unit), cxl(50 * unit)], { name: 'taobench', parameters }, options);
}

/**
 * The machine of the posting of migrate_hot and migrate_cold (SK hynix, 14 June 2024, reference section 6.2):
 * 512 GB of DRAM and 96 GB of CXL, GB taken as GiB. With 3 of them taken by the system, some 28.7 of Redis' 52
 * begin on CXL, the posted mean.
 */
export function skHynix(options: PresetOptions): SimulatedMachineConfig {
  const unit = unitOf(options, 555);
  const models = [dram(512 * unit, 3 * unit), cxl(96 * unit)];
  return preset(
    'sk-hynix',
    models,
    { name: 'redis-ballast', parameters: { sizeBytes: 555 * unit } },
    options,
  );
}
