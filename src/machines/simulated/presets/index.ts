/** Machines that ship with the program. */
import { ThermoError } from '../../../memory/error.ts';
import { suggest } from '../../../memory/nearest-word.ts';
import type { SimulatedMachine } from '../simulated-machine.ts';
import type { PresetOptions } from './preset.ts';
import { seedTest2 } from './seed.ts';
import { swapServer } from './swap-server.ts';
import { bandwidthBound, coldDram, fullDram, loadedDram } from './tiered.ts';

const PRESETS: Readonly<Record<string, (options: PresetOptions) => SimulatedMachine>> = {
  'seed-test-2': seedTest2,
  'cold-dram': coldDram,
  'full-dram': fullDram,
  'loaded-dram': loadedDram,
  bandwidth: bandwidthBound,
  'swap-server': swapServer,
};

export const PRESET_NAMES: readonly string[] = Object.keys(PRESETS);

/** Builds a preset by name. Throws THERMO_MACHINE_CONFIG for an unknown one. */
export function createPreset(name: string, options: PresetOptions): SimulatedMachine {
  const create = Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
  if (!create) {
    throw new ThermoError('THERMO_MACHINE_CONFIG', `there is no machine "${name}"`, {
      hint: suggest(name, PRESET_NAMES, 'machines'),
    });
  }
  return create(options);
}
