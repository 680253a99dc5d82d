/** What reports tell of regions and snapshots, in raw numbers: parts of the `--json` documents of `thermocline report`. */
import type { RecordHead } from '../../memory/region-record.ts';

export interface RegionFacts {
  readonly start: number;
  readonly end: number;
  readonly szBytes: number;
  readonly nrAccesses: number;
  /** Share of samples with an access; null where the record does not tell how many there were. */
  readonly rateShare: number | null;
  /** Samples with an access per second. */
  readonly accessHz: number | null;
  readonly ageUs: number | null;
  /** Weighted sum of size, percent and microseconds; negative for what is idle. */
  readonly temperature: number | null;
  /** Time since the last access was seen; 0 for what is in use. */
  readonly idleUs: number | null;
  readonly szFilterPassed: number | null;
  readonly probeHits?: readonly number[];
}

export interface SnapshotTotals {
  readonly nrRegions: number;
  readonly szBytes: number;
  readonly szFilterPassed: number | null;
  /**
   * If every byte of a region were read at each positive sample: an upper bound, bytes per second; null where
   * the length of an aggregation is not known.
   */
  readonly bandwidthBytesPerS: number | null;
  readonly bandwidthFilterPassedBytesPerS: number | null;
  /** Bytes x positive samples, as a share of the most there could be. */
  readonly positiveShare: number | null;
}

/** Mean temperatures along the addresses of one area. */
export interface Strip {
  readonly start: number;
  readonly end: number;
  readonly cells: readonly number[];
}

export interface SnapshotReport extends SnapshotTotals {
  /** From 0, in the record. */
  readonly index: number;
  /** On the record's clock; text, as nanoseconds of a wall clock are beyond 2^53. */
  readonly startNs: string;
  readonly endNs: string;
  readonly sampleUs: number | null;
  readonly aggrUs: number | null;
  readonly maxNrAccesses: number | null;
  readonly damosStats: Readonly<Record<string, number>> | null;
  readonly strips: readonly Strip[];
  readonly regions: readonly RegionFacts[];
}

export interface RecordReport {
  readonly head: RecordHead;
  readonly nrSnapshots: number;
  /** When its first snapshot began. */
  readonly startNs: string;
  readonly snapshots: readonly SnapshotReport[];
}

export type RegionKey = 'address' | 'size' | 'rate' | 'age' | 'temperature';

export const REGION_KEYS: readonly RegionKey[] = ['address', 'size', 'rate', 'age', 'temperature'];
