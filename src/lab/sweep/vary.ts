/** Reads `--vary KEY=VALUES`: `a,b,c` is a list, `a..b` doubles, `a..b/N` takes N steps of equal ratio. */
import { ThermoError } from '../../memory/error.ts';
import { suggest } from '../../memory/nearest-word.ts';
import { type Choice, KNOBS, type Knob, type NumberRange, SCHEME_KEYS, schemeKnob } from './knobs.ts';

export interface Variation {
  readonly knob: Knob;
  /** In the order in which they were named, each once. */
  readonly choices: readonly Choice[];
}

/** Most values of one key; a typing error in a range shall not fill the machine for a year. */
export const MAX_VALUES = 1000;

const EXAMPLE = 'expected KEY=VALUES, such as quota=128M/s..4G/s or max-regions=100,1000,10000';

/** @throws ThermoError THERMO_USAGE */
export function parseVary(text: string): Variation {
  const at = text.indexOf('=');
  if (at <= 0) throw usage(`"${text}" does not say what to vary`, EXAMPLE);
  const [key, values] = splitKey(text);
  const knob = KNOBS.find((each) => each.key === key) ?? schemeKnob(key);
  if (knob === undefined) {
    const keys = [...KNOBS.map((each) => each.key), ...SCHEME_KEYS];
    throw usage(`"${key}" cannot be varied`, suggest(key, keys, 'keys'));
  }
  if (values === '') throw usage(`"${text}" has no values`, EXAMPLE);
  const choices = new Map<string, Choice>();
  for (const part of values.split(',')) {
    for (const choice of readPart(part.trim(), knob)) choices.set(choice.text, choice);
  }
  if (choices.size > MAX_VALUES) {
    throw usage(`${choices.size} values of "${key}" are too many`, `expected at most ${MAX_VALUES}`);
  }
  return { knob, choices: [...choices.values()] };
}

/** Reads back to the same variation. */
export function formatVary({ knob, choices }: Variation): string {
  return `${knob.key}=${choices.map(({ text }) => text).join(',')}`;
}

/** A path of a scheme has no "=", so the first one ends the key. */
function splitKey(text: string): [key: string, values: string] {
  const at = text.indexOf('=');
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}

function readPart(part: string, knob: Knob): Choice[] {
  const [from, to] = part.split('..', 2).map((each) => each.trim());
  if (to === undefined || knob.range === undefined) return [read(part, knob)];
  return valuesOf(from, to, part, knob.key, knob.range).map((value) => read(value, knob));
}

function read(text: string, knob: Knob): Choice {
  try {
    return knob.read(text);
  } catch (error) {
    if (!(error instanceof ThermoError)) throw error;
    throw usage(`--vary ${knob.key}: ${error.message}`, error.hint);
  }
}

function valuesOf(from: string, to: string, part: string, key: string, range: NumberRange): string[] {
  // A rate ends in its unit, so that digits after the last stroke are a number of steps.
  const [, last, count] = /^(.*?)(?:\/\s*(\d+))?$/.exec(to) ?? [];
  const [a, b] = [numberOf(from, key, range), numberOf(last, key, range)];
  if (!(a > 0 && b >= a && Number.isFinite(b))) {
    throw usage(`--vary ${key}: "${part}" is no range`, 'expected a..b with 0 < a <= b');
  }
  const exact = count === undefined ? doublings(a, b) : steps(a, b, Number(count), key);
  const { step } = range;
  return exact.map((value, i) => {
    const isEnd = i === 0 || i === exact.length - 1;
    const rounded =
      step === undefined ? Number(value.toPrecision(6)) : Math.max(step, Math.round(value / step) * step);
    return range.format(isEnd ? value : rounded);
  });
}

function numberOf(text: string, key: string, range: NumberRange): number {
  try {
    return range.parse(text);
  } catch (error) {
    if (!(error instanceof ThermoError)) throw error;
    throw usage(`--vary ${key}: ${error.message}`, error.hint);
  }
}

/** a, 2a, 4a ... as long as they are below b, then b. */
function doublings(a: number, b: number): number[] {
  const values: number[] = [];
  for (let value = a; value < b; value *= 2) values.push(value);
  return [...values, b];
}

function steps(a: number, b: number, count: number, key: string): number[] {
  if (count < 2 || count > MAX_VALUES) {
    throw usage(`--vary ${key}: ${count} steps`, `expected a..b/N with N from 2 to ${MAX_VALUES}`);
  }
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? b : a * (b / a) ** (i / (count - 1))));
}

function usage(message: string, hint: string | undefined): ThermoError {
  return new ThermoError('THERMO_USAGE', message, { hint });
}

/** @throws ThermoError THERMO_USAGE if two are about the same */
export function checkVariations(variations: readonly Variation[]): void {
  const keys = variations.map(({ knob }) => knob.key);
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  if (twice !== undefined) {
    throw usage(`"${twice}" is varied twice`, `list all values in one, as ${twice}=a,b,c`);
  }
  const part = keys.find((key) => key.startsWith('quota.'));
  if (part !== undefined && keys.includes('quota')) {
    throw usage(`"quota" and "${part}" are about the same scheme`, 'vary the quota of each scheme by name');
  }
}
