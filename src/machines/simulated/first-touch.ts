/** A thread that allocates: how much it touches in a piece of time, and what it waits for. */
import { PAGE_SIZE, roundUp } from '../../memory/range.ts';
import type { Mover } from '../mover.ts';
import type { RunningThread } from './field.ts';

/**
 * Lets a thread touch new memory for `seconds`, if it is in a phase that does.
 * @returns false if it found none at all: the kernel would kill it (OOM)
 */
export function touchFirst(thread: RunningThread, mover: Mover, seconds: number): boolean {
  if (thread.allocation === undefined) return true;
  const { start, end, bytesPerS, nid } = thread.allocation;
  const wanted = Math.min(end - start, roundUp(bytesPerS * seconds, PAGE_SIZE));
  if (wanted === 0) return true;
  // What rounding up to a page gave too much is paid for, so that the rate holds over time.
  thread.debtS += Math.max(0, wanted / bytesPerS - seconds);
  const { bytes, stallUs } = mover.allocate(start, start + wanted, nid);
  thread.charge(stallUs);
  thread.allocation = { ...thread.allocation, start: start + bytes };
  return bytes > 0;
}
