/**
 * Reads DynamoRIO memory traces (drmemtrace): records of 12 bytes, little-endian, `u16 type, u16 size, u64
 * address`, in the members `chunk.*` of a zip or as they are. Reads and writes are accesses; the clock is
 * the number of instructions, as in lackey's text (the markers with times are too sparse to be one).
 */
import { ADDRESS_LIMIT } from '../memory/range.ts';
import {
  type AccessParser,
  emptyCounts,
  noteUnreadable,
  type ParserOptions,
  TRACE_BATCH,
  type TraceBatch,
} from './access-parser.ts';

export const DRMEMTRACE_RECORD_BYTES = 12;

/** Of trace_type_t (clients/drcachesim/common/trace_entry.h). */
const TYPE_READ = 0;
const TYPE_WRITE = 1;
const TYPE_INSTR_FIRST = 10;
const TYPE_INSTR_LAST = 16;
const TYPE_PID = 24;
/** Types are small numbers; a large one means that this is something else. */
const TYPE_LIMIT = 64;

export class DrmemtraceParser implements AccessParser {
  readonly format = 'drmemtrace';
  readonly clock = 'instructions';
  readonly startUs = Number.NaN;
  readonly period = 1;
  readonly counts = emptyCounts();
  readonly #includeFetches: boolean;
  readonly #wantedPid: number;
  #pid = -1;

  constructor(options: Pick<ParserOptions, 'includeFetches' | 'pid'>) {
    this.#includeFetches = options.includeFetches;
    this.#wantedPid = options.pid ?? -1;
  }

  /** Records are counted as lines. */
  parse(bytes: Uint8Array, start: number, end: number, batch: TraceBatch, flush: () => void): void {
    const { counts } = this;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = start; at < end; at += DRMEMTRACE_RECORD_BYTES) {
      counts.lines++;
      const type = view.getUint16(at, true);
      let isStore = 0;
      if (type === TYPE_WRITE) isStore = 1;
      else if (type !== TYPE_READ) {
        const isFetch = type >= TYPE_INSTR_FIRST && type <= TYPE_INSTR_LAST;
        if (isFetch) counts.ticks++;
        else if (type === TYPE_PID) this.#pid = view.getUint32(at + 4, true);
        else if (type >= TYPE_LIMIT) noteUnreadable(counts, counts.lines);
        if (!isFetch || !this.#includeFetches) continue;
      }
      if (this.#wantedPid >= 0 && this.#pid !== this.#wantedPid) continue;
      const address = view.getUint32(at + 4, true) + view.getUint32(at + 8, true) * 2 ** 32;
      if (address >= ADDRESS_LIMIT) {
        counts.addressesTooLarge++;
        continue;
      }
      const i = batch.count;
      batch.address[i] = address;
      batch.isStore[i] = isStore;
      batch.ticks[i] = counts.ticks;
      batch.pid[i] = this.#pid;
      batch.count = i + 1;
      counts.accesses++;
      if (i + 1 === TRACE_BATCH) flush();
    }
  }
}
