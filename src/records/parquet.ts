/**
 * Tables as Parquet files, which DuckDB, pandas, Polars and Spark read: gzip, as everybody knows it, and
 * the types that all of them have in common.
 */
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';

export interface TableColumn {
  readonly name: string;
  /** INT64: whole numbers below 2^53. */
  readonly type: 'STRING' | 'DOUBLE' | 'INT64';
  readonly values: readonly (string | number | null)[];
}

/** @param facts key-value metadata of the file */
export function encodeParquet(
  columns: readonly TableColumn[],
  facts: Readonly<Record<string, string>>,
): Uint8Array {
  const buffer = parquetWriteBuffer({
    columnData: columns.map(({ name, type, values }) => ({
      name,
      type,
      data: type === 'INT64' ? values.map((value) => (value === null ? null : BigInt(value))) : [...values],
    })),
    codec: 'GZIP',
    compressors: { GZIP: (input) => gzipSync(input) },
    kvMetadata: Object.entries(facts).map(([key, value]) => ({ key, value })),
    createdBy: 'thermocline',
  });
  return new Uint8Array(buffer);
}
