/** Reads a trace from a file or pipe and builds the machine that replays it. */
import type { Readable } from 'node:stream';
import { ThermoError } from '../../memory/error.ts';
import type { PushSetting } from '../../memory/push-setting.ts';
import { formatCount } from '../../memory/units.ts';
import type { AccessParser, ParserOptions, TraceFormat } from '../../records/access-parser.ts';
import { readTrace } from '../../records/trace-input.ts';
import { TraceSpool } from '../../records/trace-spool.ts';
import { type FastSize, ReplayedMachine, type TierLatencies } from './replayed-machine.ts';

export interface ReplayOptions extends ParserOptions {
  readonly path: string;
  readonly format: TraceFormat | undefined;
  readonly stdin: Readable;
  readonly fast: FastSize;
  /** undefined: {@link defaultClockRate}; says nothing where the trace has times. */
  readonly instructionsPerS: number | undefined;
  readonly truthWindowUs: number;
  readonly push: PushSetting;
  /** As {@link ReplayConfig.latencies}. */
  readonly latencies?: TierLatencies;
  readonly maxRanges?: number;
  readonly seed: number;
  readonly onProgress?: (share: number) => void;
  readonly shouldStop?: () => boolean;
}

/** Samples per second that IBS took in the measurements of the seed thread. */
const SEED_SAMPLES_PER_S = 5876;

/**
 * Ticks per second of the trace's clock where the user sets none. Lackey and drmemtrace list every access,
 * so a million instructions are plenty of evidence; ramulator lists cache misses only, some thousands in
 * as many instructions, and needs a faster clock to show rates that a monitor can see.
 */
export function defaultClockRate({ format, clock }: Pick<AccessParser, 'format' | 'clock'>): number {
  if (clock === 'time') return 1e6;
  if (clock === 'order') return SEED_SAMPLES_PER_S;
  return format === 'ramulator' ? 100e6 : 1e6;
}

/** @throws ThermoError if the trace cannot be read, or holds nothing */
export async function openReplay(options: ReplayOptions): Promise<ReplayedMachine> {
  const spool = new TraceSpool();
  try {
    const parser = await readTrace(options, (batch) => spool.append(batch));
    if (options.shouldStop?.()) throw new ThermoError('THERMO_USAGE', 'interrupted while reading the trace');
    spool.finish();
    const isTimed = parser.clock === 'time';
    const given = isTimed ? undefined : options.instructionsPerS;
    return new ReplayedMachine({
      spool,
      name: `${parser.format} trace ${options.path === '-' ? 'from standard input' : baseName(options.path)}`,
      fast: options.fast,
      ticksPerS: given ?? defaultClockRate(parser),
      ...(parser.clock === 'instructions'
        ? {}
        : { samples: { period: Number.isNaN(parser.period) ? 1 : parser.period } }),
      truthWindowUs: options.truthWindowUs,
      push: options.push,
      ...(options.latencies === undefined ? {} : { latencies: options.latencies }),
      ...(options.maxRanges === undefined ? {} : { maxRanges: options.maxRanges }),
      seed: options.seed,
      warnings: [...describeCounts(parser), ...describeClock(parser, options)],
    });
  } catch (error) {
    spool.close();
    throw error;
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** What the replay of samples takes for granted. */
function describeClock(parser: AccessParser, options: ReplayOptions): string[] {
  const warnings: string[] = [];
  if (parser.clock === 'time' && options.instructionsPerS !== undefined) {
    warnings.push('the trace has times: --ips says nothing');
  }
  if (parser.clock === 'order' && options.instructionsPerS === undefined) {
    warnings.push(
      `the trace has no times: its samples are taken as ${formatCount(SEED_SAMPLES_PER_S)} per second (--ips sets another rate)`,
    );
  }
  if (Number.isNaN(parser.period)) {
    warnings.push(
      'the trace does not say how many accesses a sample stands for: each counts as one (perf script -F +period)',
    );
  }
  return warnings;
}

/** What could not be read of a trace, in words. */
export function describeCounts({ counts, format }: AccessParser): string[] {
  const warnings: string[] = [];
  if (counts.unreadableLines > 0) {
    warnings.push(
      `${formatCount(counts.unreadableLines)} of ${formatCount(counts.lines)} lines are no ${format} access and were left out (first: line ${counts.firstUnreadableLine})`,
    );
  }
  if (counts.noAddress > 0) {
    warnings.push(`${formatCount(counts.noAddress)} samples without a data address left out`);
  }
  if (counts.lost > 0) warnings.push(`the recorder lost ${formatCount(counts.lost)} samples`);
  if (counts.addressesTooLarge > 0) {
    warnings.push(`${plural(counts.addressesTooLarge, 'access')} beyond address 2^53 left out`);
  }
  return warnings;
}

function plural(count: number, word: string): string {
  return `${formatCount(count)} ${word}${count === 1 ? '' : 'es'}`;
}
