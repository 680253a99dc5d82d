/**
 * Reads damo's records in JSON (plain, or unpacked from zlib), with all that old and new versions write: numbers as
 * text with commas, either of samples and percent, either of microseconds and aggregation intervals, keys
 * that are missing. Streams by snapshot.
 */
import { ThermoError } from '../memory/error.ts';
import { ADDRESS_LIMIT } from '../memory/range.ts';
import {
  type IntervalsGoalRecord,
  intervalsOf,
  type RecordedSnapshot,
  type RecordHead,
  type RecordIntervals,
  RegionColumns,
  type SnapshotVisitor,
} from '../memory/region-record.ts';
import { damoBigInt, damoBytes, damoNumber, damoPercent, damoTimeUs, parseExactJson } from './damo-values.ts';
import { RecordCutter } from './record-cutter.ts';
import type { RegionCounts } from './region-counts.ts';

type Json = Readonly<Record<string, unknown>>;

/** Takes chunks of JSON text and visits snapshots. */
export class DamoRecordReader {
  readonly #cutter: RecordCutter;
  readonly #counts: RegionCounts;
  readonly #visit: SnapshotVisitor;
  readonly #columns = new RegionColumns();
  #head: RecordHead | undefined;
  /** Snapshots that came before what is said of their intervals. */
  #waiting: Json[] = [];
  #isWaiting = false;
  #headLength = -1;

  /** @throws ThermoError THERMO_RECORD_FORMAT, from `push` as well */
  constructor(counts: RegionCounts, visit: SnapshotVisitor) {
    this.#counts = counts;
    this.#visit = visit;
    this.#cutter = new RecordCutter({
      onSnapshot: (head, text) => this.#onSnapshot(head, text),
      onRecordEnd: (head) => this.#onRecordEnd(head),
    });
  }

  push(chunk: Buffer): void {
    this.#cutter.push(chunk);
    if (!this.#cutter.isRecord) {
      throw new ThermoError('THERMO_RECORD_FORMAT', 'the file is JSON, but no record of damo', {
        hint: 'expected a list of records with "snapshots", as damo record writes it',
      });
    }
  }

  finish(): void {
    if (!this.#cutter.isComplete) {
      throw new ThermoError('THERMO_TRACE_TRUNCATED', 'the record ends in the middle', {
        hint: 'copy or record the file again; snapshots before the end can be had by closing its brackets',
      });
    }
  }

  #onSnapshot(head: string, text: string): void {
    const json = parseOrThrow(text) as Json;
    if (this.#headLength !== head.length) {
      this.#headLength = head.length;
      const known = parseOrThrow(head) as Json;
      // damo writes them before the snapshots; who does not has to wait for them.
      this.#isWaiting = !('intervals' in known);
      this.#head = this.#isWaiting ? undefined : headOf(known);
    }
    if (this.#isWaiting || this.#head === undefined) this.#waiting.push(json);
    else this.#take(this.#head, json);
  }

  #onRecordEnd(text: string): void {
    const head = headOf(parseOrThrow(text) as Json);
    for (const json of this.#waiting) this.#take(head, json);
    this.#counts.records++;
    this.#waiting = [];
    this.#head = undefined;
    this.#headLength = -1;
  }

  #take(head: RecordHead, json: Json): void {
    const snapshot = snapshotOf(head, json, this.#columns, this.#counts);
    if (snapshot === undefined) {
      this.#counts.unreadable++;
      return;
    }
    this.#counts.snapshots++;
    this.#counts.regions += snapshot.count;
    this.#visit(head, snapshot);
  }
}

function parseOrThrow(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch (error) {
    throw new ThermoError('THERMO_RECORD_FORMAT', `the record is not in order: ${(error as Error).message}`, {
      hint: `in: ${text.slice(0, 60).replaceAll(/\s+/g, ' ')} ...`,
      cause: error,
    });
  }
}

function headOf(json: Json): RecordHead {
  return {
    kdamondIdx: numberOrNull(json.kdamond_idx),
    contextIdx: numberOrNull(json.context_idx),
    schemeIdx: numberOrNull(json.scheme_idx),
    targetId: json.target_id === null || json.target_id === undefined ? null : String(json.target_id),
    intervals: readIntervals(json.intervals),
    schemeFilters: Array.isArray(json.scheme_filters) ? json.scheme_filters : [],
    dataSource: typeof json.data_source === 'string' ? json.data_source : null,
  };
}

