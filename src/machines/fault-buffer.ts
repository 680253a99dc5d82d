/** Hint faults on their way from a modelled machine to who asked for them. */
import type { FaultBatch } from '../memory/page-signals.ts';

const FIRST_CAPACITY = 4096;

type Faults = Required<FaultBatch>;

export class FaultBuffer {
  #waiting = emptyBatch(FIRST_CAPACITY);
  #drained = emptyBatch(FIRST_CAPACITY);

  push(address: number, delayUs: number, nid: number, thread: number): void {
    if (this.#waiting.count === this.#waiting.address.length) this.#grow();
    const batch = this.#waiting;
    const i = batch.count++;
    batch.address[i] = address;
    batch.delayUs[i] = delayUs;
    batch.nid[i] = nid;
    batch.thread[i] = thread;
  }

  /** The faults since the last call; valid until the next one, also while new ones come in. */
  drain(): FaultBatch {
    [this.#waiting, this.#drained] = [this.#drained, this.#waiting];
    this.#waiting.count = 0;
    return this.#drained;
  }

  #grow(): void {
    const { count, address, delayUs, nid, thread } = this.#waiting;
    const wider = emptyBatch(2 * count);
    wider.address.set(address);
    wider.delayUs.set(delayUs);
    wider.nid.set(nid);
    wider.thread.set(thread);
    wider.count = count;
    this.#waiting = wider;
  }
}

function emptyBatch(capacity: number): Faults {
  return {
    count: 0,
    address: new Float64Array(capacity),
    delayUs: new Float64Array(capacity),
    nid: new Int16Array(capacity),
    thread: new Int16Array(capacity),
  };
}
