/** Hexadecimal numbers in bytes, without making strings. */
import { CARRIAGE_RETURN, HEX_VALUE, SPACE, TAB } from './access-parser.ts';

/**
 * The number in `bytes[start, end)`, hexadecimal without 0x; NaN if it is none. From 2^53 on it is not
 * exact, but still at least that.
 */
export function readHex(bytes: Uint8Array, start: number, end: number): number {
  if (end <= start || end - start > 16) return Number.NaN;
  let value = 0;
  for (let p = start; p < end; p++) {
    const digit = HEX_VALUE[bytes[p]];
    if (digit < 0) return Number.NaN;
    value = value * 16 + digit;
  }
  return value;
}

/** As {@link readHex}, with 0x before it. */
export function readPrefixedHex(bytes: Uint8Array, start: number, end: number): number {
  return bytes[start] === 48 && (bytes[start + 1] | 32) === 120 ? readHex(bytes, start + 2, end) : Number.NaN;
}

/** The last hexadecimal word of `bytes[start, end)`, a page size such as 4K behind it left out; NaN if there is none. */
export function readLastHex(bytes: Uint8Array, start: number, end: number): number {
  let wordEnd = end;
  for (let words = 0; words < 2; words++) {
    while (wordEnd > start && isBlank(bytes[wordEnd - 1])) wordEnd--;
    let wordStart = wordEnd;
    while (wordStart > start && !isBlank(bytes[wordStart - 1])) wordStart--;
    const value = readHex(bytes, wordStart, wordEnd);
    if (!Number.isNaN(value)) return value;
    wordEnd = wordStart;
  }
  return Number.NaN;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === CARRIAGE_RETURN;
}
