/**
 * Reads a record of regions: damo's in any of its encodings, DAMON's trace events, memtierd's dumps, or our own; the
 * format is given or detected. Streams by snapshot.
 */
import { createInflate } from 'node:zlib';
import { ThermoError } from '../memory/error.ts';
import { RecordCollector, type RegionRecord, type SnapshotVisitor } from '../memory/region-record.ts';
import { type ByteInputOptions, explainReadError, openBytes, peek } from './byte-input.ts';
import { DamoRecordReader } from './damo-record.ts';
import { DAMON_EVENT, DamonTraceReader } from './damon-trace.ts';
import { MEMTIERD_HEAT_HEAD, MEMTIERD_RAW_HEAD, MEMTIERD_RAW_LINE, MemtierdReader } from './memtierd.ts';
import { isPerfData, perfScript } from './perf-data.ts';
import { isRecordDirectory, readRecordRegions } from './record-reader.ts';
import { emptyRegionCounts, type RegionCounts } from './region-counts.ts';
import { LineSplitter } from './text-lines.ts';

export const REGION_FORMATS = ['damo-json', 'damo-zlib', 'damon-trace', 'memtierd', 'perf-data'] as const;

export type RegionFormat = (typeof REGION_FORMATS)[number];

export interface RegionInputOptions extends ByteInputOptions {
  readonly format?: RegionFormat | undefined;
  readonly onProgress?: (share: number) => void;
  readonly shouldStop?: () => boolean;
}

export interface RegionInput {
  /** `record`: our own. */
  readonly format: RegionFormat | 'record';
  readonly counts: RegionCounts;
}

const DETECT_BYTES = 65536;

/** Which reader reads a record of regions; undefined if it is none. */
export function detectRegionFormat(head: Buffer): RegionFormat | undefined {
  if (isPerfData(head)) return 'perf-data';
  // A zlib stream: deflate with a window of up to 32 KiB, and a check of both bytes.
  if (head.length > 2 && (head[0] & 0x0f) === 8 && head[0] >> 4 <= 7 && head.readUInt16BE(0) % 31 === 0) {
    return 'damo-zlib';
  }
  const text = head.subarray(0, DETECT_BYTES).toString('latin1');
  if (/^\s*[[{]/.test(text)) return 'damo-json';
  if (DAMON_EVENT.test(text)) return 'damon-trace';
  const lines = text.split('\n');
  const isMemtierd = (line: string): boolean =>
    MEMTIERD_RAW_HEAD.test(line) || MEMTIERD_HEAT_HEAD.test(line) || MEMTIERD_RAW_LINE.test(line);
  return lines.slice(0, 3).some(isMemtierd) ? 'memtierd' : undefined;
}

const REGION_FORMAT_HINT =
  'expected a record of thermocline, of damo (JSON, zlib or perf.data), DAMON events from perf script, or a dump of memtierd';

/**
 * Reads a record and visits its snapshots.
 * @throws ThermoError THERMO_FILE_UNREADABLE, THERMO_TRACE_TRUNCATED, THERMO_RECORD_FORMAT
 */
export async function readRegions(options: RegionInputOptions, visit: SnapshotVisitor): Promise<RegionInput> {
  const counts = emptyRegionCounts();
  if (isRecordDirectory(options.path)) {
    await readRecordRegions(options.path, counts, visit, options);
    if (counts.snapshots === 0) throw nothing(options.path);
    return { format: 'record', counts };
  }
  const input = openBytes(options);
  let close = async (): Promise<void> => {};
  try {
    const peeked = await peek(input.stream, DETECT_BYTES);
    close = peeked.close;
    const format = options.format ?? detectRegionFormat(peeked.head);
    if (format === undefined) {
      throw new ThermoError('THERMO_RECORD_FORMAT', `${input.name} is no record of regions`, {
        hint: REGION_FORMAT_HINT,
      });
    }
    const reader = openReader(format, counts, visit);
    const stream = contentOf(format, peeked.all, options.path);
    for await (const chunk of stream) {
      reader.push(chunk);
      options.onProgress?.(input.shareRead());
      if (options.shouldStop?.()) break;
    }
    reader.finish();
    if (counts.snapshots === 0) throw nothing(input.name);
    return { format, counts };
  } catch (error) {
    throw explainReadError(error, input.name);
  } finally {
    await close();
  }
}

function nothing(name: string): ThermoError {
  return new ThermoError('THERMO_RECORD_FORMAT', `${name} holds no snapshot of regions`, {
    hint: REGION_FORMAT_HINT,
  });
}

/** The whole record in memory. */
export async function loadRegions(
  options: RegionInputOptions,
): Promise<RegionInput & { readonly records: readonly RegionRecord[] }> {
  const collector = new RecordCollector();
  const input = await readRegions(options, collector.visit);
  return { ...input, records: collector.records() };
}

interface ChunkReader {
  push(chunk: Buffer): void;
  finish(): void;
}

function openReader(format: RegionFormat, counts: RegionCounts, visit: SnapshotVisitor): ChunkReader {
  if (format === 'damo-json' || format === 'damo-zlib') return new DamoRecordReader(counts, visit);
  return new LineChunks(
    format === 'memtierd' ? new MemtierdReader(counts, visit) : new DamonTraceReader(counts, visit),
  );
}

function contentOf(format: RegionFormat, all: AsyncIterable<Buffer>, path: string): AsyncIterable<Buffer> {
  if (format === 'perf-data') {
    if (path === '-') {
      throw new ThermoError('THERMO_USAGE', 'a perf.data file cannot be read from a pipe', {
        hint: 'name the file, or: perf script -i - | thermocline ...',
      });
    }
    return perfScript(path);
  }
  return format === 'damo-zlib' ? inflate(all) : all;
}

async function* inflate(all: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const { pipeline } = await import('node:stream/promises');
  const inflater = createInflate({ chunkSize: 1 << 18 });
  const pumped = pipeline(all, inflater).catch(() => {
    // The reader of `inflater` gets the same error.
  });
  yield* inflater as AsyncIterable<Buffer>;
  await pumped;
}

/** Lines for a reader of lines. */
class LineChunks implements ChunkReader {
  readonly #splitter = new LineSplitter();
  readonly #reader: { line(text: string): void; finish(): void };

  constructor(reader: { line(text: string): void; finish(): void }) {
    this.#reader = reader;
  }

  push(chunk: Buffer): void {
    this.#splitter.push(chunk, (bytes, start, end) => this.#lines(bytes, start, end));
  }

  finish(): void {
    this.#splitter.finish((bytes, start, end) => this.#lines(bytes, start, end));
    this.#reader.finish();
  }

  #lines(bytes: Uint8Array, start: number, end: number): void {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - 1 - start).toString('latin1');
    for (const line of text.split('\n')) this.#reader.line(line.endsWith('\r') ? line.slice(0, -1) : line);
  }
}
