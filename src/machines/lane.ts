/**
 * Requests that wait for the same bandwidth: done in the order in which they came, as far as time has
 * passed. An idle lane saves nothing up.
 */
import type { ActionRequest } from '../memory/action.ts';
import { PAGE_SIZE, roundDown } from '../memory/range.ts';

/** Acts on a part of a request; returns the bytes that took bandwidth. */
export type LaneWorker = (start: number, end: number, request: ActionRequest) => number;

export class Lane {
  readonly #bytesPerS: number;
  #queue: ActionRequest[] = [];
  /** Requests at the head of the queue that are done. */
  #done = 0;
  /** Next byte of the first request; -1: its start. */
  #cursor = -1;
  /** Bytes that the bandwidth allows now; carries a page at most. */
  #budget = 0;
  /** Bytes asked for and not yet finished. */
  pendingBytes = 0;

  constructor(bytesPerS: number) {
    this.#bytesPerS = bytesPerS;
  }

  submit(request: ActionRequest): void {
    this.#queue.push(request);
    this.pendingBytes += request.end - request.start;
  }

  advance(us: number, work: LaneWorker): void {
    if (this.#done === this.#queue.length) {
      this.#budget = 0;
      return;
    }
    // Requests that fail take no bandwidth: what they leave is not saved up either.
    this.#budget = Math.min(this.#budget, PAGE_SIZE) + (this.#bytesPerS * us) / 1e6;
    while (this.#done < this.#queue.length && this.#budget >= PAGE_SIZE) {
      const request = this.#queue[this.#done];
      if (this.#cursor < 0) this.#cursor = request.start;
      const step = Math.min(request.end - this.#cursor, roundDown(this.#budget, PAGE_SIZE));
      this.#budget -= work(this.#cursor, this.#cursor + step, request);
      this.#cursor += step;
      this.pendingBytes -= step;
      if (this.#cursor < request.end) break;
      this.#cursor = -1;
      this.#done++;
    }
    // Not at each step: a per-page system has hundreds of thousands of requests in the queue.
    if (this.#done * 2 >= this.#queue.length) {
      this.#queue.splice(0, this.#done);
      this.#done = 0;
    }
  }
}
