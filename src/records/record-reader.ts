/** Reads our own record, part by part; of a process that was killed all parts but the last one are there. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ThermoError } from '../memory/error.ts';
import type { RecordedSnapshot, RecordHead, SnapshotVisitor } from '../memory/region-record.ts';
import {
  type AccessParser,
  addAccess,
  createTraceBatch,
  emptyCounts,
  TRACE_BATCH,
  type TraceBatch,
} from './access-parser.ts';
import { decodeParquet, parquetFacts, type Table } from './parquet.ts';
import { readError } from './read-error.ts';
import { RECORD_SCHEMA, REGIONS_TABLE, SAMPLES_TABLE } from './record-writer.ts';
import type { RegionCounts } from './region-counts.ts';

export interface ReadOptions {
  readonly onProgress?: (share: number) => void;
  readonly shouldStop?: () => boolean;
}

/** True for a directory that holds a table of a record. */
export function isRecordDirectory(path: string): boolean {
  try {
    return (
      statSync(path).isDirectory() &&
      [REGIONS_TABLE, SAMPLES_TABLE].some((table) => partsOf(path, table).length > 0)
    );
  } catch {
    return false;
  }
}

/** Which tables the record has. */
export function tablesOf(path: string): { readonly regions: boolean; readonly samples: boolean } {
  return {
    regions: partsOf(path, REGIONS_TABLE).length > 0,
    samples: partsOf(path, SAMPLES_TABLE).length > 0,
  };
}

/** Paths of the parts of a table, the oldest first. */
function partsOf(path: string, table: string): string[] {
  // The folder of one table is a record as well.
  const folder = basename(path) === table ? path : join(path, table);
  try {
    const names = readdirSync(folder).filter((name) => /^part-\d+\.parquet$/.test(name));
    return names.sort().map((name) => join(folder, name));
  } catch {
    return [];
  }
}

/** What the record is about, from its first part. */
export function recordFacts(path: string): Readonly<Record<string, string>> {
  const [first] = [...partsOf(path, REGIONS_TABLE), ...partsOf(path, SAMPLES_TABLE)];
  if (first === undefined) throw notRecord(path);
  return factsIn(first);
}

function factsIn(part: string): Readonly<Record<string, string>> {
  try {
    return parquetFacts(readFileSync(part));
  } catch (error) {
    throw damaged(part, error);
  }
}

/** Visits all snapshots; those of a head come in the order of time. */
export async function readRecordRegions(
  path: string,
  counts: RegionCounts,
  visit: SnapshotVisitor,
  options: ReadOptions = {},
): Promise<void> {
  // Heads by their text, so that one that is in many parts stays one.
  const heads = new Map<string, RecordHead>();
  await forEachPart(path, REGIONS_TABLE, options, (table) => {
    const listed = JSON.parse(table.facts['thermocline.heads'] ?? '[]') as RecordHead[];
    const known = listed.map((head, i) => {
      const key = `${i} ${JSON.stringify(head)}`;
      const first = heads.get(key) ?? head;
      heads.set(key, first);
      return first;
    });
    visitTable(table, known, counts, visit);
  });
  counts.records = heads.size;
}

async function forEachPart(
  path: string,
  table: string,
  { onProgress, shouldStop }: ReadOptions,
  visit: (table: Table) => void,
): Promise<void> {
  const parts = partsOf(path, table);
  for (const [i, part] of parts.entries()) {
    visit(await readPart(part));
    onProgress?.((i + 1) / parts.length);
    if (shouldStop?.()) return;
  }
}

async function readPart(part: string): Promise<Table> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(part);
  } catch (error) {
    throw readError(error, part);
  }
  const table = await decodeParquet(bytes).catch((error: unknown) => {
    throw damaged(part, error);
  });
  const schema = table.facts['thermocline.schema'];
  if (schema !== RECORD_SCHEMA) {
    throw new ThermoError('THERMO_RECORD_FORMAT', `${part} is of ${schema ?? 'another program'}`, {
      hint: `expected ${RECORD_SCHEMA}`,
    });
  }
  return table;
}

function damaged(part: string, error: unknown): ThermoError {
  return new ThermoError('THERMO_TRACE_TRUNCATED', `${part} is damaged: ${(error as Error).message}`, {
    hint: 'copy the record again, or remove the part: the others can be read without it',
    cause: error,
  });
}

function notRecord(path: string): ThermoError {
  return new ThermoError('THERMO_RECORD_FORMAT', `${path} holds no record`, {
    hint: 'expected a directory that run --record or convert wrote, with regions/part-*.parquet',
  });
}

type Column = ArrayLike<unknown>;

