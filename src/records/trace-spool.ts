/**
 * A temporary file with a trace in binary form, so that a trace is parsed once (also from a pipe) and
 * its footprint is known before it is replayed. About a tenth of lackey text, 8 bytes a record:
 *
 *     u32 page id, u32 = instructions since the record before (18 bits) | loads (7) | stores (7)
 *
 * Accesses to one page in a row share a record. A longer pause has a record of its own: page id
 * 0xffffffff, then the instructions. The file is unlinked while open: nothing is left behind, whatever
 * happens to the process.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ThermoError } from '../memory/error.ts';
import { PageTable } from '../memory/page-table.ts';
import { PAGE_SIZE } from '../memory/range.ts';
import type { TraceBatch } from './access-parser.ts';

export const PAUSE_ID = 0xffffffff;
export const MAX_STEP = (1 << 18) - 1;
const MAX_EACH = 127;
/** A record stands for at most this many instructions, so that times stay exact enough. */
const MAX_SPAN = 256;
const BUFFER_WORDS = 1 << 18;

export class TraceSpool {
  readonly pages = new PageTable();
  /** Loads and stores. */
  accesses = 0;
  /** Instruction count of the last access. */
  instructions = 0;
  readonly #fd: number;
  readonly #buffer = new Uint32Array(BUFFER_WORDS);
  #used = 0;
  #bytes = 0;
  #page = -1;
  #id = -1;
  #loads = 0;
  #stores = 0;
  #recordAt = 0;
  #lastAt = 0;

  constructor(directory: string = tmpdir()) {
    try {
      const folder = mkdtempSync(join(directory, 'thermocline-'));
      const path = join(folder, 'spool');
      this.#fd = openSync(path, 'wx+', 0o600);
      unlinkSync(path);
      rmSync(folder, { recursive: true, force: true });
    } catch (error) {
      throw new ThermoError('THERMO_FILE_UNWRITABLE', `cannot write a temporary file in ${directory}: ${(error as Error).message}`, {
        hint: 'set TMPDIR to a directory with room for about a tenth of the trace',
      });
    }
  }

  append(batch: TraceBatch): void {
    for (let i = 0; i < batch.count; i++) {
      const page = Math.floor(batch.address[i] / PAGE_SIZE);
      const at = batch.instructions[i];
      const isFull = this.#loads === MAX_EACH || this.#stores === MAX_EACH || at - this.#recordAt > MAX_SPAN;
      if (page !== this.#page || isFull) {
        this.#endRecord();
        this.#id = page === this.#page ? this.#id : this.pages.add(page);
        this.#page = page;
        this.#recordAt = at;
      }
      if (batch.isStore[i] === 1) this.#stores++;
      else this.#loads++;
      this.instructions = at;
    }
    this.accesses += batch.count;
  }

  /** Ends writing; to be called once before reading. */
  finish(): void {
    this.#endRecord();
    this.#flush();
  }

  /** Reads from the start; fills `words` and returns how many are valid (even), 0 at the end. */
  read(words: Uint32Array, position: number): number {
    const bytes = readSync(this.#fd, words, 0, words.byteLength, position);
    return bytes / 4;
  }

  get bytes(): number {
    return this.#bytes;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #endRecord(): void {
    if (this.#loads + this.#stores === 0) return;
    let step = this.#recordAt - this.#lastAt;
    while (step > MAX_STEP) {
      const pause = Math.min(step - MAX_STEP, PAUSE_ID);
      this.#put(PAUSE_ID, pause);
      step -= pause;
    }
    this.#put(this.#id, step | (this.#loads << 18) | (this.#stores << 25));
    this.#lastAt = this.#recordAt;
    this.#loads = 0;
    this.#stores = 0;
  }

  #put(first: number, second: number): void {
    this.#buffer[this.#used] = first;
    this.#buffer[this.#used + 1] = second;
    this.#used += 2;
    if (this.#used === BUFFER_WORDS) this.#flush();
  }

  #flush(): void {
    const bytes = Buffer.from(this.#buffer.buffer, 0, this.#used * 4);
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done);
    } catch (error) {
      throw new ThermoError('THERMO_FILE_UNWRITABLE', `cannot write the temporary file: ${(error as Error).message}`, {
        hint: 'set TMPDIR to a directory with more room',
      });
    }
    this.#bytes += bytes.length;
    this.#used = 0;
  }
}
