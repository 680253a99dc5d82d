/** A machine as a user asks for it, as plain data, and what it is made of. */
import { ThermoError } from '../../memory/error.ts';
import { formatBytes } from '../../memory/units.ts';
import { loadMachine } from './file/load-machine.ts';
import { presetConfig } from './presets/index.ts';
import type { PresetOptions } from './presets/preset.ts';
import { SimulatedMachine, type SimulatedMachineConfig } from './simulated-machine.ts';
import { withWorkload } from './workloads/index.ts';

export interface MachineSpec {
  /** Name of a preset, or of the file for messages. */
  readonly machine: string;
  /** Text of a machine file; left out: a preset. */
  readonly text?: string;
  /** Name of a workload that is put on it instead of its own. */
  readonly workload?: string;
}

/** What a machine file without a workload runs. */
const DEFAULT_WORKLOAD = 'gups';

/**
 * The one way from what a user asks for to a machine.
 * @throws ThermoErrors for a machine file, ThermoError THERMO_MACHINE_CONFIG for names and sizes
 */
export function simulatedConfig(spec: MachineSpec, options: PresetOptions): SimulatedMachineConfig {
  const { machine, text, workload } = spec;
  if (text === undefined) {
    const config = presetConfig(machine, options);
    return workload === undefined ? config : withWorkload(config, { name: workload }, options.seed);
  }
  const loaded = loadMachine(text, machine);
  if (options.sizeBytes !== undefined) {
    throw new ThermoError(
      'THERMO_MACHINE_CONFIG',
      `${machine} cannot be ${formatBytes(options.sizeBytes)} large`,
      {
        hint: 'a machine file says its sizes itself; --size scales machines that ship with the program',
      },
    );
  }
  const hardware = options.push === undefined ? loaded.hardware : { ...loaded.hardware, push: options.push };
  const { seed } = options;
  if (workload !== undefined) return withWorkload(hardware, { name: workload }, seed);
  if (loaded.workload === undefined) return withWorkload(hardware, { name: DEFAULT_WORKLOAD }, seed);
  if ('threads' in loaded.workload) return { ...hardware, workload: loaded.workload, seed };
  return withWorkload(hardware, loaded.workload, seed);
}

export function createMachine(spec: MachineSpec, options: PresetOptions): SimulatedMachine {
  return new SimulatedMachine(simulatedConfig(spec, options));
}
