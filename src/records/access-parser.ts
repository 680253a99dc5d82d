/**
 * What every reader of an access trace gives: accesses in columns, on the trace's own clock.
 */

/** Parsed accesses; the parser fills it and calls the consumer whenever it is full. */
export interface TraceBatch {
  count: number;
  readonly address: Float64Array;
  readonly isStore: Uint8Array;
  /** The trace's clock: instructions executed before the access, or microseconds since the first one. */
  readonly ticks: Float64Array;
  /** Process and CPU, -1 where the format or the line does not tell. */
  readonly pid: Int32Array;
  readonly cpu: Int16Array;
}

export const TRACE_BATCH = 8192;

export function createTraceBatch(): TraceBatch {
  return {
    count: 0,
    address: new Float64Array(TRACE_BATCH),
    isStore: new Uint8Array(TRACE_BATCH),
    ticks: new Float64Array(TRACE_BATCH),
    pid: new Int32Array(TRACE_BATCH).fill(-1),
    cpu: new Int16Array(TRACE_BATCH).fill(-1),
  };
}

/** Appends one access; for readers that are not in a hurry. */
export function addAccess(
  batch: TraceBatch,
  address: number,
  isStore: number,
  ticks: number,
  pid: number,
  cpu: number,
): void {
  const i = batch.count++;
  batch.address[i] = address;
  batch.isStore[i] = isStore;
  batch.ticks[i] = ticks;
  batch.pid[i] = pid;
  batch.cpu[i] = cpu;
}

/** What was read and what could not be. */
export interface ParseCounts {
  lines: number;
  accesses: number;
  /** Of the trace's clock. */
  ticks: number;
  /** Lines that are no access of the format. */
  unreadableLines: number;
  /** Well-formed samples that have no data address: instructions that touch no memory. */
  noAddress: number;
  /** Samples that the recorder says it lost. */
  lost: number;
  /** Accesses beyond 2^53, which are left out. */
  addressesTooLarge: number;
  /** Number of the first line that could not be read, 0 if none. */
  firstUnreadableLine: number;
}

export function emptyCounts(): ParseCounts {
  return {
    lines: 0,
    accesses: 0,
    ticks: 0,
    unreadableLines: 0,
    noAddress: 0,
    lost: 0,
    addressesTooLarge: 0,
    firstUnreadableLine: 0,
  };
}

export const TRACE_FORMATS = [
  'lackey',
  'ramulator',
  'perf-script',
  'perf-mem',
  'ibs-raw',
  'drmemtrace',
] as const;

export type TraceFormat = (typeof TRACE_FORMATS)[number];

/** Which address of a sample counts, where it has both. */
export type AddressKind = 'virtual' | 'physical';

export interface AccessParser {
  /** `record`: samples of our own record. */
  readonly format: TraceFormat | 'record';
  /** What a tick is: an instruction, a microsecond, or just the place in the file. */
  readonly clock: 'instructions' | 'time' | 'order';
  readonly counts: ParseCounts;
  /** Time of the first access on the recorder's clock, us; NaN where there are no times. */
  readonly startUs: number;
  /** Accesses that each stands for, as far as the samples tell; 1 where all are listed, NaN unknown. */
  readonly period: number;
  /**
   * Parses whole lines of `bytes[start, end)`: `bytes[end - 1]` is a newline. Calls `flush` when
   * `batch` is full; the rest stays in it. Binary formats: whole records.
   */
  parse(bytes: Uint8Array, start: number, end: number, batch: TraceBatch, flush: () => void): void;
  /** Puts an access that was still waiting for its next line into `batch`, which has room. */
  finish?(batch: TraceBatch): void;
}

export interface ParserOptions {
  /** Lackey and drmemtrace: count instruction fetches as accesses too. */
  readonly includeFetches: boolean;
  /** Samples with both: left out, physical where it is known. */
  readonly address?: AddressKind | undefined;
  /** Only accesses of this process. */
  readonly pid?: number | undefined;
  /** Columns of `perf script -F`, where they cannot be told from the text. */
  readonly fields?: readonly string[] | undefined;
}

export const TAB = 9;
export const NEWLINE = 10;
export const CARRIAGE_RETURN = 13;
export const SPACE = 32;
export const COMMA = 44;
export const DIGIT_0 = 48;
export const DIGIT_9 = 57;
export const COLON = 58;

/** Value of each byte as a hexadecimal digit, or -1. */
export const HEX_VALUE: Int8Array = (() => {
  const table = new Int8Array(256).fill(-1);
  for (let i = 0; i < 10; i++) table[48 + i] = i;
  for (let i = 0; i < 6; i++) {
    table[65 + i] = 10 + i;
    table[97 + i] = 10 + i;
  }
  return table;
})();

export function noteUnreadable(counts: ParseCounts, line: number): void {
  counts.unreadableLines++;
  if (counts.firstUnreadableLine === 0) counts.firstUnreadableLine = line;
}
