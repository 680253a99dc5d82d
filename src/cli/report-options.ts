/** Options of `thermocline report`, and how their values are read. */
import { Option } from 'commander';
import { DEFAULT_SKIP } from '../lab/report/over-snapshots.ts';
import { DEFAULT_TEMPERATURE, type TemperatureWeights } from '../lab/report/region-facts.ts';
import type { Bounds } from '../lab/report/select.ts';
import { ThermoError } from '../memory/error.ts';
import { suggest } from '../memory/nearest-word.ts';
import type { AddressRange } from '../memory/range.ts';
import { parseBytes, parseCount, parseShare, parseTimeUs } from '../memory/units.ts';
import { INPUT_FORMATS } from '../records/detect.ts';
import { REGION_FORMATS } from '../records/region-input.ts';
import { REGION_KEYS } from '../view/report/facts.ts';
import { parseLayoutChange } from '../view/report/keywords.ts';
import { OUTPUT_FORMATS } from './convert-output.ts';
import { argument } from './option-value.ts';
import { parserOptions } from './options.ts';

export const REPORT_KINDS = [
  'regions',
  'heatmap',
  'wss',
  'nr-regions',
  'temperature',
  'recency',
  'memory-for-accesses',
  'holistic',
  'what-if',
] as const;

export type ReportKind = (typeof REPORT_KINDS)[number];

/** `A..B`, `A..`, `..B`, or `A` alone; both ends count. */
export function parseBounds(text: string, parse: (part: string) => number): Bounds {
  const parts = text.split('..');
  if (parts.length > 2 || text.trim() === '' || text.trim() === '..') {
    throw new ThermoError('THERMO_USAGE', `"${text}" is no range`, {
      hint: 'expected A..B, A.. or ..B, such as 5%..100%',
    });
  }
  const [low, high = low] = parts.map((part) => part.trim());
  const min = low === '' ? Number.NEGATIVE_INFINITY : parse(low);
  const max = high === '' ? Number.POSITIVE_INFINITY : parse(high);
  if (min > max) {
    throw new ThermoError('THERMO_USAGE', `the range ${text} ends before it begins`, {
      hint: 'expected the lower end first',
    });
  }
  return { min, max };
}

/** `0x7f00..`, `4G..8G`. */
function parseAddress(text: string): number {
  const value = /^0x[0-9a-f]+$/i.test(text) ? Number.parseInt(text, 16) : parseBytes(text);
  if (Number.isSafeInteger(value) || value === Number.POSITIVE_INFINITY) return value;
  throw new ThermoError('THERMO_USAGE', `the address ${text} is beyond 2^53`);
}

function parseAddresses(text: string): AddressRange {
  const { min, max } = parseBounds(text, parseAddress);
  return { start: Math.max(0, min), end: max };
}

/** A whole number; negative: from the end. */
function parseIndex(text: string): number {
  return text.startsWith('-') ? -parseCount(text.slice(1)) : parseCount(text);
}

function parseSnapshots(text: string): Bounds {
  if (text === 'all') return { min: 0, max: Number.POSITIVE_INFINITY };
  return parseBounds(text, parseIndexOrEnd);
}

function parseIndexOrEnd(text: string): number {
  return text === 'last' ? -1 : parseIndex(text);
}

function parseNumber(text: string): number {
  const value = Number(text.replaceAll(/[,_]/g, ''));
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw new ThermoError('THERMO_USAGE', `"${text}" is not a number`);
}

const WEIGHTS = ['size', 'rate', 'age'] as const;

function parseTemperatureWeights(text: string): TemperatureWeights {
  const weights = { ...DEFAULT_TEMPERATURE };
  for (const part of text.split(',')) {
    const [name, value = ''] = part.split('=').map((each) => each.trim());
    const key = WEIGHTS.find((each) => each === name);
    if (key === undefined) {
      throw new ThermoError('THERMO_USAGE', `a temperature has no weight "${name}"`, {
        hint: suggest(name, WEIGHTS, 'weights'),
      });
    }
    weights[key] = parseNumber(value);
  }
  return weights;
}

function parsePercents(text: string): number[] {
  return text.split(',').map((part) => {
    const value = parseNumber(part.trim().replace(/%$/, ''));
    if (value >= 0 && value <= 100) return value;
    throw new ThermoError('THERMO_USAGE', `"${part.trim()}" is no percentile`, {
      hint: 'expected numbers from 0 to 100, such as 0,25,50,75,100',
    });
  });
}

function parsePicture(text: string): string {
  if (/\.(svg|png|html)$/i.test(text)) return text;
  throw new ThermoError('THERMO_USAGE', `"${text}" is no picture`, {
    hint: 'expected a name that ends in .svg, .png or .html',
  });
}

