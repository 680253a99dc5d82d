/** Options that several commands share, and how their values are read. */

import { Option } from 'commander';
import type { FastSize } from '../machines/replayed/replayed-machine.ts';
import { ThermoError } from '../memory/error.ts';
import { suggest } from '../memory/nearest-word.ts';
import { type PushSetting, parsePush } from '../memory/push-setting.ts';
import { parseBytes, parseCount, parseEventRate, parseShare, parseTimeUs } from '../memory/units.ts';
import { validateSourceWeights } from '../monitor/attrs.ts';
import { MONITOR_NAMES, type MonitorName } from '../monitor/create-monitor.ts';
import { DEFAULT_INTERVALS_GOAL } from '../monitor/interval-tuner.ts';
import { DEFAULT_WEIGHTS, type IntervalsGoal, type SourceWeights } from '../monitor/monitor.ts';
import { INPUT_FORMATS } from '../records/detect.ts';
import { parseOverhead, parseWeight } from '../schemes/monitor-values.ts';
import { FAULT_HELP, parseFaults } from './fault-option.ts';
import { DEFAULT_MONITOR } from './monitor-settings.ts';
import { argument } from './option-value.ts';

function positive(kind: string, value: number, text: string): number {
  if (value > 0 && Number.isFinite(value)) return value;
  throw new ThermoError('THERMO_USAGE', `"${text}" is not a ${kind} above 0`);
}

export interface MonitorOptions {
  readonly seed: number;
  readonly sample?: number;
  readonly aggr?: number;
  readonly minRegions?: number;
  readonly maxRegions?: number;
  readonly pull?: number;
  readonly push?: PushSetting;
  readonly weights?: SourceWeights;
  readonly intervalsGoal?: IntervalsGoal;
}

const GOAL_KEYS = ['access', 'aggrs', 'min', 'max'] as const;

/** `4%`, or any of `access=4%,aggrs=3,min=5ms,max=10s`; what is left out is DAMON's recommendation. `off`: never. */
export function parseIntervalsGoal(text: string): IntervalsGoal {
  if (text.trim().toLowerCase() === 'off') return { ...DEFAULT_INTERVALS_GOAL, aggrs: 0 };
  const goal = { ...DEFAULT_INTERVALS_GOAL };
  for (const part of text.split(',')) {
    const [key, value] = part.includes('=')
      ? part.split('=', 2).map((each) => each.trim())
      : ['access', part];
    if (key === 'access') goal.accessBp = Math.round(parseShare(value) * 10000);
    else if (key === 'aggrs') goal.aggrs = parseCount(value);
    else if (key === 'min') goal.minSampleUs = parseTimeUs(value);
    else if (key === 'max') goal.maxSampleUs = parseTimeUs(value);
    else {
      throw new ThermoError('THERMO_USAGE', `an intervals goal has no "${key}"`, {
        hint: suggest(key, GOAL_KEYS, 'keys'),
      });
    }
  }
  return goal;
}

const WEIGHT_KEYS = ['pull', 'push'] as const;

/** `pull=1,push=0.5`; what is left out is 1. */
export function parseWeights(text: string): SourceWeights {
  const weights = { ...DEFAULT_WEIGHTS };
  for (const part of text.split(',')) {
    const [name, value = ''] = part.split('=', 2).map((each) => each.trim());
    const key = WEIGHT_KEYS.find((each) => each === name);
    if (key === undefined) {
      throw new ThermoError('THERMO_USAGE', `there is no source "${name}"`, {
        hint: suggest(name, WEIGHT_KEYS, 'sources'),
      });
    }
    weights[key] = parseWeight(value);
  }
  validateSourceWeights(weights);
  return weights;
}

/** One part of a sweep, counted from 1. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

export function parseFast(text: string): FastSize {
  if (!text.trim().endsWith('%')) return { kind: 'bytes', bytes: positive('size', parseBytes(text), text) };
  return { kind: 'share', share: positive('share', parseShare(text), text) };
}

/** What `--push` stands at when it is left out, in words. */
const RUN_PUSH_DEFAULT = 'period=10000, or 5876/s for a trace';

