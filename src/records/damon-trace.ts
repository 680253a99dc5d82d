/**
 * Reads DAMON's trace events as `perf script` (or trace-cmd) prints them:
 *
 *     kdamond.0  4452 [000] 82820.952659: damon:damon_aggregated: target_id=N nr_regions=8 start-end: 0 12
 *
 * A snapshot is nr_regions lines of one target; the age behind the count is missing on old kernels. Times are of
 * perf's clock, that of a snapshot's first line; a snapshot begins where the one before ended, the first one as
 * long before its end as the others last on average (of the first {@link MEAN_OF}). `damos_before_apply` gives what each scheme tried, `damon_monitor_intervals_tune`
 * the sampling interval from then on.
 */
import { ADDRESS_LIMIT } from '../memory/range.ts';
import {
  type RecordedSnapshot,
  type RecordHead,
  RegionColumns,
  type SnapshotVisitor,
  UNKNOWN_HEAD,
} from '../memory/region-record.ts';
import { noteUnreadableRegion, type RegionCounts } from './region-counts.ts';

const TIME = /(?:^|\s)(\d+)\.(\d{6}|\d{9}):\s+(?:\d+\s+)?(?:damon:)?(\w+):\s+(.*)$/;
const AGGREGATED = /^target_id=(\d+) nr_regions=(\d+) (\d+)-(\d+): (\d+)(?: (\d+))?/;
const BEFORE_APPLY =
  /^ctx_idx=(\d+) scheme_idx=(\d+) target_idx=(\d+) nr_regions=(\d+) (\d+)-(\d+): (\d+)(?: (\d+))?/;
const TUNED = /^sample_us=(\d+)/;

export const DAMON_EVENT = /(?:damon:)?(?:damon_aggregated|damos_before_apply): /;

type Filled = ReturnType<RegionColumns['take']>;

interface Whole {
  readonly endNs: bigint;
  readonly regions: Filled;
  readonly sampleUs: number | null;
}

/** Snapshots that are held back to know how long the first one was. */
const MEAN_OF = 4096;
/** Of a trace of one snapshot: DAMON's default aggregation interval. */
const DEFAULT_NS = 100_000_000n;

/** Snapshots of one target, or of one scheme on it. */
interface Stream {
  readonly head: RecordHead;
  readonly columns: RegionColumns;
  /** Regions that the snapshot has when it is whole; NaN where the trace does not tell. */
  wanted: number;
  endNs: bigint;
  lastEnd: number;
  waiting: Whole[] | undefined;
  previousNs: bigint;
}

export class DamonTraceReader {
  readonly #counts: RegionCounts;
  readonly #visit: SnapshotVisitor;
  readonly #streams = new Map<string, Stream>();
  #sampleUs: number | null = null;

  constructor(counts: RegionCounts, visit: SnapshotVisitor) {
    this.#counts = counts;
    this.#visit = visit;
  }

  line(text: string): void {
    const counts = this.#counts;
    counts.lines++;
    if (text === '' || text.startsWith('#')) return;
    const match = TIME.exec(text);
    if (match === null) {
      noteUnreadableRegion(counts);
      return;
    }
    const [, seconds, part, event, rest] = match;
    const ns = BigInt(seconds) * 1_000_000_000n + BigInt(part) * (part.length === 6 ? 1000n : 1n);
    if (event === 'damon_aggregated') this.#aggregated(ns, rest);
    else if (event === 'damos_before_apply') this.#beforeApply(ns, rest);
    else if (event === 'damon_monitor_intervals_tune') {
      const tuned = TUNED.exec(rest);
      if (tuned !== null) this.#sampleUs = Number(tuned[1]);
      else noteUnreadableRegion(counts);
    }
  }

  finish(): void {
    for (const stream of this.#streams.values()) {
      if (stream.columns.count > 0) {
        if (Number.isNaN(stream.wanted)) this.#end(stream);
        else this.#counts.unreadable += stream.columns.count;
      }
      this.#release(stream);
    }
    this.#counts.records = this.#streams.size;
  }

  #aggregated(ns: bigint, rest: string): void {
    const match = AGGREGATED.exec(rest);
    if (match === null) {
      noteUnreadableRegion(this.#counts);
      return;
    }
    const [, target, count, start, end, accesses, age] = match;
    const stream = this.#stream(`t${target}`, { ...UNKNOWN_HEAD, targetId: target });
    if (stream.columns.count === 0) stream.endNs = ns;
    stream.wanted = Number(count);
    this.#add(stream, start, end, accesses, age);
    if (stream.columns.count >= stream.wanted) this.#end(stream);
  }

  #beforeApply(ns: bigint, rest: string): void {
    const match = BEFORE_APPLY.exec(rest);
    if (match === null) {
      noteUnreadableRegion(this.#counts);
      return;
    }
    const [, context, scheme, target, , start, end, accesses, age] = match;
    const stream = this.#stream(`s${context}.${scheme}.${target}`, {
      ...UNKNOWN_HEAD,
      contextIdx: Number(context),
      schemeIdx: Number(scheme),
      targetId: target,
    });
    // Only what the scheme tries is listed: a lower address begins the next round.
    if (stream.columns.count > 0 && Number(start) < stream.lastEnd) this.#end(stream);
    if (stream.columns.count === 0) stream.endNs = ns;
    this.#add(stream, start, end, accesses, age);
  }

  #add(stream: Stream, start: string, end: string, accesses: string, age: string | undefined): void {
    const [from, to] = [Number(start), Number(end)];
    if (to >= ADDRESS_LIMIT || from >= to) {
      if (from === 0 && to === 0) this.#counts.artificial++;
      else if (to >= ADDRESS_LIMIT) this.#counts.addressesTooLarge++;
      else noteUnreadableRegion(this.#counts);
      stream.wanted--;
      return;
    }
    stream.lastEnd = to;
    stream.columns.add(from, to, Number(accesses), age === undefined ? Number.NaN : Number(age));
  }

  #stream(key: string, head: RecordHead): Stream {
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      stream = {
        head,
        columns: new RegionColumns(),
        wanted: Number.NaN,
        endNs: 0n,
        lastEnd: 0,
        waiting: [],
        previousNs: 0n,
      };
      this.#streams.set(key, stream);
    }
    return stream;
  }

  #end(stream: Stream): void {
    const whole = { endNs: stream.endNs, regions: stream.columns.take(), sampleUs: this.#sampleUs };
    if (stream.waiting === undefined) this.#emit(stream, whole);
    else {
      stream.waiting.push(whole);
      if (stream.waiting.length === MEAN_OF) this.#release(stream);
    }
  }

  /** Visits what was held back. */
  #release(stream: Stream): void {
    const { waiting } = stream;
    if (waiting === undefined) return;
    stream.waiting = undefined;
    if (waiting.length === 0) return;
    const [first, last] = [waiting[0].endNs, waiting[waiting.length - 1].endNs];
    const steps = BigInt(waiting.length - 1);
    stream.previousNs = steps === 0n ? first - DEFAULT_NS : (first * steps - (last - first)) / steps;
    for (const whole of waiting) this.#emit(stream, whole);
  }

  #emit(stream: Stream, { endNs, regions, sampleUs }: Whole): void {
    const snapshot: RecordedSnapshot = {
      startNs: stream.previousNs,
      endNs,
      ...regions,
      sampleUs,
      aggrUs: null,
      ageUnitUs: null,
      maxNrAccesses: null,
      totalBytes: null,
      damosStats: null,
    };
    stream.previousNs = endNs;
    this.#counts.snapshots++;
    this.#counts.regions += regions.count;
    this.#visit(stream.head, snapshot);
  }
}
