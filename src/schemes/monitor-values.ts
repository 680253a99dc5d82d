/** Values of monitoring that the command line takes, too: apart from the schema, which takes long to load. */
import { ThermoError } from '../memory/error.ts';
import { parseShare } from '../memory/units.ts';

/** Share of one CPU that monitoring may cost, above 0; off: rates are not tuned. */
export type OverheadSetting = number | 'off';

/** `1%`, or `off`. @throws ThermoError THERMO_UNITS_BAD_VALUE */
export function parseOverhead(text: string): OverheadSetting {
  if (text.trim().toLowerCase() === 'off') return 'off';
  const share = parseShare(text);
  if (share > 0) return share;
  throw new ThermoError('THERMO_UNITS_BAD_VALUE', `"${text}" leaves monitoring no time at all`, {
    hint: 'accepted: a share of one CPU above 0%, or off',
  });
}

/** `0.5` or `50%`. @throws ThermoError THERMO_UNITS_BAD_VALUE */
export function parseWeight(text: string): number {
  const trimmed = text.trim();
  if (trimmed.endsWith('%')) return parseShare(trimmed);
  const weight = /^(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(trimmed) ? Number(trimmed) : Number.NaN;
  if (weight >= 0 && weight <= 1) return weight;
  throw new ThermoError('THERMO_UNITS_BAD_VALUE', `"${text}" is not a weight`, {
    hint: 'accepted: 0 to 1, or 0% to 100%',
  });
}
