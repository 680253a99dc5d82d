/** First-in, first-out lists of numbered pages; a page is on one of them at most. Links in typed arrays. */

const NONE = -1;

export class PageLists {
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #listOf: Int8Array;
  readonly #first: Int32Array;
  readonly #last: Int32Array;

  constructor(pages: number, lists: number) {
    this.#next = new Int32Array(pages).fill(NONE);
    this.#previous = new Int32Array(pages).fill(NONE);
    this.#listOf = new Int8Array(pages).fill(NONE);
    this.#first = new Int32Array(lists).fill(NONE);
    this.#last = new Int32Array(lists).fill(NONE);
  }

  /** The list of a page, or -1. */
  listOf(page: number): number {
    return this.#listOf[page];
  }

  /** The oldest page of a list, or -1. */
  first(list: number): number {
    return this.#first[list];
  }

  /** The one that came after a page, or -1. */
  next(page: number): number {
    return this.#next[page];
  }

  /** Puts a page last on a list, taking it off its own. */
  enqueue(list: number, page: number): void {
    this.remove(page);
    const last = this.#last[list];
    this.#listOf[page] = list;
    this.#previous[page] = last;
    if (last === NONE) this.#first[list] = page;
    else this.#next[last] = page;
    this.#last[list] = page;
  }

  /** Takes the oldest page off a list; -1 if it is empty. */
  dequeue(list: number): number {
    const page = this.#first[list];
    if (page !== NONE) this.remove(page);
    return page;
  }

  remove(page: number): void {
    const list = this.#listOf[page];
    if (list === NONE) return;
    const [previous, next] = [this.#previous[page], this.#next[page]];
    if (previous === NONE) this.#first[list] = next;
    else this.#next[previous] = next;
    if (next === NONE) this.#last[list] = previous;
    else this.#previous[next] = previous;
    this.#previous[page] = NONE;
    this.#next[page] = NONE;
    this.#listOf[page] = NONE;
  }
}
