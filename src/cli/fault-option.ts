/** Reads `--fault`: what goes wrong with the sources of a field machine. */
import type { FieldFaults } from '../machines/field/field-machine.ts';
import { ThermoError } from '../memory/error.ts';
import { suggest } from '../memory/nearest-word.ts';
import { parseShare, parseTimeUs } from '../memory/units.ts';

type FaultReader = (value: string) => FieldFaults;

const READERS: Readonly<Record<string, FaultReader>> = {
  'push-lost': (value) => ({ pushLostAtUs: parseTimeUs(value) }),
  'pull-blind': (value) => ({ pullBlindAtUs: parseTimeUs(value) }),
  drop: (value) => ({ dropShare: parseShare(value) }),
  'push-bias': (value) => {
    const [factor, at = '0'] = value.split('@');
    return { pushBias: { factor: parseShare(factor), atUs: parseTimeUs(at) } };
  },
};

const EXAMPLES = 'push-lost=5s, pull-blind=0, drop=50%, push-bias=50%@10s';

/** Faults of `push-lost=5s,drop=10%`. */
export function parseFaults(text: string): FieldFaults {
  const faults: FieldFaults = {};
  for (const part of text.split(',')) {
    const [name, value] = part.trim().split('=');
    const read = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
    if (read === undefined) {
      throw new ThermoError('THERMO_USAGE', `there is no fault "${name}"`, {
        hint: suggest(name, Object.keys(READERS), 'faults'),
      });
    }
    if (value === undefined) {
      throw new ThermoError('THERMO_USAGE', `"${part.trim()}" does not say how much`, {
        hint: `accepted: ${EXAMPLES}`,
      });
    }
    Object.assign(faults, read(value));
  }
  return faults;
}

export const FAULT_HELP = `what goes wrong with the sources: ${EXAMPLES}`;
