/**
 * Reads valgrind lackey traces (`valgrind --tool=lackey --trace-mem=yes PROGRAM`).
 *
 * Lines: `I  0401ab70,3` instruction fetch, ` L addr,size` load, ` S addr,size` store, ` M addr,size`
 * modify (one access, counted as a store); addresses hexadecimal without 0x. `==PID==` and `--PID--`
 * lines are valgrind's own words and are passed over. There are no times: the clock is the number of
 * I lines. Parsed from bytes without making strings, since a trace has some 10^7 lines per second
 * of a program.
 */
import { ADDRESS_LIMIT } from '../memory/range.ts';
import {
  type AccessParser,
  CARRIAGE_RETURN,
  COMMA,
  DIGIT_0,
  DIGIT_9,
  emptyCounts,
  HEX_VALUE,
  NEWLINE,
  noteUnreadable,
  type ParserOptions,
  SPACE,
  TRACE_BATCH,
  type TraceBatch,
} from './access-parser.ts';

const LETTER_I = 73;
const LETTER_L = 76;
const LETTER_M = 77;
const LETTER_S = 83;
const EQUALS = 61;
const MINUS = 45;

export class LackeyParser implements AccessParser {
  readonly format = 'lackey';
  readonly clock = 'instructions';
  readonly startUs = Number.NaN;
  readonly period = 1;
  readonly counts = emptyCounts();
  readonly #includeFetches: boolean;

  constructor(options: ParserOptions) {
    this.#includeFetches = options.includeFetches;
  }

  /** Hot loop: some 40 M lines/s. Counters are locals, addresses are built from two small integers. */
  parse(bytes: Uint8Array, start: number, end: number, batch: TraceBatch, flush: () => void): void {
    const { counts } = this;
    const hex = HEX_VALUE;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const skipFetches = !this.#includeFetches;
    const { address: addresses, isStore, ticks: times } = batch;
    let { ticks: instructions, lines } = counts;
    let filled = batch.count;
    let counted = filled;
    let at = start;
    while (at < end) {
      lines++;
      const first = bytes[at];
      if (
        first === LETTER_I &&
        skipFetches &&
        bytes[at + 11] === COMMA &&
        bytes[at + 13] === NEWLINE &&
        bytes[at + 2] === SPACE &&
        areHex8(view, at + 3)
      ) {
        // Most lines are fetches of an address of 8 digits.
        instructions++;
        at += 14;
        continue;
      }
      const kind = first === LETTER_I ? LETTER_I : first === SPACE ? bytes[at + 1] : 0;
      const isKnown =
        kind === LETTER_I
          ? bytes[at + 1] === SPACE && bytes[at + 2] === SPACE
          : (kind === LETTER_L || kind === LETTER_S || kind === LETTER_M) && bytes[at + 2] === SPACE;
      if (!isKnown) {
        if (!isPassedOver(bytes, at)) noteUnreadable(counts, lines);
        at = bytes.indexOf(NEWLINE, at) + 1;
        continue;
      }
      const digits = at + 3;
      let q = digits;
      let high = 0;
      let digit: number;
      if (at + 11 < end && areHex8(view, digits)) {
        // Addresses have at least 8 digits, as valgrind prints them: 7 make a small integer.
        high =
          (hex[bytes[q]] << 24) |
          (hex[bytes[q + 1]] << 20) |
          (hex[bytes[q + 2]] << 16) |
          (hex[bytes[q + 3]] << 12) |
          (hex[bytes[q + 4]] << 8) |
          (hex[bytes[q + 5]] << 4) |
          hex[bytes[q + 6]];
        q += 7;
        digit = hex[bytes[q]];
      } else {
        digit = hex[bytes[q]];
        while (digit >= 0 && q < digits + 7) {
          high = (high << 4) | digit;
          digit = hex[bytes[++q]];
        }
      }
      let low = 0;
      let scale = 1;
      while (digit >= 0 && q < digits + 14) {
        low = (low << 4) | digit;
        scale *= 16;
        digit = hex[bytes[++q]];
      }
      const isTooLong = digit >= 0;
      while (hex[bytes[q]] >= 0) q++;
      const sizeDigit = bytes[q + 1];
      const isWellFormed = q > digits && bytes[q] === COMMA && sizeDigit >= DIGIT_0 && sizeDigit <= DIGIT_9;
      while (bytes[q] !== NEWLINE) q++;
      at = q + 1;
      if (!isWellFormed) {
        noteUnreadable(counts, lines);
        continue;
      }
      if (kind === LETTER_I) {
        instructions++;
        if (skipFetches) continue;
      }
      const address = high * scale + low;
      if (isTooLong || address >= ADDRESS_LIMIT) {
        counts.addressesTooLarge++;
        continue;
      }
      addresses[filled] = address;
      isStore[filled] = kind === LETTER_S || kind === LETTER_M ? 1 : 0;
      times[filled] = instructions;
      filled++;
      if (filled === TRACE_BATCH) {
        batch.count = filled;
        counts.accesses += filled - counted;
        flush();
        filled = 0;
        counted = 0;
      }
    }
    counts.accesses += filled - counted;
    batch.count = filled;
    counts.ticks = instructions;
    counts.lines = lines;
  }
}

/** True if the 8 bytes from `at` are digits or letters a to f, tested four at a time. */
function areHex8(view: DataView, at: number): boolean {
  return areHex4(view.getInt32(at)) && areHex4(view.getInt32(at + 4));
}

/**
 * True if each byte of `word` is one of 0-9 a-f. Adding a constant to every byte sets its top bit where
 * the byte reaches a limit; bytes are below 128, so nothing carries over.
 */
function areHex4(word: number): boolean {
  const atLeast0 = word + 0x50505050;
  const above9 = word + 0x46464646;
  const atLeastA = word + 0x1f1f1f1f;
  const aboveF = word + 0x19191919;
  return (~word & atLeast0 & (~above9 | atLeastA) & ~aboveF & TOP_BITS) === TOP_BITS;
}

/** The top bit of each of four bytes, as a signed 32-bit integer. */
const TOP_BITS = 0x80808080 | 0;

/** Empty lines and valgrind's own messages are no accesses, and no mistakes. */
function isPassedOver(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at];
  if (first === NEWLINE || (first === CARRIAGE_RETURN && bytes[at + 1] === NEWLINE)) return true;
  return (first === EQUALS && bytes[at + 1] === EQUALS) || (first === MINUS && bytes[at + 1] === MINUS);
}