function visitTable(
  { rows, columns }: Table,
  heads: readonly RecordHead[],
  counts: RegionCounts,
  visit: SnapshotVisitor,
): void {
  const column = (name: string): Column => {
    const found = columns.get(name);
    if (found === undefined) {
      throw new ThermoError('THERMO_RECORD_FORMAT', `the record has no column ${name}`, {
        hint: `expected the columns of ${RECORD_SCHEMA} (docs/records.md)`,
      });
    }
    return found;
  };
  const record = column('record');
  const number = column('snapshot');
  for (let from = 0; from < rows; ) {
    let to = from + 1;
    while (to < rows && number[to] === number[from]) to++;
    const snapshot = snapshotOf(column, from, to);
    counts.snapshots++;
    counts.regions += snapshot.count;
    visit(heads[Number(record[from])], snapshot);
    from = to;
  }
}

function snapshotOf(column: (name: string) => Column, from: number, to: number): RecordedSnapshot {
  const starts = column('start');
  const isEmpty = starts[from] === null || starts[from] === undefined;
  const count = isEmpty ? 0 : to - from;
  const numbers = (name: string): Float64Array => {
    const values = column(name);
    const numbersOf = new Float64Array(count);
    for (let i = 0; i < count; i++) numbersOf[i] = numberOr(values[from + i], Number.NaN);
    return numbersOf;
  };
  const single = (name: string): number | null => {
    const value = column(name)[from];
    return value === null || value === undefined ? null : Number(value);
  };
  const text = (name: string, i: number): string | undefined => {
    const value = column(name)[i];
    return typeof value === 'string' ? value : undefined;
  };
  const rates = numbers('rate_per_s');
  const hits = count > 0 ? text('probe_hits', from) : undefined;
  const stats = text('damos_stats', from);
  return {
    startNs: BigInt(String(column('start_ns')[from])),
    endNs: BigInt(String(column('end_ns')[from])),
    count,
    start: numbers('start'),
    end: numbers('end'),
    nrAccesses: numbers('nr_accesses'),
    age: numbers('age'),
    szFilterPassed: numbers('sz_filter_passed'),
    ...(count > 0 && !Number.isNaN(rates[0]) ? { ratePerS: rates } : {}),
    ...(hits === undefined
      ? {}
      : {
          probeHits: Array.from(
            { length: count },
            (_, i) => JSON.parse(text('probe_hits', from + i) ?? '[]') as number[],
          ),
        }),
    sampleUs: single('sample_us'),
    aggrUs: single('aggr_us'),
    ageUnitUs: single('age_unit_us'),
    maxNrAccesses: single('max_nr_accesses'),
    totalBytes: single('total_bytes'),
    damosStats: stats === undefined ? null : (JSON.parse(stats) as Record<string, number>),
  };
}

function numberOr(value: unknown, otherwise: number): number {
  return value === null || value === undefined ? otherwise : Number(value);
}

/** Hands the raw samples to `consume`, as the reader of a trace does. */
export async function readRecordSamples(
  path: string,
  consume: (batch: TraceBatch, parser: AccessParser) => void,
  options: ReadOptions & { readonly pid?: number | undefined } = {},
): Promise<AccessParser> {
  const counts = emptyCounts();
  const batch = createTraceBatch();
  let startNs: bigint | undefined;
  const parser = {
    format: 'record' as const,
    clock: 'time' as const,
    counts,
    startUs: Number.NaN,
    period: Number.NaN,
    parse: () => undefined,
  };
  await forEachPart(path, SAMPLES_TABLE, options, ({ rows, columns, facts }) => {
    parser.period = Number(facts['thermocline.period'] ?? Number.NaN);
    const column = (name: string): Column => columns.get(name) ?? [];
    const [times, addresses, stores] = ['time_ns', 'address', 'is_store'].map(column);
    const [pids, cpus] = ['pid', 'cpu'].map(column);
    for (let row = 0; row < rows; row++) {
      counts.lines++;
      const pid = numberOr(pids[row], -1);
      if (options.pid !== undefined && pid !== options.pid) continue;
      const ns = BigInt(String(times[row]));
      if (startNs === undefined) {
        startNs = ns;
        parser.startUs = Number(ns) / 1000;
      }
      const ticks = Number(ns - startNs) / 1000;
      const isStore = stores[row] === true ? 1 : 0;
      addAccess(batch, Number(addresses[row]), isStore, ticks, pid, numberOr(cpus[row], -1));
      counts.accesses++;
      counts.ticks = Math.max(counts.ticks, ticks);
      if (batch.count === TRACE_BATCH) {
        consume(batch, parser);
        batch.count = 0;
      }
    }
  });
  consume(batch, parser);
  return parser;
}