function readIntervals(value: unknown): RecordIntervals | null {
  if (!isObject(value)) return null;
  const goal = value.intervals_goal;
  return {
    sampleUs: damoTimeUs(value.sample_us),
    aggrUs: damoTimeUs(value.aggr_us),
    opsUpdateUs: damoTimeUs(value.ops_update_us),
    goal: isObject(goal) ? readGoal(goal) : null,
  };
}

function readGoal(goal: Json): IntervalsGoalRecord {
  return {
    accessBp: damoPercent(goal.access_bp) * (String(goal.access_bp).includes('%') ? 100 : 1),
    aggrs: damoNumber(goal.aggrs),
    minSampleUs: damoTimeUs(goal.min_sample_us),
    maxSampleUs: damoTimeUs(goal.max_sample_us),
  };
}

function snapshotOf(
  head: RecordHead,
  json: Json,
  columns: RegionColumns,
  counts: RegionCounts,
): RecordedSnapshot | undefined {
  const startNs = damoBigInt(json.start_time);
  const endNs = damoBigInt(json.end_time);
  const regions = Array.isArray(json.regions) ? (json.regions as unknown[]) : undefined;
  if (startNs === undefined || endNs === undefined || regions === undefined) return undefined;
  const tuned = numberOrNull(json.sample_interval_us);
  const { sampleUs, aggrUs, ageUnitUs, maxNrAccesses } = intervalsOf(head.intervals, tuned);
  let usesPercent = false;
  let usesUsec = false;
  const probeHits: (readonly number[])[] = [];
  for (const region of regions) {
    if (!isObject(region)) {
      counts.unreadable++;
      continue;
    }
    const start = damoNumber(region.start);
    const end = damoNumber(region.end);
    if (!(start < end)) {
      // damo gives perf's files of one snapshot an artificial one, of a region 0-0.
      if (start === 0 && end === 0) counts.artificial++;
      else counts.unreadable++;
      continue;
    }
    if (end >= ADDRESS_LIMIT) {
      counts.addressesTooLarge++;
      continue;
    }
    const accesses: Json = isObject(region.nr_accesses)
      ? region.nr_accesses
      : { samples: region.nr_accesses };
    const age: Json = isObject(region.age) ? region.age : { aggr_intervals: region.age };
    let samples = damoNumber(accesses.samples);
    if (Number.isNaN(samples)) {
      samples = damoPercent(accesses.percent);
      if (maxNrAccesses === null) usesPercent ||= !Number.isNaN(samples);
      else samples = (samples * maxNrAccesses) / 100;
    }
    let intervals = damoNumber(age.aggr_intervals);
    if (Number.isNaN(intervals)) {
      intervals = damoTimeUs(age.usec);
      if (aggrUs === null) usesUsec ||= !Number.isNaN(intervals);
      else intervals /= aggrUs;
    }
    columns.add(
      start,
      end,
      Number.isNaN(samples) ? 0 : samples,
      intervals,
      damoBytes(region.sz_filter_passed),
    );
    probeHits.push(Array.isArray(region.probe_hits) ? region.probe_hits.map(damoNumber) : []);
  }
  const taken = columns.take();
  return {
    startNs,
    endNs,
    ...taken,
    ...(probeHits.some((hits) => hits.length > 0) ? { probeHits } : {}),
    sampleUs,
    aggrUs,
    ageUnitUs: usesUsec ? 1 : ageUnitUs,
    maxNrAccesses: usesPercent ? 100 : maxNrAccesses,
    totalBytes: numberOrNull(json.total_bytes),
    damosStats: isObject(json.damos_stats) ? readStats(json.damos_stats) : null,
  };
}

function readStats(stats: Json): Record<string, number> {
  return Object.fromEntries(Object.entries(stats).map(([key, value]) => [key, damoBytes(value)]));
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function numberOrNull(value: unknown): number | null {
  const number = damoBytes(value);
  return Number.isNaN(number) ? null : number;
}
