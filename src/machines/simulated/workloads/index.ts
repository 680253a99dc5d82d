/** Workloads by name, on whatever machine they are put. */
import { ThermoError } from '../../../memory/error.ts';
import { suggest } from '../../../memory/nearest-word.ts';
import { PAGE_SIZE } from '../../../memory/range.ts';
import { formatBytes } from '../../../memory/units.ts';
import { type Hardware, roomOf } from '../hardware.ts';
import type { SimulatedMachineConfig } from '../simulated-machine.ts';
import { gups, gupsMoving } from './gups.ts';
import { redisBallast, zipfKv } from './key-value.ts';
import { completed, LEAST_BYTES, type Parameters, type WorkloadModel } from './parameters.ts';
import { antagonist, batch, seedSweep, stream } from './streams.ts';
import { btree, graph, taobench, xsbench } from './tables.ts';

export const WORKLOADS: Readonly<Record<string, WorkloadModel>> = {
  gups,
  'gups-moving': gupsMoving,
  'zipf-kv': zipfKv,
  'redis-ballast': redisBallast,
  graph,
  btree,
  xsbench,
  taobench,
  stream,
  'seed-sweep': seedSweep,
  antagonist,
  batch,
};

export const WORKLOAD_NAMES: readonly string[] = Object.keys(WORKLOADS);

/** A workload and what is set of it. */
export interface WorkloadRequest {
  readonly name: string;
  readonly parameters?: Partial<Parameters>;
}

/** @throws ThermoError THERMO_MACHINE_CONFIG for an unknown one */
export function workloadModel(name: string): WorkloadModel {
  const model = Object.hasOwn(WORKLOADS, name) ? WORKLOADS[name] : undefined;
  if (model !== undefined) return model;
  throw new ThermoError('THERMO_MACHINE_CONFIG', `there is no workload "${name}"`, {
    hint: suggest(name, WORKLOAD_NAMES, 'workloads'),
  });
}

/** Puts a workload on a machine. Throws THERMO_MACHINE_CONFIG where it does not fit. */
export function withWorkload(
  { name, nodes, mover, push, sampledShare, followsLoad }: Hardware,
  request: WorkloadRequest,
  seed: number,
): SimulatedMachineConfig {
  const model = workloadModel(request.name);
  const room = roomOf({ nodes, mover }, seed);
  const parameters = completed(model, request.parameters ?? {}, room);
  const { sizeBytes } = parameters;
  if (sizeBytes < LEAST_BYTES || sizeBytes % PAGE_SIZE !== 0) {
    throw new ThermoError(
      'THERMO_MACHINE_CONFIG',
      `the workload ${request.name} cannot be ${formatBytes(sizeBytes)} large`,
      { hint: `accepted: whole pages of 4 KiB, from ${formatBytes(LEAST_BYTES)} on` },
    );
  }
  return {
    name,
    nodes,
    mover,
    push,
    sampledShare,
    ...(followsLoad === true || model.followsLoad === true ? { followsLoad: true } : {}),
    workload: model.build(parameters, room),
    seed,
  };
}
