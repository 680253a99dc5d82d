/** Runs the tasks of a comparison or a sweep on all cores, each worker thread one at a time, long ones first. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { CompareRow } from './row.ts';
import type { CompareTask } from './run-contestant.ts';
import { effortOf } from './simulated-size.ts';
import type { WorkerAnswer } from './worker.ts';

/** What became of a task. */
export type TaskResult =
  | { readonly kind: 'row'; readonly task: CompareTask; readonly row: CompareRow }
  | { readonly kind: 'refused'; readonly task: CompareTask; readonly errors: readonly string[] }
  /** It does not fit into this process. */
  | { readonly kind: 'too large'; readonly task: CompareTask };

export interface PoolOptions {
  /** Worker threads; left out: one per core. */
  readonly jobs?: number;
  /** In the order in which they end. */
  readonly onDone: (result: TaskResult, done: number, all: number) => void;
  /** True: no further task begins, and running ones are given up. */
  readonly shouldStop: () => boolean;
}

/** How often a stop is looked for. */
const LOOK_MS = 100;

/** Resolves when all tasks are done, or the run was stopped. @throws Error a bug of a contestant */
export async function runTasks(tasks: readonly CompareTask[], options: PoolOptions): Promise<void> {
  // A long one that begins last leaves the other cores idle.
  const queue = [...tasks].sort((a, b) => effortOf(b) - effortOf(a));
  let done = 0;
  const jobs = Math.max(1, Math.min(options.jobs ?? availableParallelism(), tasks.length));
  const workers = new Set<Worker>();
  const finish = (result: TaskResult): void => {
    done++;
    options.onDone(result, done, tasks.length);
  };
  /** Until there is nothing more to do, or the thread has run out of memory. */
  const runOne = (): Promise<void> =>
    new Promise((resolve, reject) => {
      if (queue.length === 0 || options.shouldStop()) {
        resolve();
        return;
      }
      // Built code runs the built worker, and tests that run sources build first.
      const worker = new Worker(new URL('./worker.js', import.meta.url));
      workers.add(worker);
      let task: CompareTask | undefined;
      const next = (): void => {
        task = options.shouldStop() ? undefined : queue.shift();
        if (task === undefined) void worker.terminate().then(() => resolve());
        else worker.postMessage(task);
      };
      worker.on('message', (answer: WorkerAnswer) => {
        if (task === undefined) return;
        if (answer.kind === 'bug') {
          reject(new Error(answer.stack));
          return;
        }
        try {
          finish({ ...answer, task });
        } catch (error) {
          reject(error as Error);
          return;
        }
        next();
      });
      worker.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ERR_WORKER_OUT_OF_MEMORY' || task === undefined) {
          reject(error);
          return;
        }
        finish({ kind: 'too large', task });
        // The thread is gone; another one goes on.
        runOne().then(resolve, reject);
      });
      worker.on('exit', () => {
        workers.delete(worker);
        if (options.shouldStop()) resolve();
      });
      next();
    });
  const watch = setInterval(() => {
    if (options.shouldStop()) for (const worker of workers) void worker.terminate();
  }, LOOK_MS);
  try {
    await Promise.all(Array.from({ length: jobs }, runOne));
  } finally {
    clearInterval(watch);
    for (const worker of workers) void worker.terminate();
  }
}
