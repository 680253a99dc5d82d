/** The names that `--source` takes, and what may be changed for them. */
import { ThermoError } from '../memory/error.ts';
import { suggest } from '../memory/nearest-word.ts';
import { parseCount, parseTimeUs } from '../memory/units.ts';

export const SOURCE_NAMES = ['damon', 'faults', 'perf', 'page_idle', 'clear_refs'] as const;
export type SourceName = (typeof SOURCE_NAMES)[number];

export interface SourceChoice {
  readonly name: SourceName;
  /**
   * After a colon: `damon:sysfs` (how it is read), `faults:100ms` (the window of `fault-exposure.ts`),
   * `perf:ibs@10000` or `perf:PATH@10000` (where from, and accesses per sample).
   */
  readonly variant?: string;
}

const DAMON_WAYS: readonly string[] = ['trace', 'sysfs'];

/** @throws ThermoError THERMO_USAGE */
export function parseSources(text: string): SourceChoice[] {
  return text.split(',').map((part) => {
    const [word, ...rest] = part.trim().split(':');
    const variant = rest.length === 0 ? undefined : rest.join(':');
    const name = SOURCE_NAMES.find((each) => each === word);
    if (name === undefined) {
      throw new ThermoError('THERMO_USAGE', `there is no access source "${word}"`, {
        hint: suggest(word, SOURCE_NAMES, 'sources'),
      });
    }
    if (variant === undefined) return { name };
    if (name === 'faults') parseTimeUs(variant);
    else if (name === 'perf') parsePerfVariant(variant);
    else if (name !== 'damon') {
      throw new ThermoError('THERMO_USAGE', `the source ${name} has no variant "${variant}"`, {
        hint: `say only ${name}`,
      });
    } else if (!DAMON_WAYS.includes(variant)) {
      throw new ThermoError('THERMO_USAGE', `damon cannot be read by "${variant}"`, {
        hint: suggest(variant, DAMON_WAYS, 'ways'),
      });
    }
    return { name, variant };
  });
}

/** Settings of the machine that may be changed for the time of a run, if the user says so. */
export const ALLOWANCES = ['damon_stat', 'numa_balancing'] as const;
export type Allowance = (typeof ALLOWANCES)[number];

/** @throws ThermoError THERMO_USAGE */
export function parseAllowances(text: string): Allowance[] {
  return text.split(',').map((part) => {
    const name = ALLOWANCES.find((each) => each === part.trim());
    if (name !== undefined) return name;
    throw new ThermoError('THERMO_USAGE', `"${part.trim()}" is nothing that can be allowed`, {
      hint: suggest(part.trim(), ALLOWANCES, 'settings'),
    });
  });
}

/** Accesses per sample unless the user says otherwise: as the seed postings of kpromoted sample with IBS. */
const DEFAULT_PERF_PERIOD = 10_000;

/** `ibs@20000`: where samples come from, and accesses per sample. @throws ThermoError */
export function parsePerfVariant(variant = 'ibs'): { readonly from: string; readonly period: number } {
  const [, from, period] = /^(.*?)(?:@([^@/]*))?$/.exec(variant) ?? [];
  if (from === undefined || from === '') {
    throw new ThermoError('THERMO_USAGE', `"perf:${variant}" does not say where samples come from`, {
      hint: 'expected perf:ibs, perf:pebs, perf:PATH of a pipe, or perf:- for standard input',
    });
  }
  return { from, period: period === undefined ? DEFAULT_PERF_PERIOD : parseCount(period) };
}