export function monitorOptions(pushDefault = RUN_PUSH_DEFAULT): Option[] {
  return [
    seedOption(),
    new Option('--pull <rate>', 'Accessed-bit checks, e.g. 15000/s, or off (default: 15000/s)').argParser(
      argument(parseEventRate),
    ),
    new Option(
      '--push <rate>',
      `access samples: 5876/s, period=10000 (each 10,000th access, as IBS), or off (default: ${pushDefault})`,
    ).argParser(argument(parsePush)),
    new Option(
      '--weights <weights>',
      "how much one source's evidence counts beside the other's, e.g. pull=1,push=0.5 (default: 1 each)",
    ).argParser(argument(parseWeights)),
    new Option('--sample <time>', 'sampling interval (default: 5ms)').argParser(
      argument((text) => positive('time', parseTimeUs(text), text)),
    ),
    new Option('--aggr <time>', 'aggregation interval (default: 100ms)').argParser(
      argument((text) => positive('time', parseTimeUs(text), text)),
    ),
    new Option(
      '--intervals-goal <goal>',
      'tune both intervals until this share of the accesses is observed, e.g. 4% or access=4%,aggrs=3,min=5ms,max=10s, or off',
    ).argParser(argument(parseIntervalsGoal)),
    new Option('--min-regions <n>', 'fewest regions (default: 10)').argParser(argument(parseCount)),
    new Option('--max-regions <n>', 'most regions (default: 1000)').argParser(argument(parseCount)),
  ];
}

/** Without a default: a scheme file may name the monitor. */
export const monitorOption = (): Option =>
  new Option('--monitor <name>', `how memory is watched (default: ${DEFAULT_MONITOR})`).choices(
    MONITOR_NAMES,
  );

export const overheadOption = (): Option =>
  new Option(
    '--overhead <percent>',
    'tune the rates of checks and samples so that they cost this share of one CPU, e.g. 1%, or off',
  ).argParser(argument(parseOverhead));

export const sizeOption = (): Option =>
  new Option('--size <size>', 'scale the simulated machine and its workload').argParser(argument(parseBytes));

export const machineOption = (): Option =>
  new Option(
    '--machine <name>',
    'simulated machine: one that ships with the program, or a file (docs/machines.md); run also takes linux, the machine that it stands on (docs/live.md)',
  ).default('seed-test-2');

export const workloadOption = (): Option =>
  new Option(
    '--workload <name>',
    "puts this workload on the simulated machine instead of the machine's own, e.g. zipf-kv",
  );

export const forOption = (): Option =>
  new Option('--for <time>', 'end the run after so much modelled time (real time on linux)').argParser(
    argument((text) => positive('time', parseTimeUs(text), text)),
  );

export const recordEveryOption = (): Option =>
  new Option('--record-every <time>', 'time between two snapshots of the record (default: all)').argParser(
    argument((text) => positive('time', parseTimeUs(text), text)),
  );

const fastOption = (): Option =>
  new Option('--fast <share>', "fast tier of a replay: share of the trace's footprint, or a size")
    .argParser(argument(parseFast))
    .default({ kind: 'share', share: 0.25 } satisfies FastSize, '25%');

const instructionRateOption = (): Option =>
  new Option(
    '--ips <rate>',
    'instructions (or samples) per second of the clock of a trace without times (default: 1M/s; ramulator: 100M/s; samples: 5876/s)',
  ).argParser(argument((text) => positive('rate', parseEventRate(text), text)));

/** How the text of a trace is read. */
export function parserOptions(): Option[] {
  return [
    new Option('--fetches', 'lackey, drmemtrace: count instruction fetches as accesses'),
    new Option(
      '--address <kind>',
      'samples with both addresses: which one counts (default: physical where it is known)',
    ).choices(['virtual', 'physical']),
    new Option('--pid <n>', 'only accesses of this process; with --machine linux the one to watch').argParser(
      argument(parseCount),
    ),
    new Option(
      '--fields <names>',
      'columns of perf script -F, where they cannot be told from the text, e.g. time,event,addr',
    ).argParser(parseNames),
  ];
}

/** Where the recorded accesses of a program come from. */
export const traceOptions = (): Option[] => [
  new Option(
    '--trace <file>',
    'replay this recording instead: a trace, samples of perf, a record of regions (docs/records.md); - for standard input',
  ),
  new Option('--format <format>', 'format of the recording (default: detected)').choices(INPUT_FORMATS),
  fastOption(),
  instructionRateOption(),
  ...parserOptions(),
];

/** Longest time that the accuracy lab goes on for. */
const MAX_AT_US = 3600e6;

/** Times of `0.6s,1s,10s`, ascending, each once. */
function parseTimes(text: string): number[] {
  const times = text.split(',').map((part) => {
    const us = positive('time', parseTimeUs(part), part.trim());
    if (us > MAX_AT_US) {
      throw new ThermoError('THERMO_USAGE', `"${part.trim()}" is too late`, { hint: 'expected at most 1h' });
    }
    return us;
  });
  return [...new Set(times)].sort((a, b) => a - b);
}

