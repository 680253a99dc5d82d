/**
 * Some bits for every page of an address space. Kept by chunk where all pages of it are alike, which is
 * what makes a walk over hundreds of GiB cheap; a byte per page where they are not.
 */
import { PAGE_SIZE } from '../memory/range.ts';

const CHUNK_PAGES = 512;
const CHUNK_BYTES = CHUNK_PAGES * PAGE_SIZE;
const MIXED = -1;

export type FlagVisitor = (start: number, end: number, flags: number) => void;

export class PageFlags {
  readonly #pages: Uint8Array;
  /** Flags of all pages of a chunk, or MIXED. */
  readonly #chunks: Int16Array;

  /** @param endAddress one past the last address */
  constructor(endAddress: number) {
    this.#pages = new Uint8Array(Math.ceil(endAddress / PAGE_SIZE));
    this.#chunks = new Int16Array(Math.ceil(endAddress / CHUNK_BYTES));
  }

  get(address: number): number {
    const chunk = this.#chunks[Math.floor(address / CHUNK_BYTES)];
    return chunk === MIXED ? this.#pages[Math.floor(address / PAGE_SIZE)] : chunk;
  }

  /**
   * Gives every page of `[start, end)` the flags that `next` has for those it had, and visits runs of the
   * new ones.
   */
  transform(start: number, end: number, next: Uint8Array, visit: FlagVisitor): void {
    let [from, value] = [start, MIXED];
    this.#forEachPiece(start, end, (at, to, flags, chunk) => {
      const changed = next[flags];
      if (changed !== flags) this.#write(at, to, changed, chunk);
      if (changed === value) return;
      if (value !== MIXED) visit(from, at, value);
      [from, value] = [at, changed];
    });
    if (value !== MIXED) visit(from, end, value);
  }

  /** Visits `[start, end)` in runs of equal flags. */
  forEach(start: number, end: number, visit: FlagVisitor): void {
    let [from, value] = [start, MIXED];
    this.#forEachPiece(start, end, (at, _to, flags) => {
      if (flags === value) return;
      if (value !== MIXED) visit(from, at, value);
      [from, value] = [at, flags];
    });
    if (value !== MIXED) visit(from, end, value);
  }

  /** Runs inside chunks. */
  #forEachPiece(
    start: number,
    end: number,
    visit: (start: number, end: number, flags: number, chunk: number) => void,
  ): void {
    const pages = this.#pages;
    for (let at = start; at < end; ) {
      const chunk = Math.floor(at / CHUNK_BYTES);
      const chunkEnd = Math.min(end, (chunk + 1) * CHUNK_BYTES);
      const uniform = this.#chunks[chunk];
      if (uniform !== MIXED) {
        visit(at, chunkEnd, uniform, chunk);
        at = chunkEnd;
        continue;
      }
      const past = chunkEnd / PAGE_SIZE;
      for (let page = at / PAGE_SIZE; page < past; ) {
        const flags = pages[page];
        const first = page;
        while (page < past && pages[page] === flags) page++;
        visit(first * PAGE_SIZE, page * PAGE_SIZE, flags, chunk);
      }
      at = chunkEnd;
    }
  }

  #write(start: number, end: number, flags: number, chunk: number): void {
    const chunkStart = chunk * CHUNK_PAGES;
    const [first, past] = [start / PAGE_SIZE, end / PAGE_SIZE];
    if (past - first === Math.min(CHUNK_PAGES, this.#pages.length - chunkStart)) {
      this.#chunks[chunk] = flags;
      return;
    }
    if (this.#chunks[chunk] !== MIXED) {
      this.#pages.fill(this.#chunks[chunk], chunkStart, chunkStart + CHUNK_PAGES);
      this.#chunks[chunk] = MIXED;
    }
    this.#pages.fill(flags, first, past);
    const lastPage = Math.min(chunkStart + CHUNK_PAGES, this.#pages.length);
    for (let page = chunkStart; page < lastPage; page++) if (this.#pages[page] !== flags) return;
    this.#chunks[chunk] = flags;
  }
}
