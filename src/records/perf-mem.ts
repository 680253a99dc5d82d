/**
 * Reads `perf mem report -D -x,`: one sample a line, no times, no CPUs:
 *
 *     # PID, TID, IP, ADDR, [PHYS ADDR, ][DATA PAGE SIZE, ]LOCAL WEIGHT, DSRC, SYMBOL
 *
 * Any separator will do. Without `-x` some versions print the address with a literal 016 behind its 0x, which
 * is taken off. The clock is the place in the file.
 */
import { ADDRESS_LIMIT } from '../memory/range.ts';
import {
  type AccessParser,
  type AddressKind,
  addAccess,
  DIGIT_0,
  DIGIT_9,
  emptyCounts,
  NEWLINE,
  noteUnreadable,
  type ParserOptions,
  SPACE,
  TAB,
  TRACE_BATCH,
  type TraceBatch,
} from './access-parser.ts';
import { readHex, readPrefixedHex } from './hex.ts';
import { OP_STORE } from './perf-script.ts';

const HASH = 35;
const ADDRESS_COLUMN = 3;
/** Columns from the address on that can come before the symbol. */
const MAX_COLUMNS = 8;

export class PerfMemParser implements AccessParser {
  readonly format = 'perf-mem';
  readonly clock = 'order';
  readonly startUs = Number.NaN;
  readonly period = Number.NaN;
  readonly counts = emptyCounts();
  readonly #pid: number;
  readonly #wanted: AddressKind | undefined;

  constructor(options: Pick<ParserOptions, 'address' | 'pid'> = {}) {
    this.#pid = options.pid ?? -1;
    this.#wanted = options.address;
  }

  parse(bytes: Uint8Array, start: number, end: number, batch: TraceBatch, flush: () => void): void {
    const { counts } = this;
    const from = new Int32Array(MAX_COLUMNS);
    const to = new Int32Array(MAX_COLUMNS);
    for (let at = start; at < end; ) {
      counts.lines++;
      const lineEnd = bytes.indexOf(NEWLINE, at);
      const columns = splitColumns(bytes, at, lineEnd, from, to);
      if (columns > 0 && bytes[from[0]] !== HASH) this.#line(bytes, columns, from, to, batch);
      if (batch.count === TRACE_BATCH) flush();
      at = lineEnd + 1;
    }
  }

  #line(bytes: Uint8Array, columns: number, from: Int32Array, to: Int32Array, batch: TraceBatch): void {
    const { counts } = this;
    const pid = readDecimal(bytes, from[0], to[0]);
    const virtual =
      columns > ADDRESS_COLUMN ? readAddress(bytes, from[ADDRESS_COLUMN], to[ADDRESS_COLUMN]) : Number.NaN;
    // Behind the address: another one where it is the physical one, a page size, the weight, then the source.
    let physical = 0;
    let source = Number.NaN;
    for (let i = ADDRESS_COLUMN + 1; i < columns; i++) {
      const value = readPrefixedHex(bytes, from[i], to[i]);
      if (Number.isNaN(value)) continue;
      if (i === ADDRESS_COLUMN + 1 && columns > i + 2) physical = value;
      else {
        source = value;
        break;
      }
    }
    if (Number.isNaN(pid) || Number.isNaN(virtual) || Number.isNaN(source)) {
      noteUnreadable(counts, counts.lines);
      return;
    }
    if (this.#pid >= 0 && pid !== this.#pid) return;
    const usesPhysical = this.#wanted === 'physical' || (this.#wanted === undefined && physical > 0);
    const address = usesPhysical ? physical : virtual;
    if (address === 0) counts.noAddress++;
    else if (address >= ADDRESS_LIMIT) counts.addressesTooLarge++;
    else {
      addAccess(batch, address, source % 32 === OP_STORE ? 1 : 0, counts.accesses, pid, -1);
      counts.ticks = counts.accesses++;
    }
  }
}

/** Fields up to the symbol, parted by commas, semicolons, bars or blanks; returns how many. */
function splitColumns(bytes: Uint8Array, at: number, end: number, from: Int32Array, to: Int32Array): number {
  let count = 0;
  for (let p = at; p < end && count < MAX_COLUMNS; ) {
    while (p < end && isSeparator(bytes[p])) p++;
    if (p === end) break;
    from[count] = p;
    while (p < end && !isSeparator(bytes[p])) p++;
    to[count++] = p;
  }
  return count;
}

function isSeparator(byte: number): boolean {
  return byte === 44 || byte === 59 || byte === 124 || byte === SPACE || byte === TAB || byte === 13;
}

function readDecimal(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let p = start; p < end; p++) {
    if (bytes[p] < DIGIT_0 || bytes[p] > DIGIT_9) return Number.NaN;
    value = value * 10 + bytes[p] - DIGIT_0;
  }
  return end > start ? value : Number.NaN;
}

/** `0x5641...`, or `0x0165641...` as a format slip of perf prints it. */
function readAddress(bytes: Uint8Array, start: number, end: number): number {
  const isSlip =
    end - start > 6 && bytes[start + 2] === DIGIT_0 && bytes[start + 3] === 49 && bytes[start + 4] === 54;
  return isSlip ? readHex(bytes, start + 5, end) : readPrefixedHex(bytes, start, end);
}
