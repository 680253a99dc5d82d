/**
 * Tables as Parquet files, which DuckDB, pandas, Polars and Spark read: gzip, as everybody knows it, and
 * the types that all of them have in common.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { type FileMetaData, parquetMetadata, parquetRead } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';

export type TableValue = string | number | bigint | boolean | null;

export interface TableColumn {
  readonly name: string;
  /** INT64: whole numbers, as bigint where they may be beyond 2^53. */
  readonly type: 'STRING' | 'DOUBLE' | 'INT64' | 'INT32' | 'BOOLEAN';
  readonly values: readonly TableValue[];
  /** Whole numbers that change little from row to row: differences are stored, not values. */
  readonly isSteady?: boolean;
}

/** @param facts key-value metadata of the file */
export function encodeParquet(
  columns: readonly TableColumn[],
  facts: Readonly<Record<string, string>>,
): Uint8Array {
  const buffer = parquetWriteBuffer({
    columnData: columns.map(({ name, type, values, isSteady }) => ({
      name,
      type,
      data: type === 'INT64' ? values.map(toBigInt) : [...values],
      ...(isSteady === true ? { encoding: 'DELTA_BINARY_PACKED' } : {}),
    })),
    codec: 'GZIP',
    compressors: { GZIP: (input) => gzipSync(input) },
    kvMetadata: Object.entries(facts).map(([key, value]) => ({ key, value })),
    createdBy: 'thermocline',
  });
  return new Uint8Array(buffer);
}

function toBigInt(value: TableValue): bigint | null {
  return value === null ? null : typeof value === 'bigint' ? value : BigInt(value);
}

/** A table that was read: rows by column. */
export interface Table {
  readonly rows: number;
  readonly facts: Readonly<Record<string, string>>;
  readonly columns: ReadonlyMap<string, ArrayLike<unknown>>;
}

/** @throws what the library throws for a file that is none, or damaged */
export async function decodeParquet(bytes: Uint8Array): Promise<Table> {
  const file = exactBuffer(bytes);
  const metadata = parquetMetadata(file);
  const rows = Number(metadata.num_rows);
  const chunks = new Map<string, { start: number; data: ArrayLike<unknown> }[]>();
  await parquetRead({
    file: { byteLength: file.byteLength, slice: (start, end) => file.slice(start, end) },
    metadata,
    compressors: { GZIP: (input) => gunzipSync(input) },
    onChunk: ({ columnName, columnData, rowStart }) => {
      const list = chunks.get(columnName) ?? [];
      list.push({ start: rowStart, data: columnData });
      chunks.set(columnName, list);
    },
  });
  const columns = new Map([...chunks].map(([name, parts]) => [name, join(parts, rows)]));
  return { rows, facts: factsOf(metadata), columns };
}

/** Key-value metadata of a file. */
export function parquetFacts(bytes: Uint8Array): Readonly<Record<string, string>> {
  return factsOf(parquetMetadata(exactBuffer(bytes)));
}

function factsOf(metadata: FileMetaData): Record<string, string> {
  return Object.fromEntries((metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']));
}

/** The library reads all of a buffer, and a small file may lie in the middle of a shared one. */
function exactBuffer(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.byteLength);
  new Uint8Array(copy).set(bytes);
  return copy;
}

function join(parts: { start: number; data: ArrayLike<unknown> }[], rows: number): ArrayLike<unknown> {
  if (parts.length === 1) return parts[0].data;
  const all = new Array<unknown>(rows);
  for (const { start, data } of parts) for (let i = 0; i < data.length; i++) all[start + i] = data[i];
  return all;
}