/** Names of `evidence,grid`, each once. */
function parseMonitors(text: string): MonitorName[] {
  const isName = (name: string): name is MonitorName => (MONITOR_NAMES as readonly string[]).includes(name);
  const names = text.split(',').map((part) => {
    const name = part.trim();
    if (isName(name)) return name;
    throw new ThermoError('THERMO_USAGE', `there is no monitor "${name}"`, {
      hint: suggest(name, MONITOR_NAMES, 'monitors'),
    });
  });
  return [...new Set(names)];
}

export const seedOption = (): Option =>
  new Option('--seed <n>', 'seed of all random numbers').argParser(argument(parseCount)).default(1);

/** Most seeds of one measurement. */
const MAX_SEEDS = 1000;

function parseSeeds(text: string): number {
  const seeds = positive('number of seeds', parseCount(text), text);
  if (seeds <= MAX_SEEDS) return seeds;
  throw new ThermoError('THERMO_USAGE', `${text} seeds are too many`, {
    hint: `expected at most ${MAX_SEEDS}`,
  });
}

/** Options of `accuracy` besides {@link monitorOptions}. */
export function accuracyOptions(): Option[] {
  return [
    new Option('--monitor <names>', `monitors to compare, of ${MONITOR_NAMES.join(', ')}`)
      .argParser(argument(parseMonitors))
      .default(['evidence', 'damon', 'grid'], 'evidence,damon,grid'),
    new Option(
      '--hot <rate>',
      'accesses per page and second from which on pages are hot (default: as the field says, else 30/s)',
    ).argParser(argument((text) => positive('rate', parseEventRate(text), text))),
    new Option('--at <times>', 'when to score, e.g. 1s,10s')
      .argParser(argument(parseTimes))
      .default([0.6e6, 1e6, 2e6, 10e6, 60e6], '0.6s,1s,2s,10s,60s'),
    new Option('--fault <faults>', FAULT_HELP).argParser(argument(parseFaults)),
    new Option('--seeds <n>', 'runs with different seeds, from --seed on')
      .argParser(argument(parseSeeds))
      .default(5),
  ];
}

function parseNames(text: string): readonly string[] {
  return text.split(',').map((name) => name.trim());
}

const MAX_SHARDS = 100_000;

/** `3/16`: the third of sixteen. */
export function parseShard(text: string): Shard {
  const [index, count] = text
    .split('/')
    .map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : Number.NaN));
  if (text.split('/').length === 2 && index >= 1 && index <= count && count <= MAX_SHARDS) {
    return { index, count };
  }
  throw new ThermoError('THERMO_USAGE', `"${text}" is no shard`, {
    hint: `expected K/N with K from 1 to N, such as 3/16; N is at most ${MAX_SHARDS}`,
  });
}

export function parsePlotFile(text: string): string {
  if (/\.(svg|html)$/i.test(text)) return text;
  throw new ThermoError('THERMO_USAGE', `"${text}" is neither a picture nor a page`, {
    hint: 'expected a name that ends in .svg or .html',
  });
}

const collect = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

/** Options of `compare` that make a sweep of it. */
export function sweepOptions(): Option[] {
  return [
    new Option(
      '--vary <key=values>',
      'run every value, e.g. quota=128M/s..4G/s, max-regions=100,1000, size=16GiB..16TiB/6; repeat it for all combinations',
    ).argParser(collect),
    new Option('--out <dir>', 'directory in which finished runs are kept (default: thermocline-sweep)'),
    new Option('--shard <k/n>', 'run only this part of the sweep, e.g. 3/16').argParser(argument(parseShard)),
    new Option('--fresh', 'run again what is finished'),
    new Option('--no-limit', 'simulate every tracker at every size, though it may take hours'),
    new Option(
      '--plot <file>',
      'cost against gain as a picture (.svg), or with all numbers as a page (.html)',
    ).argParser(argument(parsePlotFile)),
    new Option('--html <file>', 'the page, whatever the name of the file'),
    new Option('--pareto', 'print who is on the Pareto front of cost and gain'),
  ];
}

export function compareOptions(): Option[] {
  return [
    new Option('--trackers <names>', 'who takes part, e.g. static,oracle,evidence (default: all)').argParser(
      parseNames,
    ),
    new Option(
      '--hot <rate>',
      'accesses per page and second from which on pages are hot, for scores (default: 5 of 20 samples, 57.5/s)',
    ).argParser(argument((text) => positive('rate', parseEventRate(text), text))),
    seedOption(),
    new Option('--seeds <n>', 'runs with different seeds, from --seed on; the table has means')
      .argParser(argument(parseSeeds))
      .default(1),
    new Option('--jobs <n>', 'runs at a time (default: one per core)').argParser(argument(parseSeeds)),
  ];
}
