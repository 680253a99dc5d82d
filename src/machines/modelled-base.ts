/**
 * What modelled machines have in common: the mover that places pages, and the samples that wait to be
 * drained. The simulated and the replayed machine add where accesses come from.
 */
import { type AccessBatch, clearAccessBatch, createAccessBatch } from '../memory/access-batch.ts';
import type {
  Action,
  ActionRequest,
  GaugeKind,
  NodeGauge,
  PageProperty,
  PageQuery,
  SystemGauge,
} from '../memory/action.ts';
import type { RunVisitor } from '../memory/page-runs.ts';
import type { PushSetting } from '../memory/push-setting.ts';
import type { MemoryNode } from '../memory/tier.ts';
import type { ActionResultVisitor, EvidenceCosts, MoveCounters } from './machine.ts';
import type { Mover } from './mover.ts';

/** Samples a machine holds between two drains; more are dropped and counted. */
const PUSH_CAPACITY = 65536;

/**
 * Costs of evidence on a modelled machine. Pull: DAMON's own bookkeeping of a check with its cache lines
 * evicted, 307 ns (measured, damon-peer-measurements section 3), and about 400 ns for the reverse map and
 * the page-table walk, four dependent cache misses (inferred). Push: an IBS sample through NMI, irq_work
 * and work item takes 2 to 16 us (bounds from the seed's posted runs, tiering-systems section 2.1); this
 * is their geometric mean.
 */
export const MODELLED_COSTS: EvidenceCosts = { pullCheckNs: 700, pushSampleNs: 5_700 };

const NOTHING_KNOWN: SystemGauge = {
  someMemPsiUs: Number.NaN,
  activeBytes: Number.NaN,
  inactiveBytes: Number.NaN,
  accesses: Number.NaN,
  fastAccesses: Number.NaN,
  accessS: Number.NaN,
  allFastS: Number.NaN,
  fastNs: Number.NaN,
  slowNs: Number.NaN,
};

export abstract class ModelledBase {
  abstract readonly nodes: readonly MemoryNode[];
  readonly actions: readonly Action[] = ['migrate_hot', 'migrate_cold', 'stat'];
  readonly pageProperties: readonly PageProperty[] = [];
  readonly gauges: readonly GaugeKind[] = [];
  protected abstract readonly mover: Mover;
  protected readonly samples: AccessBatch = createAccessBatch(PUSH_CAPACITY);
  readonly costs = MODELLED_COSTS;
  #push: PushSetting = { kind: 'off' };

  get push(): PushSetting {
    return this.#push;
  }

  setPush(push: PushSetting): void {
    this.#push = push;
  }

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
    return {
      nid,
      totalBytes: this.nodes[nid].capacityBytes,
      freeBytes: this.mover.freeBytes(nid),
      reserveBytes: this.mover.reserveBytes(nid),
    };
  }

  /** Has no property: nothing that is not among `pageProperties` is asked. */
  queryPages(_query: PageQuery, start: number, end: number, visit: RunVisitor): void {
    visit(start, end, 0);
  }

  systemGauge(): SystemGauge {
    return NOTHING_KNOWN;
  }

  memcgBytes(_path: string, _nid: number): number {
    return 0;
  }

  submit(request: ActionRequest): void {
    this.mover.submit(request);
  }

  pendingBytes(): number {
    return this.mover.pendingBytes();
  }

  collect(visit: ActionResultVisitor): void {
    this.mover.collect(visit);
  }
}
