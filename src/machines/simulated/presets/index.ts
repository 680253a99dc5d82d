/** Machines that ship with the program. */
import { ThermoError } from '../../../memory/error.ts';
import { suggest } from '../../../memory/nearest-word.ts';
import { SimulatedMachine, type SimulatedMachineConfig } from '../simulated-machine.ts';
import { cxlFast, cxlSlow, cxlTypical, damonPost, hbm, skHynix } from './cxl.ts';
import type { PresetOptions } from './preset.ts';
import { seedTest1, seedTest2 } from './seed.ts';
import { swapServer } from './swap-server.ts';
import { bandwidthBound, coldDram, fullDram, loadedDram } from './tiered.ts';

const PRESETS: Readonly<Record<string, (options: PresetOptions) => SimulatedMachineConfig>> = {
  'seed-test-2': seedTest2,
  'seed-test-1': seedTest1,
  'cold-dram': coldDram,
  'full-dram': fullDram,
  'loaded-dram': loadedDram,
  bandwidth: bandwidthBound,
  'swap-server': swapServer,
  'cxl-fast': cxlFast,
  'cxl-typical': cxlTypical,
  'cxl-slow': cxlSlow,
  hbm,
  'damon-post': damonPost,
  'sk-hynix': skHynix,
};

export const PRESET_NAMES: readonly string[] = Object.keys(PRESETS);

/** Builds a preset by name. Throws THERMO_MACHINE_CONFIG for an unknown one. */
export function createPreset(name: string, options: PresetOptions): SimulatedMachine {
  return new SimulatedMachine(presetConfig(name, options));
}

/** What a preset is made of, for variants of it. Throws THERMO_MACHINE_CONFIG for an unknown one. */
export function presetConfig(name: string, options: PresetOptions): SimulatedMachineConfig {
  const create = Object.hasOwn(PRESETS, name) ? PRESETS[name] : undefined;
  if (!create) {
    throw new ThermoError('THERMO_MACHINE_CONFIG', `there is no machine "${name}"`, {
      hint: suggest(name, PRESET_NAMES, 'machines'),
    });
  }
  return create(options);
}
