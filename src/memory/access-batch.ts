/**
 * A batch of access samples as columns: what every push source hands over.
 *
 * Reused from call to call; the producer fills it, the consumer reads it before the next call.
 */

export interface AccessBatch {
  /** Number of valid samples. */
  count: number;
  /** Byte address of each sample. */
  readonly address: Float64Array;
  /** Node that accessed; -1 where the source does not know. */
  readonly nid: Int16Array;
  /** 1 for a store, 0 for a load. */
  readonly isStore: Uint8Array;
  /**
   * Exposure of the batch: the time it covers, in seconds, times the share of all accesses of the
   * machine that become a sample (1/period). Expected samples of a page = its rate x exposure.
   */
  exposureS: number;
  /** Samples that were lost since the batch before (ring full). */
  dropped: number;
}

export function createAccessBatch(capacity: number): AccessBatch {
  return {
    count: 0,
    address: new Float64Array(capacity),
    nid: new Int16Array(capacity).fill(-1),
    isStore: new Uint8Array(capacity),
    exposureS: 0,
    dropped: 0,
  };
}

export function clearAccessBatch(batch: AccessBatch): void {
  batch.count = 0;
  batch.exposureS = 0;
  batch.dropped = 0;
}

/** Appends one sample, or counts it as dropped when the batch is full. */
export function pushSample(batch: AccessBatch, address: number, nid: number, isStore: number): void {
  const i = batch.count;
  if (i === batch.address.length) {
    batch.dropped++;
    return;
  }
  batch.address[i] = address;
  batch.nid[i] = nid;
  batch.isStore[i] = isStore;
  batch.count = i + 1;
}
