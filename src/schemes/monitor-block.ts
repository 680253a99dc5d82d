/**
 * The `monitor:` block of a scheme file: everything the command line can say about monitoring, read and
 * printed. `formatMonitorBlock` reads back to the same settings.
 */
import { ThermoError } from '../memory/error.ts';
import { formatPush, type PushSetting, parsePush } from '../memory/push-setting.ts';
import {
  formatBytesExact,
  formatEventRate,
  formatShareExact,
  formatTimeExact,
  parseBytes,
  parseEventRate,
  parseShare,
  parseTimeUs,
} from '../memory/units.ts';
import { validateAttrs, validateGoal, validatePullRate, validateSourceWeights } from '../monitor/attrs.ts';
import type { MonitorName } from '../monitor/create-monitor.ts';
import { DEFAULT_INTERVALS_GOAL } from '../monitor/interval-tuner.ts';
import {
  DEFAULT_ATTRS,
  DEFAULT_WEIGHTS,
  type IntervalsGoal,
  type MonitorAttrs,
  type SourceWeights,
} from '../monitor/monitor.ts';
import type { SourceDocument } from '../yaml/source-document.ts';
import { ValueReader } from '../yaml/value-reader.ts';
import { type OverheadSetting, parseOverhead, parseWeight } from './monitor-values.ts';
import type { MonitorBlock } from './schema.ts';
import { SCHEME_CODES } from './validate.ts';

export { type OverheadSetting, parseOverhead, parseWeight } from './monitor-values.ts';

/** What a file says about monitoring; what it leaves out is undefined. */
export interface MonitorSettings {
  readonly name?: MonitorName;
  readonly sampleUs?: number;
  readonly aggrUs?: number;
  readonly intervalsGoal?: IntervalsGoal;
  readonly minNrRegions?: number;
  readonly maxNrRegions?: number;
  readonly minRegionSz?: number;
  readonly pullPerS?: number;
  readonly push?: PushSetting;
  readonly weights?: SourceWeights;
  readonly overhead?: OverheadSetting;
}

type Quantity = string | number;

/** Every problem goes to `problems`, with its line and column. */
export function readMonitorBlock(
  block: MonitorBlock | undefined,
  source: SourceDocument,
  problems: ThermoError[],
): MonitorSettings {
  if (block === undefined) return {};
  const reader = new ValueReader(source, SCHEME_CODES, problems);
  const { intervals, nr_regions: nrRegions } = block;
  const timeUs = (key: 'sample_us' | 'aggr_us'): number | undefined =>
    reader.read(['monitor', 'intervals', key], inUs(intervals?.[key]), parseTimeUs);
  const settings = whatIsSet<MonitorSettings>({
    name: block.name,
    sampleUs: timeUs('sample_us'),
    aggrUs: timeUs('aggr_us'),
    intervalsGoal: readGoal(intervals?.intervals_goal, reader),
    minNrRegions: nrRegions?.min,
    maxNrRegions: nrRegions?.max,
    minRegionSz: reader.read(['monitor', 'min_region_sz'], block.min_region_sz, parseBytes),
    pullPerS: reader.read(['monitor', 'pull'], block.pull, parsePull),
    push: reader.read(['monitor', 'push'], block.push, parsePush),
    weights: readWeights(block.weights, reader),
    overhead: reader.read(['monitor', 'overhead'], block.overhead, parseOverhead),
  });
  checkAgainstItself(settings, reader);
  return settings;
}

/**
 * What a block says about one thing must fit together, whatever the command line may replace; whether
 * it fits what the block leaves out is known only there.
 */
function checkAgainstItself(settings: MonitorSettings, reader: ValueReader): void {
  const { sampleUs, aggrUs, minNrRegions, maxNrRegions, minRegionSz, intervalsGoal } = settings;
  const check = (path: readonly string[], attrs: Partial<MonitorAttrs>): void => {
    reader.check(['monitor', ...path], () => validateAttrs({ ...DEFAULT_ATTRS, ...attrs }));
  };
  if (sampleUs !== undefined && aggrUs !== undefined) check(['intervals', 'aggr_us'], { sampleUs, aggrUs });
  if (minNrRegions !== undefined && maxNrRegions !== undefined) {
    check(['nr_regions', 'max'], { minNrRegions, maxNrRegions });
  }
  if (minRegionSz !== undefined) check(['min_region_sz'], { minRegionSz });
  if (sampleUs !== undefined && intervalsGoal !== undefined) {
    const longEnough = Math.max(sampleUs, DEFAULT_ATTRS.aggrUs);
    check(['intervals', 'intervals_goal'], { sampleUs, aggrUs: longEnough, intervalsGoal });
  }
}

