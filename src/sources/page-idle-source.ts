/**
 * The page_idle bitmap with pagemap: the one source that answers about single pages of our choice. No
 * kernel of the large distributions has it.
 *
 * Setting a page's bit takes its Accessed bits away; a bit that is clear later was accessed. Bits of pages
 * that cannot be marked (not on an LRU list) stay clear and would look accessed, so what does not stay set
 * at once is not asked about. Of a huge page only the first has a bit, which speaks for all of it.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { AccessSource } from '../machines/linux/access-source.ts';
import type { SystemTree } from '../machines/linux/system-tree.ts';
import { ThermoError } from '../memory/error.ts';
import { PAGE_SIZE } from '../memory/range.ts';

export const BITMAP = '/sys/kernel/mm/page_idle/bitmap';
const ENTRY_BYTES = 8;
const PAGES_PER_WORD = 64;
/** Bits of a pagemap entry: page frame number, and whether the page is present. */
const FRAME_MASK = (1n << 55n) - 1n;
const PRESENT = 1n << 63n;
const NO_FRAME = -1;
/** KPF_COMPOUND_TAIL and KPF_THP of /proc/kpageflags; pages of a transparent huge page. */
const TAIL_OF_HUGE = (1n << 16n) | (1n << 22n);
const HUGE_PAGES = 512;

export interface PageIdleOptions {
  readonly tree: SystemTree;
  readonly pid: number;
}

export class PageIdleSource implements AccessSource {
  readonly name = 'page_idle';
  readonly kind = 'pages';
  readonly cost = 'five short reads and writes for each page that is checked, by this process';
  readonly blindSpots = [
    'pages that are on no LRU list (fresh ones): they are left out, and count as not accessed',
    'a translation that stays in the TLB hides accesses',
    'it clears the Accessed bits that reclaim relies on, though the kernel remembers them for it',
  ];
  readonly #options: PageIdleOptions;
  readonly #word = Buffer.alloc(ENTRY_BYTES);
  #bitmap = -1;
  #pagemap = -1;
  #flags = -1;
  /** Frame of each page of the last plan; NO_FRAME where it cannot be checked. */
  #frames = new Float64Array(64);
  #count = 0;
  #asked = 0;
  #leftOut = 0;

  constructor(options: PageIdleOptions) {
    this.#options = options;
  }

  start(): void {
    const { tree, pid } = this.#options;
    if (!tree.exists(BITMAP)) {
      throw new ThermoError('THERMO_MACHINE_CONFIG', `this kernel has no ${BITMAP}`, {
        hint: 'it was built without CONFIG_IDLE_PAGE_TRACKING; choose another --source',
      });
    }
    try {
      this.#bitmap = openSync(tree.path(BITMAP), 'r+');
      this.#pagemap = openSync(tree.path(`/proc/${pid}/pagemap`), 'r');
      this.#flags = openSync(tree.path('/proc/kpageflags'), 'r');
    } catch (error) {
      this.stop();
      throw new ThermoError('THERMO_MACHINE_CONFIG', 'page_idle, pagemap and kpageflags cannot be opened', {
        hint: 'run as root',
        cause: error,
      });
    }
  }

  poll(): void {}

  prepare(addresses: Float64Array, count: number): void {
    if (this.#frames.length < count) this.#frames = new Float64Array(2 * count);
    for (let i = 0; i < count; i++) {
      const frame = this.#frameOf(addresses[i]);
      const canAsk = frame !== NO_FRAME && this.#mark(frame);
      this.#frames[i] = canAsk ? frame : NO_FRAME;
      if (canAsk) this.#asked++;
      else this.#leftOut++;
    }
    this.#count = count;
  }

  read(hits: Uint8Array): void {
    for (let i = 0; i < this.#count; i++) {
      const frame = this.#frames[i];
      hits[i] = frame !== NO_FRAME && !this.#isIdle(frame) ? 1 : 0;
    }
  }

  #frameOf(address: number): number {
    const at = Math.floor(address / PAGE_SIZE) * ENTRY_BYTES;
    if (readSync(this.#pagemap, this.#word, 0, ENTRY_BYTES, at) < ENTRY_BYTES) return NO_FRAME;
    const entry = this.#word.readBigUInt64LE();
    const frame = Number(entry & FRAME_MASK);
    return (entry & PRESENT) === 0n || frame === 0 ? NO_FRAME : this.#headOf(frame);
  }

  #headOf(frame: number): number {
    const got = readSync(this.#flags, this.#word, 0, ENTRY_BYTES, frame * ENTRY_BYTES);
    const flags = got < ENTRY_BYTES ? 0n : this.#word.readBigUInt64LE();
    return (flags & TAIL_OF_HUGE) === TAIL_OF_HUGE ? frame - (frame % HUGE_PAGES) : frame;
  }

  /** True if the page can be marked: whether its bit stays. */
  #mark(frame: number): boolean {
    this.#word.writeBigUInt64LE(1n << BigInt(frame % PAGES_PER_WORD));
    writeSync(this.#bitmap, this.#word, 0, ENTRY_BYTES, positionOf(frame));
    return this.#isIdle(frame);
  }

  #isIdle(frame: number): boolean {
    readSync(this.#bitmap, this.#word, 0, ENTRY_BYTES, positionOf(frame));
    return ((this.#word.readBigUInt64LE() >> BigInt(frame % PAGES_PER_WORD)) & 1n) === 1n;
  }

  stop(): void {
    for (const file of [this.#bitmap, this.#pagemap, this.#flags]) if (file >= 0) closeSync(file);
    this.#bitmap = -1;
    this.#pagemap = -1;
    this.#flags = -1;
  }

  facts(): Readonly<Record<string, number | string>> {
    return { asked: this.#asked, leftOut: this.#leftOut };
  }
}

/** Of the word of 64 pages; a Number, since writeSync ignores a BigInt without a word. */
function positionOf(frame: number): number {
  return Math.floor(frame / PAGES_PER_WORD) * ENTRY_BYTES;
}
