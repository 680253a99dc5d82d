/**
 * A record of regions: what a monitor saw of memory, snapshot by snapshot. The common shape of damo's
 * records, memtierd's dumps and our own; columns in typed arrays, one entry a region, in address order.
 */

export interface IntervalsGoalRecord {
  readonly accessBp: number;
  readonly aggrs: number;
  readonly minSampleUs: number;
  readonly maxSampleUs: number;
}

export interface RecordIntervals {
  readonly sampleUs: number;
  readonly aggrUs: number;
  readonly opsUpdateUs: number;
  readonly goal: IntervalsGoalRecord | null;
}

/** Whose snapshots they are: one kdamond, context, scheme and target. What a file does not tell is null. */
export interface RecordHead {
  readonly kdamondIdx: number | null;
  readonly contextIdx: number | null;
  readonly schemeIdx: number | null;
  /** A kernel address may be beyond 2^53, so text. */
  readonly targetId: string | null;
  readonly intervals: RecordIntervals | null;
  /** Filters of the scheme that told regions apart, as the file has them. */
  readonly schemeFilters: readonly unknown[];
  readonly dataSource: string | null;
}

export const UNKNOWN_HEAD: RecordHead = {
  kdamondIdx: null,
  contextIdx: null,
  schemeIdx: null,
  targetId: null,
  intervals: null,
  schemeFilters: [],
  dataSource: null,
};

/** Regions as they were at `endNs`, watched since `startNs` (on the clock of the record). */
export interface RecordedSnapshot {
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly count: number;
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** Samples with an access, of `maxNrAccesses`; monitors other than DAMON tell how many they expect. */
  readonly nrAccesses: Float64Array;
  /** In units of `ageUnitUs`; NaN where it is not known. */
  readonly age: Float64Array;
  /** Bytes that passed the filters of the scheme; NaN where it has none. */
  readonly szFilterPassed: Float64Array;
  /** Accesses per page and second, where the monitor measured them. */
  readonly ratePerS?: Float64Array;
  /** Hits of DAMON's probes, one list a region. */
  readonly probeHits?: readonly (readonly number[])[];
  readonly sampleUs: number | null;
  readonly aggrUs: number | null;
  readonly ageUnitUs: number | null;
  /** Samples of an aggregation; null: unknown. */
  readonly maxNrAccesses: number | null;
  /** Of the whole target, as the file says. */
  readonly totalBytes: number | null;
  readonly damosStats: Readonly<Record<string, number>> | null;
}

/** Snapshots of one head, in the order of time. */
export interface RegionRecord {
  readonly head: RecordHead;
  readonly snapshots: readonly RecordedSnapshot[];
}

/** Called with each snapshot as it is read; the snapshots of a head come in the order of time. */
export type SnapshotVisitor = (head: RecordHead, snapshot: RecordedSnapshot) => void;

/** Columns of a snapshot that is being read; grows as regions come. */
export class RegionColumns {
  count = 0;
  start = new Float64Array(64);
  end = new Float64Array(64);
  nrAccesses = new Float64Array(64);
  age = new Float64Array(64);
  szFilterPassed = new Float64Array(64);

  add(start: number, end: number, nrAccesses: number, age: number, szFilterPassed = Number.NaN): void {
    const i = this.count;
    if (i === this.start.length) this.#grow();
    this.start[i] = start;
    this.end[i] = end;
    this.nrAccesses[i] = nrAccesses;
    this.age[i] = age;
    this.szFilterPassed[i] = szFilterPassed;
    this.count = i + 1;
  }

  /** The columns so far, as long as there are regions; begins anew. */
  take(): Pick<RecordedSnapshot, 'count' | 'start' | 'end' | 'nrAccesses' | 'age' | 'szFilterPassed'> {
    const { count } = this;
    this.count = 0;
    return {
      count,
      start: this.start.slice(0, count),
      end: this.end.slice(0, count),
      nrAccesses: this.nrAccesses.slice(0, count),
      age: this.age.slice(0, count),
      szFilterPassed: this.szFilterPassed.slice(0, count),
    };
  }

  #grow(): void {
    const wider = (column: Float64Array) => {
      const grown = new Float64Array(2 * column.length);
      grown.set(column);
      return grown;
    };
    this.start = wider(this.start);
    this.end = wider(this.end);
    this.nrAccesses = wider(this.nrAccesses);
    this.age = wider(this.age);
    this.szFilterPassed = wider(this.szFilterPassed);
  }
}

/** Intervals of a snapshot: tuned ones keep the number of samples of an aggregation. */
export function intervalsOf(
  intervals: RecordIntervals | null,
  tunedSampleUs: number | null,
): Pick<RecordedSnapshot, 'sampleUs' | 'aggrUs' | 'ageUnitUs' | 'maxNrAccesses'> {
  if (intervals === null || !(intervals.sampleUs > 0)) {
    return { sampleUs: tunedSampleUs, aggrUs: null, ageUnitUs: null, maxNrAccesses: null };
  }
  const maxNrAccesses = Math.max(1, intervals.aggrUs / intervals.sampleUs);
  const sampleUs = tunedSampleUs ?? intervals.sampleUs;
  const aggrUs = sampleUs * maxNrAccesses;
  return { sampleUs, aggrUs, ageUnitUs: aggrUs, maxNrAccesses };
}

/** Snapshots that were visited, one record for each head. */
export class RecordCollector {
  readonly #snapshots = new Map<RecordHead, RecordedSnapshot[]>();

  readonly visit: SnapshotVisitor = (head, snapshot) => {
    const list = this.#snapshots.get(head);
    if (list === undefined) this.#snapshots.set(head, [snapshot]);
    else list.push(snapshot);
  };

  records(): RegionRecord[] {
    return [...this.#snapshots].map(([head, snapshots]) => ({ head, snapshots }));
  }
}
