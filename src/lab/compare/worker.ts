/** A worker thread of a comparison: runs the tasks that it is sent, one after the other. */
import { parentPort } from 'node:worker_threads';
import { ThermoError, ThermoErrors } from '../../memory/error.ts';
import type { CompareRow } from './row.ts';
import { type CompareTask, runContestant } from './run-contestant.ts';

export type WorkerAnswer =
  | { readonly kind: 'row'; readonly row: CompareRow }
  /** A mistake of the user, in words. */
  | { readonly kind: 'refused'; readonly errors: readonly string[] }
  /** Its arrays cannot be had. */
  | { readonly kind: 'too large' }
  | { readonly kind: 'bug'; readonly stack: string };

parentPort?.on('message', async (task: CompareTask) => {
  parentPort?.postMessage(await answer(task));
});

async function answer(task: CompareTask): Promise<WorkerAnswer> {
  try {
    return { kind: 'row', row: await runContestant(task, () => performance.now()) };
  } catch (error) {
    if (error instanceof ThermoErrors)
      return { kind: 'refused', errors: error.errors.map((each) => each.format()) };
    if (error instanceof ThermoError) return { kind: 'refused', errors: [error.format()] };
    if (isTooLarge(error)) return { kind: 'too large' };
    return { kind: 'bug', stack: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** V8's words for an array that is longer than it allows, or than there is memory for. */
function isTooLarge(error: unknown): boolean {
  return (
    error instanceof RangeError &&
    /allocation failed|Invalid (typed )?array( buffer)? length/i.test(error.message)
  );
}
