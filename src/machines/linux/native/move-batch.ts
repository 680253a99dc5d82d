/**
 * One batch of pages moved, and what became of each, counted by errno.
 *
 * move_pages stops at the first group of pages that it cannot move and tells neither which page it was
 * nor what became of the rest. So whatever is not on its node afterwards is asked about, and tried again a
 * bounded number of times.
 */
import { type PageCallResult, type PageCalls, UNTOUCHED } from './page-calls.ts';

const ENOENT = -2;
const ENOMEM = -12;
const EACCES = -13;
const EFAULT = -14;
const EBUSY = -16;
/** Written for every page when there is no such process (any more). */
export const ESRCH = -3;

const NAMES: Readonly<Record<number, string>> = {
  [-1]: 'EPERM',
  [ENOENT]: 'ENOENT',
  [ESRCH]: 'ESRCH',
  [-11]: 'EAGAIN',
  [ENOMEM]: 'ENOMEM',
  [EACCES]: 'EACCES',
  [EFAULT]: 'EFAULT',
  [EBUSY]: 'EBUSY',
  [-19]: 'ENODEV',
  [-22]: 'EINVAL',
};

export function statusName(status: number): string {
  return status >= 0 ? 'moved' : (NAMES[status] ?? `errno ${-status}`);
}

/** Tries after one another in which nothing moves. */
export const RETRIES = 3;
const RETRY_PAUSE_MS = 10;

export interface MoveBatch {
  readonly pid: number;
  readonly count: number;
  /** As `AddressList.words`. */
  readonly words: Uint32Array;
  readonly target: number;
}

export interface MovedBatch {
  /** Target node, or -errno of the last attempt. */
  readonly status: Int32Array;
  readonly cpuNs: number;
  /** Pages that were tried again. */
  readonly retried: number;
}

/** @param pause lets time pass before busy pages are tried again */
export function moveBatch(calls: PageCalls, batch: MoveBatch, pause = sleep): MovedBatch {
  const { pid, count, target } = batch;
  const startNs = process.hrtime.bigint();
  const status = new Int32Array(count).fill(UNTOUCHED);
  let words = batch.words;
  /** Positions in the batch of the pages that are still to be moved. */
  let left = Int32Array.from({ length: count }, (_, i) => i);
  let retried = 0;
  let vain = 0;
  for (;;) {
    const found = attemptMove(calls, pid, words, left.length, target);
    left.forEach((position, i) => {
      status[position] = found[i];
    });
    const again = left.filter((position) => status[position] === EBUSY);
    vain = again.length < left.length ? 0 : vain + 1;
    if (again.length === 0 || vain === RETRIES) break;
    retried += again.length;
    // The first of them may be what stopped the kernel: behind the others it stops none.
    left = Int32Array.from([...again.subarray(1), again[0]]);
    words = new Uint32Array(2 * left.length);
    left.forEach((position, i) => {
      words[2 * i] = batch.words[2 * position];
      words[2 * i + 1] = batch.words[2 * position + 1];
    });
    pause(RETRY_PAUSE_MS);
  }
  return { status, cpuNs: Number(process.hrtime.bigint() - startNs), retried };
}

/** Where the pages are after one call, or why they are not at the target. */
function attemptMove(
  calls: PageCalls,
  pid: number,
  words: Uint32Array,
  count: number,
  target: number,
): Int32Array {
  const status = new Int32Array(count).fill(UNTOUCHED);
  const moved = calls.move(pid, words, count, new Int32Array(count).fill(target), status);
  if (moved.error === 'ESRCH') return status.fill(ESRCH);
  // A tail of a huge page is EBUSY though it moved with its head, so that is asked, too.
  if (status.every((value) => value === target)) return status;
  const now = new Int32Array(count).fill(UNTOUCHED);
  const asked = calls.query(pid, words, count, now);
  if (asked.error === 'ESRCH') return status.fill(ESRCH);
  for (let i = 0; i < count; i++) status[i] = judge(status[i], now[i], target, moved);
  return status;
}

function judge(told: number, now: number, target: number, { error }: PageCallResult): number {
  if (now === target) return target;
  if (now < 0 && now !== UNTOUCHED) return now;
  if (told < 0 && told !== UNTOUCHED) return told;
  if (error === 'ENOMEM') return ENOMEM;
  if (error === 'EPERM' || error === 'EACCES') return EACCES;
  return EBUSY;
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