/** The block that says just these settings; undefined if there are none. */
export function formatMonitorBlock(settings: MonitorSettings): MonitorBlock | undefined {
  const { intervalsGoal: goal, sampleUs, aggrUs, minRegionSz, pullPerS, push, overhead } = settings;
  const intervals = whatIsSet({
    sample_us: formatIfSet(sampleUs, formatTimeExact),
    aggr_us: formatIfSet(aggrUs, formatTimeExact),
    intervals_goal: formatIfSet(goal, (each) => ({
      access_bp: `${each.accessBp / 100} %`,
      aggrs: each.aggrs,
      min_sample_us: formatTimeExact(each.minSampleUs),
      max_sample_us: formatTimeExact(each.maxSampleUs),
    })),
  });
  const nrRegions = whatIsSet({ min: settings.minNrRegions, max: settings.maxNrRegions });
  const block = whatIsSet<MonitorBlock>({
    name: settings.name,
    intervals: isEmpty(intervals) ? undefined : intervals,
    nr_regions: isEmpty(nrRegions) ? undefined : nrRegions,
    min_region_sz: formatIfSet(minRegionSz, formatBytesExact),
    pull: formatIfSet(pullPerS, (perS) => (perS === 0 ? 'off' : formatEventRate(perS))),
    push: formatIfSet(push, formatPush),
    weights: formatIfSet(settings.weights, (weights) => ({ ...weights })),
    overhead: formatIfSet(overhead, (share) => (share === 'off' ? 'off' : formatShareExact(share))),
  });
  return isEmpty(block) ? undefined : block;
}

function parsePull(text: string): number {
  const perS = parseEventRate(text);
  validatePullRate(perS);
  return perS;
}

type GoalBlock = NonNullable<NonNullable<MonitorBlock['intervals']>['intervals_goal']>;

/** What the block leaves out is DAMON's recommendation. */
function readGoal(block: GoalBlock | undefined, reader: ValueReader): IntervalsGoal | undefined {
  if (block === undefined) return undefined;
  const at = (key: keyof GoalBlock): string[] => ['monitor', 'intervals', 'intervals_goal', key];
  const timeUs = (key: 'min_sample_us' | 'max_sample_us'): number | undefined =>
    reader.read(at(key), inUs(block[key]), parseTimeUs);
  const read = whatIsSet<Partial<IntervalsGoal>>({
    accessBp: reader.read(at('access_bp'), block.access_bp, parseBp),
    aggrs: block.aggrs,
    minSampleUs: timeUs('min_sample_us'),
    maxSampleUs: timeUs('max_sample_us'),
  });
  const goal = { ...DEFAULT_INTERVALS_GOAL, ...read };
  return reader.check(['monitor', 'intervals', 'intervals_goal'], () => {
    validateGoal(goal);
    return goal;
  });
}

/** `4 %`; a bare number counts 1/10000. */
function parseBp(text: string): number {
  return text.trim().endsWith('%') ? Math.round(parseShare(text) * 10000) : parseBareBp(text);
}

function parseBareBp(text: string): number {
  if (/^\d+$/.test(text.trim())) return Number(text);
  throw new ThermoError('THERMO_UNITS_BAD_VALUE', `"${text}" is not a share of the accesses`, {
    hint: 'accepted: 4 %, or 400 (in 1/10000)',
  });
}

function readWeights(block: MonitorBlock['weights'], reader: ValueReader): SourceWeights | undefined {
  if (block === undefined) return undefined;
  const weights = {
    pull: reader.read(['monitor', 'weights', 'pull'], block.pull, parseWeight) ?? DEFAULT_WEIGHTS.pull,
    push: reader.read(['monitor', 'weights', 'push'], block.push, parseWeight) ?? DEFAULT_WEIGHTS.push,
  };
  return reader.check(['monitor', 'weights'], () => {
    validateSourceWeights(weights);
    return weights;
  });
}

/** A bare number is in the unit of its key. */
function inUs(value: Quantity | undefined): Quantity | undefined {
  return typeof value === 'number' ? `${value}us` : value;
}

function formatIfSet<T, U>(value: T | undefined, format: (value: T) => U): U | undefined {
  return value === undefined ? undefined : format(value);
}

/** Leaves out the keys without a value. */
function whatIsSet<T extends object>(settings: { [K in keyof T]: T[K] | undefined }): T {
  // What remains of the keys of T has values of T.
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined)) as T;
}

function isEmpty(settings: object): boolean {
  return Object.keys(settings).length === 0;
}
