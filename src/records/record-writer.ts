/**
 * Our own record: a directory of Parquet parts, `regions/part-000000.parquet` and, where raw samples are kept,
 * `samples/part-000000.parquet`. A part is written under another name, synced and renamed, when it is full or
 * {@link PART_MS} have passed: whatever happens to the process, what is there opens, and at most the last
 * part is lost. What the numbers are about stands in the key-values of each file.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ThermoError } from '../memory/error.ts';
import type { RecordedSnapshot, RecordHead } from '../memory/region-record.ts';
import { encodeParquet, type TableColumn, type TableValue } from './parquet.ts';
import { writeError } from './write-error.ts';
import { writeWhole } from './write-whole.ts';

export const RECORD_SCHEMA = 'thermocline.record/1';
export const REGIONS_TABLE = 'regions';
export const SAMPLES_TABLE = 'samples';
/** Rows of a part, some 6 bytes each. */
const PART_ROWS = 1 << 17;
/** Longest time that a part stays open. */
const PART_MS = 10_000;

/** Columns of a batch of samples; a trace's batch and a push batch both are. */
export interface SampleColumns {
  readonly count: number;
  readonly address: Float64Array;
  readonly isStore: Uint8Array;
  readonly pid?: Int32Array;
  readonly cpu?: Int16Array;
  readonly nid?: Int16Array;
}

export class RecordWriter {
  readonly path: string;
  #facts: Readonly<Record<string, string>>;
  readonly #nowMs: () => number;
  readonly #heads: RecordHead[] = [];
  #snapshots = 0;
  #regions: PartWriter | undefined;
  #samples: PartWriter | undefined;

  /**
   * @param facts what the record is about: machine, workload, command
   * @throws ThermoError if there is something at `path` already, or it cannot be written
   */
  constructor(
    path: string,
    facts: Readonly<Record<string, string>>,
    nowMs: () => number = () => performance.now(),
  ) {
    this.path = path;
    this.#facts = facts;
    this.#nowMs = nowMs;
    this.#try(() => mkdirSync(path, { recursive: true }));
    if (readdirSync(path).length > 0) {
      throw new ThermoError('THERMO_FILE_UNWRITABLE', `${path} is there already, and not empty`, {
        hint: 'name another directory, or remove it first',
      });
    }
  }

  addSnapshot(head: RecordHead, snapshot: RecordedSnapshot): void {
    let record = this.#heads.indexOf(head);
    if (record < 0) record = this.#heads.push(head) - 1;
    this.#regions ??= this.#openPart(REGIONS_TABLE, REGION_COLUMNS);
    appendSnapshot(this.#regions.columns, record, this.#snapshots++, snapshot);
    this.#regions.added(Math.max(1, snapshot.count));
  }

  /** @param timeNs of a sample, on the record's clock */
  addSamples(batch: SampleColumns, timeNs: (i: number) => bigint): void {
    this.#samples ??= this.#openPart(SAMPLES_TABLE, SAMPLE_COLUMNS);
    const [times, addresses, stores, pids, cpus, nids] = this.#samples.columns;
    for (let i = 0; i < batch.count; i++) {
      times.push(timeNs(i));
      addresses.push(BigInt(batch.address[i]));
      stores.push(batch.isStore[i] === 1);
      pids.push(known(batch.pid?.[i]));
      cpus.push(known(batch.cpu?.[i]));
      nids.push(known(batch.nid?.[i]));
    }
    this.#samples.added(batch.count);
  }

  /** What is known only now: for the parts that are written from now on. */
  setFact(name: string, value: string): void {
    this.#facts = { ...this.#facts, [name]: value };
  }

  /** Writes what is still open. */
  finish(): void {
    this.#regions?.flush();
    this.#samples?.flush();
  }

  #openPart(table: string, columns: readonly ColumnSpec[]): PartWriter {
    const folder = join(this.path, table);
    this.#try(() => mkdirSync(folder, { recursive: true }));
    return new PartWriter(columns, this.#nowMs, (part, values) => {
      const facts = {
        'thermocline.schema': RECORD_SCHEMA,
        'thermocline.table': table,
        'thermocline.heads': JSON.stringify(this.#heads),
        ...this.#facts,
      };
      const bytes = encodeParquet(values, facts);
      this.#try(() => writeWhole(join(folder, `part-${String(part).padStart(6, '0')}.parquet`), bytes));
    });
  }

