/** Runs the tasks of a comparison on all cores, each worker thread one at a time. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { CompareRow } from './row.ts';
import type { CompareTask } from './run-contestant.ts';
import type { WorkerAnswer } from './worker.ts';

/** What became of a task. */
export type TaskResult =
  | { readonly task: CompareTask; readonly row: CompareRow }
  | { readonly task: CompareTask; readonly errors: readonly string[] };

export interface PoolOptions {
  /** Worker threads; left out: one per core. */
  readonly jobs?: number;
  readonly onDone: (result: TaskResult, done: number, all: number) => void;
  /** True: no further task begins, and running ones are given up. */
  readonly shouldStop: () => boolean;
}

/** How often a stop is looked for. */
const LOOK_MS = 100;

/** Resolves when all tasks are done, or the run was stopped. @throws Error a bug of a contestant */
export async function runTasks(tasks: readonly CompareTask[], options: PoolOptions): Promise<void> {
  const queue = [...tasks];
  let done = 0;
  const jobs = Math.max(1, Math.min(options.jobs ?? availableParallelism(), tasks.length));
  const workers: Worker[] = [];
  const runOne = (): Promise<void> =>
    new Promise((resolve, reject) => {
      // Built code runs the built worker, and tests that run sources build first.
      const worker = new Worker(new URL('./worker.js', import.meta.url));
      workers.push(worker);
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
        done++;
        const result = answer.kind === 'row' ? { task, row: answer.row } : { task, errors: answer.errors };
        options.onDone(result, done, tasks.length);
        next();
      });
      worker.on('error', reject);
      worker.on('exit', () => resolve());
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