const bounds =
  (parse: (text: string) => number) =>
  (text: string): Bounds =>
    parseBounds(text, parse);

/** What a report is about. */
export function selectionOptions(): Option[] {
  return [
    new Option('--size <range>', 'regions of this size, e.g. 2M.. or 4K..1G').argParser(
      argument(bounds(parseBytes)),
    ),
    new Option('--rate <range>', 'regions of this access rate, e.g. 5%..100%').argParser(
      argument(bounds((text) => parseShare(text))),
    ),
    new Option('--age <range>', 'regions of this age, e.g. 30s..').argParser(argument(bounds(parseTimeUs))),
    new Option('--temperature <range>', 'regions of this temperature, e.g. ..0').argParser(
      argument(bounds(parseNumber)),
    ),
    new Option(
      '--address <range>',
      'only this part of the addresses, e.g. 0x7f00000000..; may be repeated',
    ).argParser((text: string, before: readonly AddressRange[] = []) => [
      ...before,
      argument(parseAddresses)(text),
    ]),
    new Option('--snapshots <range>', 'numbers of snapshots, e.g. 0..9, -1, all').argParser(
      argument(parseSnapshots),
    ),
    new Option('--during <range>', 'snapshots of this time since the record began, e.g. 10s..20s').argParser(
      argument(bounds(parseTimeUs)),
    ),
    new Option('--snapshot-size <range>', 'snapshots of this size in all').argParser(
      argument(bounds(parseBytes)),
    ),
    new Option('--target <id>', 'only this target'),
    new Option(
      '--weights <weights>',
      'what makes the temperature (default: size=0,rate=100,age=100)',
    ).argParser(argument(parseTemperatureWeights)),
    new Option('--from <format>', 'format of the file (default: detected)').choices(REGION_FORMATS),
  ];
}

export function convertOptions(): Option[] {
  return [
    new Option('--from <format>', 'format of the input (default: detected)').choices(INPUT_FORMATS),
    new Option('--to <format>', 'format of the output (default: by its name)').choices(OUTPUT_FORMATS),
    ...parserOptions(),
  ];
}

/** How a report looks, by kind. */
export function reportOptions(): Option[] {
  return [
    new Option('--style <style>', 'regions: how they are shown')
      .choices(['detailed', 'boxes'])
      .default('detailed'),
    new Option('--sort <key>', 'regions: order').choices(REGION_KEYS).default('address'),
    new Option('--descending', 'regions: the largest first'),
    new Option('--no-merge', 'regions: do not show equal neighbours as one'),
    new Option(
      '--format <change>',
      'regions: another layout, e.g. "set region <start address> <size>"; may be repeated (docs/records.md)',
    ).argParser((text: string, before: readonly ReturnType<typeof parseLayoutChange>[] = []) => [
      ...before,
      argument(parseLayoutChange)(text),
    ]),
    new Option('--skip <n>', 'wss, nr-regions: snapshots at the beginning that do not count')
      .argParser(argument(parseCount))
      .default(DEFAULT_SKIP),
    new Option('--min-accesses <n>', 'wss: samples from which on a region is in use')
      .argParser(argument(parseNumber))
      .default(1),
    new Option('--min-size <size>', 'wss: smallest region that counts')
      .argParser(argument(parseBytes))
      .default(1, '1 B'),
    new Option('--by-time', 'wss, nr-regions: a line a snapshot, in the order of time'),
    new Option('--percentiles <list>', 'which percentiles, e.g. 0,25,50,75,100').argParser(
      argument(parsePercents),
    ),
    new Option('--shares <list>', 'memory-for-accesses: which shares of the accesses')
      .argParser(argument(parsePercents))
      .default([50, 75, 90, 95, 99, 100], '50,75,90,95,99,100'),
    new Option('--rows <n>', 'heatmap: steps of time').argParser(argument(parseCount)),
    new Option('--columns <n>', 'heatmap: steps of addresses').argParser(argument(parseCount)),
    new Option(
      '--time-axis <direction>',
      'heatmap: where time goes (default: down; across in pictures)',
    ).choices(['down', 'across']),
    new Option('--scale <scale>', 'heatmap: scale of the heat (default: as fits)').choices(['linear', 'log']),
    new Option('--area <which>', 'heatmap: which of the areas that large gaps part')
      .choices(['hottest', 'all'])
      .default('hottest'),
    new Option(
      '--picture <file>',
      'heatmap, memory-for-accesses: write a picture (.svg, .png, .html)',
    ).argParser(argument(parsePicture)),
    new Option('--scheme <file>', 'what-if: the scheme file'),
    new Option('--raw', 'numbers without units'),
  ];
}
