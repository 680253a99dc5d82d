/**
 * Writes records as damo 3.3.0 reads them: JSON, plain or as a zlib stream. All keys are there; numbers are text, as damo
 * writes them, but sizes are exact bytes where damo's own are rounded to three decimals.
 *
 * damo counts whole samples: what other monitors expect in fractions is rounded, up where it is not 0.
 */
import type { RecordedSnapshot, RecordHead } from '../memory/region-record.ts';

export class DamoRecordWriter {
  readonly #write: (text: string) => void;
  /** Text of each record's snapshots; that of the first record is written as it comes. */
  readonly #records = new Map<RecordHead, string[]>();
  #first: RecordHead | undefined;
  /** Regions whose count was no whole number. */
  rounded = 0;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Streams the snapshots of the first head; those of others between them are kept until the end. */
  add(head: RecordHead, snapshot: RecordedSnapshot): void {
    const text = this.#snapshotText(snapshot);
    const kept = this.#records.get(head);
    if (kept === undefined && this.#first === undefined) {
      this.#first = head;
      this.#records.set(head, []);
      this.#write(`[\n${headText(head)}\n${text}`);
    } else if (head === this.#first) this.#write(`,\n${text}`);
    else if (kept === undefined) this.#records.set(head, [text]);
    else kept.push(text);
  }

  finish(): void {
    if (this.#first === undefined) this.#write('[');
    else this.#write('\n]}');
    for (const [head, texts] of this.#records) {
      if (head !== this.#first) this.#write(`,\n${headText(head)}\n${texts.join(',\n')}\n]}`);
    }
    this.#write('\n]\n');
  }

  #snapshotText(snapshot: RecordedSnapshot): string {
    const { count, start, end, nrAccesses, szFilterPassed, damosStats, probeHits } = snapshot;
    const regions: unknown[] = [];
    let totalBytes = 0;
    for (let i = 0; i < count; i++) {
      const samples = this.#samplesOf(nrAccesses[i]);
      totalBytes += end[i] - start[i];
      regions.push({
        start: grouped(start[i]),
        end: grouped(end[i]),
        nr_accesses:
          snapshot.maxNrAccesses === 100 && snapshot.sampleUs === null
            ? { samples: null, percent: String(nrAccesses[i]) }
            : { samples, percent: null },
        age: ageOf(snapshot, i),
        probe_hits: probeHits?.[i] ?? [],
        sz_filter_passed: Number.isNaN(szFilterPassed[i]) ? null : `${grouped(szFilterPassed[i])} B`,
      });
    }
    return JSON.stringify({
      start_time: String(snapshot.startNs),
      end_time: String(snapshot.endNs),
      regions,
      total_bytes: String(snapshot.totalBytes ?? totalBytes),
      damos_stats:
        damosStats === null
          ? null
          : Object.fromEntries(Object.entries(damosStats).map(([key, value]) => [key, String(value)])),
      sample_interval_us: snapshot.sampleUs === null ? null : String(snapshot.sampleUs),
    });
  }

  #samplesOf(nrAccesses: number): number {
    if (Number.isInteger(nrAccesses)) return nrAccesses;
    this.rounded++;
    return Math.max(1, Math.round(nrAccesses));
  }
}

function headText({ intervals, ...head }: RecordHead): string {
  const text = JSON.stringify({
    kdamond_idx: head.kdamondIdx,
    context_idx: head.contextIdx,
    intervals:
      intervals === null
        ? null
        : {
            sample_us: String(intervals.sampleUs),
            aggr_us: String(intervals.aggrUs),
            ops_update_us: String(intervals.opsUpdateUs),
            intervals_goal: {
              access_bp: (intervals.goal?.accessBp ?? 0).toFixed(6),
              aggrs: String(intervals.goal?.aggrs ?? 0),
              min_sample_us: String(intervals.goal?.minSampleUs ?? 0),
              max_sample_us: String(intervals.goal?.maxSampleUs ?? 0),
            },
          },
    scheme_idx: head.schemeIdx,
    target_id: head.targetId,
    scheme_filters: head.schemeFilters,
    data_source: head.dataSource ?? 'unknown',
    snapshots: [],
  });
  // A whole number stays one, also beyond 2^53.
  return text.replace(/"target_id":"(\d+)"/, '"target_id":$1').replace(/\]\}$/, '');
}

function ageOf({ age, ageUnitUs, aggrUs }: RecordedSnapshot, i: number): unknown {
  if (Number.isNaN(age[i])) return { usec: null, aggr_intervals: null };
  return ageUnitUs === null || ageUnitUs === aggrUs
    ? { usec: null, aggr_intervals: String(age[i]) }
    : { usec: String(age[i] * ageUnitUs), aggr_intervals: null };
}

/** `4,294,967,296` */
function grouped(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',');
}
