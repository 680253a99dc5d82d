/** The worker thread that executes orders. */
import { Worker } from 'node:worker_threads';
import type { MoveExecutor } from './mover.ts';
import type { MoveAnswer, MoveOrder } from './native/move-worker.ts';

export class MoveThread implements MoveExecutor {
  // Built code runs the built worker.
  readonly #worker = new Worker(new URL('./native/move-worker.js', import.meta.url));
  #waiting: { resolve: (answer: MoveAnswer) => void; reject: (error: Error) => void } | undefined;

  constructor() {
    this.#worker.unref();
    this.#worker.on('message', (answer: MoveAnswer) => {
      this.#waiting?.resolve(answer);
    });
    this.#worker.on('error', (error) => this.#waiting?.reject(error));
  }

  execute(order: MoveOrder): Promise<MoveAnswer> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#worker.postMessage(order);
    });
  }

  close(): void {
    void this.#worker.terminate();
  }
}
