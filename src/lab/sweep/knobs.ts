/**
 * What `--vary` can turn: how each value is read and written, who listens to it, and in which columns it
 * stands. Numbers of a column are in the unit of its name.
 */
import { formatPush, parsePush } from '../../memory/push-setting.ts';
import {
  formatBytesExact,
  formatEventRate,
  formatShareExact,
  formatTimeExact,
  parseByteRate,
  parseBytes,
  parseCount,
  parseEventRate,
  parseTimeUs,
} from '../../memory/units.ts';
import type { MonitorAttrs } from '../../monitor/monitor.ts';
import type { SchemeEdit } from '../../schemes/edit.ts';
import { parseOverhead, parseWeight } from '../../schemes/monitor-block.ts';
import { type Contestant, chooseContestants } from '../compare/contestants.ts';
import type { TaskSettings } from '../compare/settings.ts';
import type { Cell, ColumnSpec } from './columns.ts';

/** What a value changes of a run. */
export interface Change {
  readonly tracker?: string;
  readonly machine?: string;
  readonly workload?: string;
  readonly sizeBytes?: number;
  readonly minRatePerS?: number;
  readonly settings?: Omit<TaskSettings, 'schemes'>;
  readonly edits?: readonly SchemeEdit[];
}

/** One value of a knob. */
export interface Choice {
  /** Reads back to the same choice. */
  readonly text: string;
  readonly cells: Readonly<Record<string, Cell>>;
  readonly change: Change;
}

export interface Knob {
  readonly key: string;
  readonly columns: readonly ColumnSpec[];
  /** @throws ThermoError THERMO_UNITS_BAD_VALUE, or another if there is no such thing */
  read(text: string): Choice;
  /** Left out: its values have no order, and are listed. */
  readonly range?: NumberRange;
  listens(contestant: Contestant): boolean;
}

export interface NumberRange {
  parse(text: string): number;
  format(value: number): string;
  /** Values are whole multiples of it. */
  readonly step?: number;
}

const everybody = (): boolean => true;
const isMonitor = (contestant: Contestant): boolean => contestant.kind === 'monitor';
const has =
  (part: 'regions' | 'rates' | 'weights') =>
  (contestant: Contestant): boolean =>
    contestant.kind === 'monitor' && contestant.has[part];

/** Samples as the machine gives them. */
const takesGivenSamples = (contestant: Contestant): boolean =>
  contestant.kind === 'tracker'
    ? contestant.samples === 'given'
    : contestant.kind === 'monitor' && contestant.usesSamples;

type Quantity = NumberRange & { readonly column: string; readonly isPositive?: boolean };

function quantityKnob(
  key: string,
  { column, ...range }: Quantity,
  listens: Knob['listens'],
  change: (value: number) => Change,
): Knob {
  return {
    key,
    columns: [{ name: column, type: 'DOUBLE' }],
    range,
    listens,
    read: (text) => {
      const value = range.parse(text);
      return { text: range.format(value), cells: { [column]: value }, change: change(value) };
    },
  };
}

const GIB = 2 ** 30;

const SIZE = { column: 'size_bytes', parse: parseBytes, format: compact(formatBytesExact) };
const BYTE_RATE = {
  parse: (text: string) => Math.round(parseByteRate(text)),
  format: (value: number) => `${compact(formatBytesExact)(value)}/s`,
  step: 1,
};
const RATE = {
  parse: parseEventRate,
  format: (perS: number) => (perS === 0 ? 'off' : formatEventRate(perS)),
};
const TIME = { parse: parseTimeUs, format: formatTimeExact };
const COUNT = { parse: parseCount, format: String, step: 1 };

/** A list of values is parted by commas, a value of a list has no spaces. */
function compact(format: (value: number) => string): (value: number) => string {
  return (value) => format(value).replace(' ', '');
}

const attr =
  (key: keyof MonitorAttrs) =>
  (value: number): Change => ({ settings: { attrs: { [key]: value } } });

const quota = (key: string, column: string, scheme?: string): Knob =>
  quantityKnob(key, { column, ...BYTE_RATE }, isMonitor, (bytesPerS) => ({
    edits: [{ kind: 'quota', bytesPerS, ...(scheme === undefined ? {} : { scheme }) }],
  }));

