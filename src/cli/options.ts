/** Options that several commands share, and how their values are read. */
import { InvalidArgumentError, Option } from 'commander';
import type { PushSetting } from '../machines/machine.ts';
import type { FastSize } from '../machines/replayed/replayed-machine.ts';
import { ThermoError } from '../memory/error.ts';
import { parseBytes, parseCount, parseEventRate, parseShare, parseTimeUs } from '../memory/units.ts';
import { DEFAULT_ATTRS, type MonitorAttrs } from '../monitor/monitor.ts';
import type { FileAttrs } from '../schemes/load.ts';

/** Turns a reader of units into a reader of option values: its errors are wrong usage. */
function argument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof ThermoError)
        throw new InvalidArgumentError(`${error.message}\n  ${error.hint ?? ''}`.trimEnd());
      throw error;
    }
  };
}

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
}

export function parsePush(text: string): PushSetting {
  if (text.trim().toLowerCase() === 'off') return { kind: 'off' };
  const period = /^period=(.+)$/i.exec(text.trim());
  if (period) return { kind: 'period', accesses: positive('period', parseCount(period[1]), text) };
  return { kind: 'rate', perS: positive('rate', parseEventRate(text), text) };
}

export function parseFast(text: string): FastSize {
  if (!text.trim().endsWith('%')) return { kind: 'bytes', bytes: positive('size', parseBytes(text), text) };
  return { kind: 'share', share: positive('share', parseShare(text), text) };
}

export function monitorOptions(): Option[] {
  return [
    new Option('--seed <n>', 'seed of all random numbers').argParser(argument(parseCount)).default(1),
    new Option('--pull <rate>', 'Accessed-bit checks, e.g. 15000/s, or off (default: 15000/s)').argParser(
      argument(parseEventRate),
    ),
    new Option(
      '--push <rate>',
      'access samples: 5876/s, period=10000 (each 10,000th access, as IBS), or off (default: period=10000, or 5876/s for a trace)',
    ).argParser(argument(parsePush)),
    new Option('--sample <time>', 'sampling interval (default: 5ms)').argParser(
      argument((text) => positive('time', parseTimeUs(text), text)),
    ),
    new Option('--aggr <time>', 'aggregation interval (default: 100ms)').argParser(
      argument((text) => positive('time', parseTimeUs(text), text)),
    ),
    new Option('--min-regions <n>', 'fewest regions (default: 10)').argParser(argument(parseCount)),
    new Option('--max-regions <n>', 'most regions (default: 1000)').argParser(argument(parseCount)),
  ];
}

export const sizeOption = (): Option =>
  new Option('--size <size>', 'scale the simulated machine and its workload').argParser(argument(parseBytes));

export const fastOption = (): Option =>
  new Option('--fast <share>', "fast tier of a replay: share of the trace's footprint, or a size")
    .argParser(argument(parseFast))
    .default({ kind: 'share', share: 0.25 } satisfies FastSize, '25%');

export const instructionRateOption = (): Option =>
  new Option(
    '--ips <rate>',
    'instructions per second of the clock of a trace (default: 1M/s for lackey, 100M/s for ramulator)',
  ).argParser(argument((text) => positive('rate', parseEventRate(text), text)));

/** What holds: the command line first, then the file, then the defaults. */
export function resolveAttrs(options: MonitorOptions, file: FileAttrs): MonitorAttrs {
  return {
    sampleUs: options.sample ?? file.sampleUs ?? DEFAULT_ATTRS.sampleUs,
    aggrUs: options.aggr ?? file.aggrUs ?? DEFAULT_ATTRS.aggrUs,
    minNrRegions: options.minRegions ?? file.minNrRegions ?? DEFAULT_ATTRS.minNrRegions,
    maxNrRegions: options.maxRegions ?? file.maxNrRegions ?? DEFAULT_ATTRS.maxNrRegions,
    minRegionSz: file.minRegionSz ?? DEFAULT_ATTRS.minRegionSz,
    pullPerS: options.pull ?? DEFAULT_ATTRS.pullPerS,
  };
}
