/**
 * A trace in binary form, in memory or a temporary file, so that a trace is parsed once (also from a pipe) and
 * its footprint is known before it is replayed. About a tenth of lackey text, 8 bytes a record:
 *
 *     u32 page id, u32 = ticks since the record before (18 bits) | loads (7) | stores (7)
 *
 * Accesses to one page in a row share a record. A longer pause has a record of its own: page id
 * 0xffffffff, then the ticks. The first {@link MEMORY_CHUNKS} MiB stay in memory; the file that
 * takes the rest is unlinked while open: nothing is left behind, whatever happens to the process.
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
/** A record stands for at most this many ticks, so that times stay exact enough. */
const MAX_SPAN = 256;
export const SPOOL_CHUNK_WORDS = 1 << 18;
/** Chunks of 1 MiB kept in memory: 8 million records. */
const MEMORY_CHUNKS = 64;

export class TraceSpool {
  readonly pages = new PageTable();
  /** Loads and stores. */
  accesses = 0;
  /** Tick of the last access. */
  ticks = 0;
  readonly #directory: string;
  readonly #chunks: Uint32Array[] = [];
  #fd = -1;
  #buffer = new Uint32Array(SPOOL_CHUNK_WORDS);
  #used = 0;
  readonly #recentPage = new Float64Array(1024).fill(-1);
  readonly #recentId = new Int32Array(1024);
  #page = -1;
  #id = -1;
  #loads = 0;
  #stores = 0;
  #recordAt = 0;
  #lastAt = 0;

  /** @param directory where the temporary file goes if one is needed */
  constructor(directory: string = tmpdir()) {
    this.#directory = directory;
  }

  append(batch: TraceBatch): void {
    const { address, ticks, isStore, count } = batch;
    let loads = this.#loads;
    let stores = this.#stores;
    let current = this.#page;
    let recordAt = this.#recordAt;
    let lastAt = this.ticks;
    for (let i = 0; i < count; i++) {
      const page = Math.floor(address[i] / PAGE_SIZE);
      // Whole ticks, and never back: samples of several CPUs may come out of order.
      const at = Math.max(lastAt, Math.floor(ticks[i]));
      lastAt = at;
      if (page !== current || loads === MAX_EACH || stores === MAX_EACH || at - recordAt > MAX_SPAN) {
        this.#endRecord(recordAt, loads, stores);
        if (page !== current) this.#id = this.#idOf(page);
        current = page;
        recordAt = at;
        loads = 0;
        stores = 0;
      }
      if (isStore[i] === 1) stores++;
      else loads++;
    }
    this.#loads = loads;
    this.#stores = stores;
    this.#page = current;
    this.#recordAt = recordAt;
    this.accesses += count;
    this.ticks = lastAt;
  }

  /** The id of a page; the last page of each of 1,024 classes is remembered, which answers most calls. */
  #idOf(page: number): number {
    const line = page & 1023;
    if (this.#recentPage[line] === page) return this.#recentId[line];
    const id = this.pages.add(page);
    this.#recentPage[line] = page;
    this.#recentId[line] = id;
    return id;
  }

  /** Ends writing; to be called once before reading. */
  finish(): void {
    this.#endRecord(this.#recordAt, this.#loads, this.#stores);
    this.#loads = 0;
    this.#stores = 0;
    this.#flush();
  }

  /**
   * The records of chunk `index` (0, 1, ...), two words each; empty after the last.
   * @param buffer makes room for a chunk that lies in the file; it holds the chunk until it is used again
   */
  chunk(index: number, buffer: () => Uint32Array): Uint32Array {
    if (index < this.#chunks.length) return this.#chunks[index];
    if (this.#fd < 0) return new Uint32Array(0);
    const into = buffer();
    const position = (index - this.#chunks.length) * into.byteLength;
    const bytes = readSync(this.#fd, into, 0, into.byteLength, position);
    return into.subarray(0, bytes / 4);
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #endRecord(at: number, loads: number, stores: number): void {
    if (loads + stores === 0) return;
    let step = at - this.#lastAt;
    while (step > MAX_STEP) {
      const pause = Math.min(step - MAX_STEP, PAUSE_ID);
      this.#put(PAUSE_ID, pause);
      step -= pause;
    }
    this.#put(this.#id, step | (loads << 18) | (stores << 25));
    this.#lastAt = at;
  }

  #put(first: number, second: number): void {
    this.#buffer[this.#used] = first;
    this.#buffer[this.#used + 1] = second;
    this.#used += 2;
    if (this.#used === SPOOL_CHUNK_WORDS) this.#flush();
  }

  #flush(): void {
    if (this.#used === 0) return;
    if (this.#chunks.length < MEMORY_CHUNKS) {
      this.#chunks.push(this.#buffer.subarray(0, this.#used));
      this.#buffer = new Uint32Array(SPOOL_CHUNK_WORDS);
      this.#used = 0;
      return;
    }
    const bytes = Buffer.from(this.#buffer.buffer, 0, this.#used * 4);
    try {
      if (this.#fd < 0) this.#fd = openUnlinked(this.#directory);
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done);
    } catch (error) {
      throw new ThermoError(
        'THERMO_FILE_UNWRITABLE',
        `cannot write a temporary file in ${this.#directory}: ${(error as Error).message}`,
        {
          hint: 'set TMPDIR to a directory with room for about a tenth of the trace',
        },
      );
    }
    this.#used = 0;
  }
}

/** A file that has no name any more. */
function openUnlinked(directory: string): number {
  const folder = mkdtempSync(join(directory, 'thermocline-'));
  const path = join(folder, 'spool');
  try {
    const fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    return fd;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