  #try(action: () => void): void {
    try {
      action();
    } catch (error) {
      throw writeError(error, this.path, 'name another directory; the parts that are there can be read');
    }
  }
}

interface ColumnSpec extends Omit<TableColumn, 'values'> {}

/** The rows of the part that is open. */
class PartWriter {
  readonly #specs: readonly ColumnSpec[];
  readonly #nowMs: () => number;
  readonly #write: (part: number, columns: readonly TableColumn[]) => void;
  columns: TableValue[][];
  #rows = 0;
  #part = 0;
  #openedMs: number;

  constructor(
    specs: readonly ColumnSpec[],
    nowMs: () => number,
    write: (part: number, columns: readonly TableColumn[]) => void,
  ) {
    this.#specs = specs;
    this.#nowMs = nowMs;
    this.#write = write;
    this.columns = specs.map(() => []);
    this.#openedMs = nowMs();
  }

  added(rows: number): void {
    this.#rows += rows;
    if (this.#rows >= PART_ROWS || this.#nowMs() - this.#openedMs >= PART_MS) this.flush();
  }

  flush(): void {
    if (this.#rows > 0) {
      this.#write(
        this.#part++,
        this.#specs.map((spec, i) => ({ ...spec, values: this.columns[i] })),
      );
    }
    this.columns = this.#specs.map(() => []);
    this.#rows = 0;
    this.#openedMs = this.#nowMs();
  }
}

/** A region a row; a snapshot without any is a row without addresses. */
const REGION_COLUMNS: readonly ColumnSpec[] = [
  { name: 'record', type: 'INT32' },
  { name: 'snapshot', type: 'INT64' },
  { name: 'start_ns', type: 'INT64' },
  { name: 'end_ns', type: 'INT64' },
  { name: 'start', type: 'INT64', isSteady: true },
  { name: 'end', type: 'INT64', isSteady: true },
  { name: 'nr_accesses', type: 'DOUBLE' },
  { name: 'age', type: 'DOUBLE' },
  { name: 'rate_per_s', type: 'DOUBLE' },
  { name: 'sz_filter_passed', type: 'DOUBLE' },
  { name: 'probe_hits', type: 'STRING' },
  { name: 'sample_us', type: 'DOUBLE' },
  { name: 'aggr_us', type: 'DOUBLE' },
  { name: 'age_unit_us', type: 'DOUBLE' },
  { name: 'max_nr_accesses', type: 'DOUBLE' },
  { name: 'total_bytes', type: 'DOUBLE' },
  { name: 'damos_stats', type: 'STRING' },
];

const SAMPLE_COLUMNS: readonly ColumnSpec[] = [
  { name: 'time_ns', type: 'INT64', isSteady: true },
  { name: 'address', type: 'INT64' },
  { name: 'is_store', type: 'BOOLEAN' },
  { name: 'pid', type: 'INT32' },
  { name: 'cpu', type: 'INT32' },
  { name: 'nid', type: 'INT32' },
];

function appendSnapshot(
  columns: TableValue[][],
  record: number,
  number: number,
  snapshot: RecordedSnapshot,
): void {
  const stats = snapshot.damosStats === null ? null : JSON.stringify(snapshot.damosStats);
  const rows = Math.max(1, snapshot.count);
  for (let i = 0; i < rows; i++) {
    const isEmpty = snapshot.count === 0;
    const row: TableValue[] = [
      record,
      BigInt(number),
      snapshot.startNs,
      snapshot.endNs,
      isEmpty ? null : BigInt(snapshot.start[i]),
      isEmpty ? null : BigInt(snapshot.end[i]),
      isEmpty ? null : snapshot.nrAccesses[i],
      isEmpty ? null : orNull(snapshot.age[i]),
      isEmpty || snapshot.ratePerS === undefined ? null : orNull(snapshot.ratePerS[i]),
      isEmpty ? null : orNull(snapshot.szFilterPassed[i]),
      isEmpty || snapshot.probeHits === undefined ? null : JSON.stringify(snapshot.probeHits[i]),
      snapshot.sampleUs,
      snapshot.aggrUs,
      snapshot.ageUnitUs,
      snapshot.maxNrAccesses,
      snapshot.totalBytes,
      stats,
    ];
    row.forEach((value, column) => {
      columns[column].push(value);
    });
  }
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function known(value: number | undefined): number | null {
  return value === undefined || value < 0 ? null : value;
}
