/**
 * On which node the pages of a process are: asked of the kernel (move_pages without targets) when somebody
 * looks, and remembered for a short while, since others move pages too.
 *
 * Only what is mapped is asked: an address space is mostly gaps. Small processes are asked page by page the
 * first time; of large ones each 2 MiB block is asked at a few pages, and wholly where these differ: 45 ns a
 * page would be a second for 90 GiB. Later a few pages of each block are asked again, others each time, and
 * the whole block if one of them has moved.
 */
import { NO_VALUE, PageRuns, type RunVisitor } from '../../memory/page-runs.ts';
import { type AddressRange, alignRanges, PAGE_SIZE, roundDown, totalBytes } from '../../memory/range.ts';
import { AddressList } from './native/page-calls.ts';

/** The part of the page calls that is needed here. */
export interface NodeQuery {
  query(pid: number, addresses: Uint32Array, count: number, status: Int32Array): { readonly error: string };
}

const BLOCK = 2 << 20;
const BLOCK_PAGES = BLOCK / PAGE_SIZE;
const PROBES = 8;
/** Blocks of mapped memory up to which every page is asked. */
const EXACT_BLOCKS = 256;
/** How long an answer holds. */
const FRESH_US = 2e6;
/** What `status` holds for pages that could not be asked. */
const UNKNOWN = -1;

export class PageNodes {
  readonly #pid: number;
  readonly #calls: NodeQuery;
  readonly #mapped: () => readonly AddressRange[];
  readonly #nowUs: () => number;
  readonly #nodes = new PageRuns();
  /** By number of the block: when it was asked. */
  readonly #askedUs = new Map<number, number>();
  readonly #addresses = new AddressList(BLOCK_PAGES);
  readonly #status = new Int32Array(BLOCK_PAGES);
  #phase = 0;
  #blocks: readonly AddressRange[] = [];
  #mappedUs = Number.NEGATIVE_INFINITY;

  /** @param mapped what may hold pages, in address order */
  constructor(pid: number, calls: NodeQuery, mapped: () => readonly AddressRange[], nowUs: () => number) {
    this.#pid = pid;
    this.#calls = calls;
    this.#mapped = mapped;
    this.#nowUs = nowUs;
  }

  /** Visits runs of pages on one node; pages that are not there have NO_VALUE. */
  forEach(start: number, end: number, visit: RunVisitor): void {
    const now = this.#nowUs();
    if (now - this.#mappedUs >= FRESH_US) {
      this.#blocks = alignRanges(this.#mapped(), BLOCK);
      this.#mappedUs = now;
    }
    const isExact = totalBytes(this.#blocks) <= EXACT_BLOCKS * BLOCK;
    for (const range of this.#blocks) {
      const past = Math.min(range.end, end);
      for (let block = Math.max(range.start, roundDown(start, BLOCK)); block < past; block += BLOCK) {
        if (now - (this.#askedUs.get(block) ?? Number.NEGATIVE_INFINITY) < FRESH_US) continue;
        const isKnown = this.#askedUs.has(block);
        if (isKnown ? !this.#holds(block) : isExact || !this.#isUniform(block)) this.#ask(block);
        this.#askedUs.set(block, now);
      }
    }
    this.#nodes.forEach(start, end, visit);
  }

  /** What is known for certain, since it was just moved. */
  set(start: number, end: number, nid: number): void {
    this.#nodes.set(start, end, nid);
  }

  /** Asks a few pages; true if all are where they were. */
  #holds(block: number): boolean {
    const step = BLOCK_PAGES / PROBES;
    this.#phase = (this.#phase + 1) % step;
    const first = block + this.#phase * PAGE_SIZE;
    const count = this.#query(first, step);
    for (let i = 0; i < count; i++) {
      if (this.#nodes.get(first + i * step * PAGE_SIZE) !== nodeOrNone(this.#status[i])) return false;
    }
    return true;
  }

  /** Asks a few pages; true if they agree, so that the block was taken for uniform. */
  #isUniform(block: number): boolean {
    const count = this.#query(block, BLOCK_PAGES / PROBES);
    const first = this.#status[0];
    for (let i = 1; i < count; i++) if (this.#status[i] !== first) return false;
    this.#nodes.set(block, block + BLOCK, nodeOrNone(first));
    return true;
  }

  #ask(block: number): void {
    const count = this.#query(block, 1);
    for (let i = 0; i < count; ) {
      let next = i + 1;
      while (next < count && this.#status[next] === this.#status[i]) next++;
      this.#nodes.set(block + i * PAGE_SIZE, block + next * PAGE_SIZE, nodeOrNone(this.#status[i]));
      i = next;
    }
  }

  #query(first: number, step: number): number {
    const count = BLOCK_PAGES / step;
    for (let i = 0; i < count; i++) this.#addresses.set(i, first + i * step * PAGE_SIZE);
    const { error } = this.#calls.query(this.#pid, this.#addresses.words, count, this.#status);
    if (error !== '') this.#status.fill(UNKNOWN);
    return count;
  }
}

function nodeOrNone(status: number): number {
  return status >= 0 ? status : NO_VALUE;
}
