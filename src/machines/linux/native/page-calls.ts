/**
 * move_pages(2) and process_madvise(2) on batches of pages. Calls block; the ones that move belong on a
 * worker thread. Asking where pages are costs about 45 ns a page and blocks nobody.
 */
import { closeSync } from 'node:fs';
import { type Libc, loadLibc } from './koffi.ts';

/** Moves pages that only this process maps; those that others share are left alone. */
const MPOL_MF_MOVE = 2;
/** What the kernel leaves in the status of a page that it did not come to. */
export const UNTOUCHED = -9999;

/** Page addresses as the kernel takes them, and back without BigInt. */
export class AddressList {
  readonly capacity: number;
  readonly words: Uint32Array;

  constructor(capacity: number) {
    this.capacity = capacity;
    this.words = new Uint32Array(2 * capacity);
  }

  set(i: number, address: number): void {
    this.words[2 * i] = address % 2 ** 32;
    this.words[2 * i + 1] = Math.floor(address / 2 ** 32);
  }
}

export interface PageCallResult {
  /** What the call returned; below 0: `error` says why. */
  readonly result: number;
  /** Name of the error, as `ESRCH`; empty without one. */
  readonly error: string;
}

export class PageCalls {
  readonly #libc: Libc;
  readonly #movePages: (...args: unknown[]) => unknown;
  readonly #madvise: (...args: unknown[]) => unknown;
  readonly #pidfdOpen: (...args: unknown[]) => unknown;

  /** @throws ThermoError THERMO_MACHINE_CONFIG where no call can be made */
  constructor() {
    this.#libc = loadLibc();
    const pointer = 'void *';
    this.#movePages = this.#libc.declare('syscall', 'long', [
      ...['long', 'long', 'ulong', pointer, pointer, pointer, 'long'],
    ]);
    this.#madvise = this.#libc.declare('syscall', 'long', [
      'long',
      'long',
      pointer,
      'ulong',
      'long',
      'ulong',
    ]);
    this.#pidfdOpen = this.#libc.declare('syscall', 'long', ['long', 'long', 'ulong']);
  }

  /** Node of each page, or -errno (-2 ENOENT: not present, -14 EFAULT: not mapped). */
  query(pid: number, addresses: Uint32Array, count: number, status: Int32Array): PageCallResult {
    return this.#call(() =>
      this.#movePages(this.#libc.number('move_pages'), pid, count, addresses, null, status, 0),
    );
  }

  /** `status` keeps what it has ({@link UNTOUCHED}) for pages that the kernel did not come to. */
  move(
    pid: number,
    addresses: Uint32Array,
    count: number,
    targets: Int32Array,
    status: Int32Array,
  ): PageCallResult {
    return this.#call(() =>
      this.#movePages(this.#libc.number('move_pages'), pid, count, addresses, targets, status, MPOL_MF_MOVE),
    );
  }

  /** Advises one range; the result is the number of bytes that were. */
  advise(pid: number, start: number, end: number, advice: number): PageCallResult {
    const opened = this.#call(() => this.#pidfdOpen(this.#libc.number('pidfd_open'), pid, 0));
    if (opened.result < 0) return opened;
    try {
      const vector = new AddressList(2);
      vector.set(0, start);
      vector.set(1, end - start);
      return this.#call(() =>
        this.#madvise(this.#libc.number('process_madvise'), opened.result, vector.words, 1, advice, 0),
      );
    } finally {
      closeSync(opened.result);
    }
  }

  #call(make: () => unknown): PageCallResult {
    const result = Number(make());
    return { result, error: result < 0 ? this.#libc.errorName() : '' };
  }
}
