/**
 * Reads valgrind lackey traces (`valgrind --tool=lackey --trace-mem=yes PROGRAM`).
 *
 * Lines: `I  0401ab70,3` instruction fetch, ` L addr,size` load, ` S addr,size` store, ` M addr,size`
 * modify (one access, counted as a store); addresses hexadecimal without 0x. `==PID==` and `--PID--`
 * lines are valgrind's own words and are passed over. There are no times: the clock is the number of
 * I lines. Parsed from bytes without making strings, since a trace has some 10^7 lines per second
 * of a program.
 */
import {
  type AccessParser,
  CARRIAGE_RETURN,
  COMMA,
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
const DIGIT_0 = 48;
const DIGIT_9 = 57;
const TWO_53 = 2 ** 53;

export class LackeyParser implements AccessParser {
  readonly format = 'lackey';
  readonly counts = emptyCounts();
  readonly #includeFetches: boolean;

  constructor(options: ParserOptions) {
    this.#includeFetches = options.includeFetches;
  }

  parse(bytes: Uint8Array, start: number, end: number, batch: TraceBatch, flush: () => void): void {
    const { counts } = this;
    const hex = HEX_VALUE;
    const includeFetches = this.#includeFetches;
    let instructions = counts.instructions;
    let at = start;
    while (at < end) {
      counts.lines++;
      const first = bytes[at];
      const kind = first === LETTER_I ? LETTER_I : first === SPACE ? bytes[at + 1] : 0;
      let isAccess = kind === LETTER_L || kind === LETTER_S || kind === LETTER_M;
      if (kind === LETTER_I && bytes[at + 1] === SPACE && bytes[at + 2] === SPACE) {
        if (!includeFetches) {
          // Most lines are fetches: only their shape is checked.
          let q = at + 3;
          while (hex[bytes[q]] >= 0) q++;
          if (bytes[q] === COMMA && q > at + 3) instructions++;
          else noteUnreadable(counts);
          while (bytes[q] !== NEWLINE) q++;
          at = q + 1;
          continue;
        }
        isAccess = true;
      } else if (!isAccess || bytes[at + 2] !== SPACE) {
        if (!isPassedOver(bytes, at)) noteUnreadable(counts);
        while (bytes[at] !== NEWLINE) at++;
        at++;
        continue;
      }
      let q = at + 3;
      let address = 0;
      let digit = hex[bytes[q]];
      while (digit >= 0) {
        address = address * 16 + digit;
        digit = hex[bytes[++q]];
      }
      const sizeAt = q + 1;
      const isWellFormed = q > at + 3 && bytes[q] === COMMA && bytes[sizeAt] >= DIGIT_0 && bytes[sizeAt] <= DIGIT_9;
      while (bytes[q] !== NEWLINE) q++;
      at = q + 1;
      if (!isWellFormed) {
        noteUnreadable(counts);
        continue;
      }
      if (kind === LETTER_I) instructions++;
      if (address >= TWO_53) {
        counts.addressesTooLarge++;
        continue;
      }
      const i = batch.count;
      batch.address[i] = address;
      batch.isStore[i] = kind === LETTER_S || kind === LETTER_M ? 1 : 0;
      batch.instructions[i] = instructions;
      batch.count = i + 1;
      counts.accesses++;
      if (i + 1 === TRACE_BATCH) {
        counts.instructions = instructions;
        flush();
      }
    }
    counts.instructions = instructions;
  }
}

/** Empty lines and valgrind's own messages are no accesses, and no mistakes. */
function isPassedOver(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at];
  if (first === NEWLINE || (first === CARRIAGE_RETURN && bytes[at + 1] === NEWLINE)) return true;
  return (first === EQUALS && bytes[at + 1] === EQUALS) || (first === MINUS && bytes[at + 1] === MINUS);
}