const named = (key: 'tracker' | 'machine' | 'workload', check: (name: string) => void): Knob => ({
  key,
  columns: [],
  listens: everybody,
  read: (text) => {
    check(text);
    return { text, cells: {}, change: { [key]: text } };
  },
});

export const KNOBS: readonly Knob[] = [
  named('tracker', (name) => chooseContestants([name])),
  // Whether there is such a machine is known when it is opened, before anything runs.
  named('machine', () => undefined),
  named('workload', () => undefined),
  quantityKnob('size', { ...SIZE, step: GIB }, everybody, (sizeBytes) => ({ sizeBytes })),
  quantityKnob('hot', { column: 'hot_per_s', ...RATE }, everybody, (minRatePerS) => ({ minRatePerS })),
  quota('quota', 'quota_bytes_per_s'),
  quantityKnob('max-regions', { column: 'max_regions', ...COUNT }, isMonitor, attr('maxNrRegions')),
  quantityKnob('min-regions', { column: 'min_regions', ...COUNT }, has('regions'), attr('minNrRegions')),
  quantityKnob('pull', { column: 'pull_per_s', ...RATE }, has('rates'), attr('pullPerS')),
  {
    key: 'push',
    columns: [
      { name: 'push_per_s', type: 'DOUBLE' },
      { name: 'push_period_accesses', type: 'DOUBLE' },
    ],
    listens: takesGivenSamples,
    read: (text) => {
      const push = parsePush(text);
      return {
        text: formatPush(push),
        cells: {
          push_per_s: push.kind === 'rate' ? push.perS : push.kind === 'off' ? 0 : null,
          push_period_accesses: push.kind === 'period' ? push.accesses : null,
        },
        change: { settings: { push } },
      };
    },
  },
  {
    key: 'overhead',
    columns: [{ name: 'overhead_share', type: 'DOUBLE' }],
    listens: has('rates'),
    read: (text) => {
      const overhead = parseOverhead(text);
      return {
        text: overhead === 'off' ? 'off' : compact(formatShareExact)(overhead),
        cells: { overhead_share: overhead === 'off' ? null : overhead },
        change: { settings: { overhead } },
      };
    },
  },
  quantityKnob('sample', { column: 'sample_us', ...TIME }, isMonitor, attr('sampleUs')),
  quantityKnob('aggr', { column: 'aggr_us', ...TIME }, isMonitor, attr('aggrUs')),
  {
    key: 'weights',
    columns: [
      { name: 'weight_pull', type: 'DOUBLE' },
      { name: 'weight_push', type: 'DOUBLE' },
    ],
    listens: has('weights'),
    read: (text) => {
      const [pull, push = 1] = text.split(':', 2).map((part) => parseWeight(part));
      return {
        text: `${pull}:${push}`,
        cells: { weight_pull: pull, weight_push: push },
        change: { settings: { attrs: { weights: { pull, push } } } },
      };
    },
  },
];

/** Keys that name a scheme: `quota.NAME`, and `schemes.NAME.PATH` with a path of the long form. */
export const SCHEME_KEYS = ['quota.NAME', 'schemes.NAME.PATH'] as const;

/** A knob of one scheme; undefined: the key is none. Who has the scheme is known only from the files. */
export function schemeKnob(key: string): Knob | undefined {
  const [head, name, ...path] = key.split('.');
  if (name === undefined || name === '') return undefined;
  if (head === 'quota' && path.length === 0) return quota(key, `quota_${word(name)}_bytes_per_s`, name);
  if (head !== 'schemes' || path.length === 0 || path.includes('')) return undefined;
  const column = ['schemes', name, ...path].map(word).join('_');
  return {
    key,
    columns: [{ name: column, type: 'STRING' }],
    listens: isMonitor,
    read: (text) => ({
      text,
      cells: { [column]: text },
      change: { edits: [{ kind: 'set', scheme: name, path, value: text }] },
    }),
  };
}

const word = (text: string): string => text.replace(/[^a-z0-9]+/gi, '_').toLowerCase();
