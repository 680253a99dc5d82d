/** Reads a trace from a file or pipe and builds the machine that replays it. */
import type { Readable } from 'node:stream';
import { ThermoError } from '../../memory/error.ts';
import type { PushSetting } from '../../memory/push-setting.ts';
import { formatCount } from '../../memory/units.ts';
import type { AccessParser, TraceFormat } from '../../records/access-parser.ts';
import { readTrace } from '../../records/trace-input.ts';
import { TraceSpool } from '../../records/trace-spool.ts';
import { type FastSize, ReplayedMachine, type TierLatencies } from './replayed-machine.ts';

export interface ReplayOptions {
  readonly path: string;
  readonly format: TraceFormat | undefined;
  readonly stdin: Readable;
  readonly includeFetches: boolean;
  readonly fast: FastSize;
  /** undefined: {@link defaultInstructionRate} of the format. */
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

/**
 * Rate of the trace's clock where the user sets none. Lackey lists every access, so a million
 * instructions are plenty of evidence; ramulator lists cache misses only, some thousands in as many
 * instructions, and needs a faster clock to show rates that a monitor can see.
 */
export function defaultInstructionRate(format: TraceFormat): number {
  return format === 'lackey' ? 1e6 : 100e6;
}

/** @throws ThermoError if the trace cannot be read, or holds nothing */
export async function openReplay(options: ReplayOptions): Promise<ReplayedMachine> {
  const spool = new TraceSpool();
  try {
    const parser = await readTrace(options, (batch) => spool.append(batch));
    if (options.shouldStop?.()) throw new ThermoError('THERMO_USAGE', 'interrupted while reading the trace');
    spool.finish();
    const instructionsPerS = options.instructionsPerS ?? defaultInstructionRate(parser.format);
    return new ReplayedMachine({
      spool,
      name: `${parser.format} trace ${options.path === '-' ? 'from standard input' : baseName(options.path)}`,
      fast: options.fast,
      instructionsPerS,
      truthWindowUs: options.truthWindowUs,
      push: options.push,
      ...(options.latencies === undefined ? {} : { latencies: options.latencies }),
      ...(options.maxRanges === undefined ? {} : { maxRanges: options.maxRanges }),
      seed: options.seed,
      warnings: describeCounts(parser),
    });
  } catch (error) {
    spool.close();
    throw error;
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function describeCounts({ counts, format }: AccessParser): string[] {
  const warnings: string[] = [];
  if (counts.unreadableLines > 0) {
    warnings.push(
      `${formatCount(counts.unreadableLines)} of ${formatCount(counts.lines)} lines are no ${format} access and were left out (first: line ${counts.firstUnreadableLine})`,
    );
  }
  if (counts.addressesTooLarge > 0) {
    warnings.push(`${plural(counts.addressesTooLarge, 'access')} beyond address 2^53 left out`);
  }
  return warnings;
}

function plural(count: number, word: string): string {
  return `${formatCount(count)} ${word}${count === 1 ? '' : 'es'}`;
}
