/**
 * What every reader of an access trace gives: accesses in columns, on a clock of instructions.
 */

/** Parsed accesses; the parser fills it and calls the consumer whenever it is full. */
export interface TraceBatch {
  count: number;
  readonly address: Float64Array;
  readonly isStore: Uint8Array;
  /** Instructions executed before the access. */
  readonly instructions: Float64Array;
}

export const TRACE_BATCH = 8192;

export function createTraceBatch(): TraceBatch {
  return {
    count: 0,
    address: new Float64Array(TRACE_BATCH),
    isStore: new Uint8Array(TRACE_BATCH),
    instructions: new Float64Array(TRACE_BATCH),
  };
}

/** What was read and what could not be. */
export interface ParseCounts {
  lines: number;
  accesses: number;
  instructions: number;
  /** Lines that are no access of the format. */
  unreadableLines: number;
  /** Accesses beyond 2^53, which are left out. */
  addressesTooLarge: number;
  /** Number of the first line that could not be read, 0 if none. */
  firstUnreadableLine: number;
}

export function emptyCounts(): ParseCounts {
  return {
    lines: 0,
    accesses: 0,
    instructions: 0,
    unreadableLines: 0,
    addressesTooLarge: 0,
    firstUnreadableLine: 0,
  };
}

export type TraceFormat = 'lackey' | 'ramulator';

export const TRACE_FORMATS: readonly TraceFormat[] = ['lackey', 'ramulator'];

export interface AccessParser {
  readonly format: TraceFormat;
  readonly counts: ParseCounts;
  /**
   * Parses whole lines of `bytes[start, end)`: `bytes[end - 1]` is a newline. Calls `flush` when
   * `batch` is full; the rest stays in it.
   */
  parse(bytes: Uint8Array, start: number, end: number, batch: TraceBatch, flush: () => void): void;
}

export interface ParserOptions {
  /** Lackey: count instruction fetches as accesses too. */
  readonly includeFetches: boolean;
}

export const NEWLINE = 10;
export const CARRIAGE_RETURN = 13;
export const SPACE = 32;
export const COMMA = 44;
export const DIGIT_0 = 48;
export const DIGIT_9 = 57;

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
