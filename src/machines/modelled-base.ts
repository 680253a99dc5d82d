/**
 * What modelled machines have in common: the mover that places pages, and the samples that wait to be
 * drained. The simulated and the replayed machine add where accesses come from.
 */
import { type AccessBatch, clearAccessBatch, createAccessBatch } from '../memory/access-batch.ts';
import type { RunVisitor } from '../memory/page-runs.ts';
import type { MemoryNode } from '../memory/tier.ts';
import type { Action, MoveCounters, MoveRequest, MoveResultVisitor, NodeGauge } from './machine.ts';
import type { Mover } from './mover.ts';

/** Samples a machine holds between two drains; more are dropped and counted. */
const PUSH_CAPACITY = 65536;

export abstract class ModelledBase {
  abstract readonly nodes: readonly MemoryNode[];
  readonly actions: readonly Action[] = ['migrate_hot', 'migrate_cold', 'stat'];
  protected abstract readonly mover: Mover;
  protected readonly samples: AccessBatch = createAccessBatch(PUSH_CAPACITY);

  get moves(): Readonly<MoveCounters> {
    return this.mover.counters;
  }

  drainPush(batch: AccessBatch): void {
    const { samples } = this;
    clearAccessBatch(batch);
    const count = Math.min(samples.count, batch.address.length);
    batch.address.set(samples.address.subarray(0, count));
    batch.nid.set(samples.nid.subarray(0, count));
    batch.isStore.set(samples.isStore.subarray(0, count));
    batch.count = count;
    batch.exposureS = samples.exposureS;
    batch.dropped = samples.dropped + samples.count - count;
    clearAccessBatch(samples);
  }

  placement(start: number, end: number, visit: RunVisitor): void {
    this.mover.placement.forEach(start, end, visit);
  }

  gauge(nid: number): NodeGauge {
    return { nid, totalBytes: this.nodes[nid].capacityBytes, freeBytes: this.mover.freeBytes(nid) };
  }

  submit(request: MoveRequest): void {
    this.mover.submit(request);
  }

  pendingBytes(): number {
    return this.mover.pendingBytes();
  }

  collect(visit: MoveResultVisitor): void {
    this.mover.collect(visit);
  }
}
