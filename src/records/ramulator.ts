/**
 * Reads ramulator CPU traces: `<non-memory instructions before> <read address> [<write address>]`, all
 * decimal. The accesses are misses of the last-level cache; the write is a line written back. There
 * are no times: the clock is the number of instructions, the read itself being one.
 */
import { ADDRESS_LIMIT } from '../memory/range.ts';
import {
  type AccessParser,
  CARRIAGE_RETURN,
  DIGIT_0,
  DIGIT_9,
  emptyCounts,
  NEWLINE,
  noteUnreadable,
  SPACE,
  TAB,
  TRACE_BATCH,
  type TraceBatch,
} from './access-parser.ts';

export class RamulatorParser implements AccessParser {
  readonly format = 'ramulator';
  readonly clock = 'instructions';
  readonly startUs = Number.NaN;
  readonly period = 1;
  readonly counts = emptyCounts();

  parse(bytes: Uint8Array, start: number, end: number, batch: TraceBatch, flush: () => void): void {
    const { counts } = this;
    const fields = new Float64Array(3);
    let at = start;
    while (at < end) {
      counts.lines++;
      let count = 0;
      let isWellFormed = true;
      while (bytes[at] !== NEWLINE) {
        const byte = bytes[at];
        if (byte === SPACE || byte === TAB || byte === CARRIAGE_RETURN) {
          at++;
          continue;
        }
        let value = 0;
        const from = at;
        while (bytes[at] >= DIGIT_0 && bytes[at] <= DIGIT_9) value = value * 10 + (bytes[at++] - DIGIT_0);
        if (at === from || count === 3) {
          isWellFormed = false;
          while (bytes[at] !== NEWLINE) at++;
          break;
        }
        fields[count++] = value;
      }
      at++;
      if (count === 0 && isWellFormed) continue;
      if (!isWellFormed || count < 2) {
        noteUnreadable(counts, counts.lines);
        continue;
      }
      counts.ticks += fields[0] + 1;
      this.#put(fields[1], 0, batch, flush);
      if (count === 3) this.#put(fields[2], 1, batch, flush);
    }
  }

  #put(address: number, isStore: number, batch: TraceBatch, flush: () => void): void {
    if (address >= ADDRESS_LIMIT) {
      this.counts.addressesTooLarge++;
      return;
    }
    const i = batch.count;
    batch.address[i] = address;
    batch.isStore[i] = isStore;
    batch.ticks[i] = this.counts.ticks;
    batch.count = i + 1;
    this.counts.accesses++;
    if (i + 1 === TRACE_BATCH) flush();
  }
}
