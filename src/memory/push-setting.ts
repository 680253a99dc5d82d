/** How access samples are taken, and its text: `5876/s`, `period=10000`, `off`. */
import { ThermoError } from './error.ts';
import { formatEventRate, parseCount, parseEventRate } from './units.ts';

/** Nothing, at a rate (the period follows the load), or each N-th access. */
export type PushSetting =
  | { readonly kind: 'off' }
  | { readonly kind: 'rate'; readonly perS: number }
  | { readonly kind: 'period'; readonly accesses: number };

/** IBS samples per second in the seed thread's posted runs (reference tiering-systems section 8.2). */
export const SEED_PUSH: PushSetting = { kind: 'rate', perS: 5876 };

/** @throws ThermoError THERMO_UNITS_BAD_VALUE */
export function parsePush(text: string): PushSetting {
  const trimmed = text.trim();
  if (trimmed.toLowerCase() === 'off') return { kind: 'off' };
  const period = /^period\s*=(.+)$/i.exec(trimmed);
  const value = period ? parseCount(period[1].trim()) : parseEventRate(trimmed);
  if (!(value > 0 && Number.isFinite(value))) {
    throw new ThermoError(
      'THERMO_UNITS_BAD_VALUE',
      `"${text}" is not a ${period ? 'period' : 'rate'} above 0`,
      {
        hint: 'accepted: 5876/s, period=10000, off',
      },
    );
  }
  return period ? { kind: 'period', accesses: value } : { kind: 'rate', perS: value };
}

/** Reads back to the same setting. */
export function formatPush(push: PushSetting): string {
  if (push.kind === 'off') return 'off';
  return push.kind === 'period' ? `period=${push.accesses}` : formatEventRate(push.perS);
}
