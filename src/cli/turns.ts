/** Lets the event loop have a turn now and then in long work: signals and progress. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Longest time between two turns. */
const TURN_MS = 50;

export class Turns {
  #lastMs = performance.now();

  /** A promise to wait for if a turn is due. */
  pause(): Promise<void> | undefined {
    if (performance.now() - this.#lastMs < TURN_MS) return undefined;
    return nextTurn().then(() => {
      this.#lastMs = performance.now();
    });
  }
}
