/** Writes what a run sees into a record: the regions at the end of each aggregation, and samples where asked for. */
import type { AccessBatch } from '../memory/access-batch.ts';
import type { RecordedSnapshot, RecordHead } from '../memory/region-record.ts';
import type { Monitor, MonitorAttrs, Regions } from '../monitor/monitor.ts';
import { RecordWriter } from '../records/record-writer.ts';

export interface RunRecorderOptions {
  readonly path: string;
  /** Raw samples as well. */
  readonly withSamples: boolean;
  /** Shortest time between two snapshots, us; 0: all. */
  readonly everyUs: number;
  readonly facts: Readonly<Record<string, string>>;
}

/** DAMON's default ops_update_interval, which the engine has. */
const UPDATE_US = 60e6;

export class RunRecorder {
  readonly #writer: RecordWriter;
  readonly #monitor: Monitor;
  readonly #everyNs: bigint;
  readonly #head: RecordHead;
  readonly withSamples: boolean;
  #lastNs = 0n;

  constructor({ path, withSamples, everyUs, facts }: RunRecorderOptions, monitor: Monitor, workload: string) {
    this.#writer = new RecordWriter(path, facts);
    this.#monitor = monitor;
    this.#everyNs = nsOf(everyUs);
    this.#head = headOf(monitor.attrs, workload);
    this.withSamples = withSamples;
  }

  /** At the end of an aggregation interval, while regions are complete. */
  aggregated(timeUs: number): void {
    const endNs = nsOf(timeUs);
    if (endNs - this.#lastNs < this.#everyNs) return;
    this.#writer.addSnapshot(this.#head, snapshotOf(this.#monitor, this.#lastNs, endNs));
    this.#lastNs = endNs;
  }

  /** @param timeUs at which the samples were drained */
  sampled(timeUs: number, batch: AccessBatch): void {
    if (!this.withSamples || batch.count === 0) return;
    const ns = nsOf(timeUs);
    this.#writer.addSamples(batch, () => ns);
  }

  finish(): void {
    this.#writer.finish();
  }
}

function nsOf(us: number): bigint {
  return BigInt(Math.round(us * 1000));
}

function headOf({ sampleUs, aggrUs, intervalsGoal: goal }: MonitorAttrs, workload: string): RecordHead {
  return {
    kdamondIdx: 0,
    contextIdx: 0,
    schemeIdx: null,
    targetId: workload,
    intervals: {
      sampleUs,
      aggrUs,
      opsUpdateUs: UPDATE_US,
      goal:
        goal === undefined
          ? null
          : {
              accessBp: goal.accessBp,
              aggrs: goal.aggrs,
              minSampleUs: goal.minSampleUs,
              maxSampleUs: goal.maxSampleUs,
            },
    },
    schemeFilters: [],
    dataSource: 'thermocline',
  };
}

function snapshotOf({ regions, attrs }: Monitor, startNs: bigint, endNs: bigint): RecordedSnapshot {
  const { count } = regions;
  const column = (value: (i: number) => number): Float64Array =>
    Float64Array.from({ length: count }, (_, i) => value(i));
  const of = (name: Exclude<keyof Regions, 'count' | 'isIdle'>): Float64Array =>
    column((i) => regions[name](i));
  return {
    startNs,
    endNs,
    count,
    start: of('start'),
    end: of('end'),
    nrAccesses: of('nrAccesses'),
    age: of('age'),
    ratePerS: of('rate'),
    szFilterPassed: column(() => Number.NaN),
    sampleUs: attrs.sampleUs,
    aggrUs: attrs.aggrUs,
    ageUnitUs: attrs.aggrUs,
    maxNrAccesses: Math.max(1, attrs.aggrUs / attrs.sampleUs),
    totalBytes: null,
    damosStats: null,
  };
}
