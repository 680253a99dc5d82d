/**
 * Opens a trace: a file or standard input, plain or gzip, in a format that is given or detected.
 * Streams: memory use does not depend on the length of the trace.
 */
import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ThermoError } from '../memory/error.ts';
import {
  type AccessParser,
  createTraceBatch,
  NEWLINE,
  type ParserOptions,
  TRACE_FORMATS,
  type TraceBatch,
  type TraceFormat,
} from './access-parser.ts';
import { LackeyParser } from './lackey.ts';
import { RamulatorParser } from './ramulator.ts';
import { readError } from './read-error.ts';

export interface TraceInputOptions extends ParserOptions {
  /** Path, or `-` for standard input. */
  readonly path: string;
  readonly format: TraceFormat | undefined;
  readonly stdin: Readable;
  /** Called now and then with the share of the input read, NaN where its length is unknown. */
  readonly onProgress?: (share: number) => void;
  readonly shouldStop?: () => boolean;
}

/** Longest line that is kept; a longer one is no access. */
const MAX_LINE = 65536;
const CHUNK = 1 << 20;
/** Bytes looked at to tell the format. */
const DETECT_BYTES = 65536;

/**
 * Reads the whole trace and hands batches of accesses to `consume`.
 *
 * @throws ThermoError THERMO_FILE_UNREADABLE, THERMO_TRACE_TRUNCATED, THERMO_TRACE_FORMAT
 */
export async function readTrace(
  options: TraceInputOptions,
  consume: (batch: TraceBatch) => void,
): Promise<AccessParser> {
  const name = options.path === '-' ? 'standard input' : options.path;
  const batch = createTraceBatch();
  const flush = (): void => {
    consume(batch);
    batch.count = 0;
  };
  const splitter = new LineSplitter();
  let parser: AccessParser | undefined;
  const onLines = (bytes: Uint8Array, start: number, end: number): void => {
    parser?.parse(bytes, start, end, batch, flush);
  };
  const head = new Head(options.format === undefined ? DETECT_BYTES : 0);
  const begin = (bytes: Buffer): void => {
    parser = createParser(options.format ?? detectFormat(bytes, name, options), options);
    splitter.push(bytes, onLines);
  };
  const { stream, shareRead } = openStream(options);
  try {
    for await (const chunk of stream) {
      if (parser !== undefined) splitter.push(chunk as Buffer, onLines);
      else if (head.add(chunk as Buffer)) begin(head.take());
      options.onProgress?.(shareRead());
      if (options.shouldStop?.()) break;
    }
  } catch (error) {
    throw explainReadError(error as NodeJS.ErrnoException, name);
  }
  if (parser === undefined && head.size > 0) begin(head.take());
  splitter.finish(onLines);
  flush();
  if (parser === undefined || parser.counts.accesses === 0) {
    throw new ThermoError('THERMO_TRACE_FORMAT', `${name} holds no memory access`, { hint: FORMAT_HINT });
  }
  return parser;
}

const FORMAT_HINT =
  'expected valgrind lackey text (--tool=lackey --trace-mem=yes) or a ramulator CPU trace, plain or gzip; --format names it';

function createParser(format: TraceFormat, options: ParserOptions): AccessParser {
  return format === 'lackey' ? new LackeyParser(options) : new RamulatorParser();
}

/** The first bytes of a stream, kept until there are enough to tell the format. */
class Head {
  readonly #wanted: number;
  #chunks: Buffer[] = [];
  size = 0;

  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  /** @returns true once there are enough */
  add(chunk: Buffer): boolean {
    // A copy: the reader uses its buffers again.
    this.#chunks.push(Buffer.from(chunk));
    this.size += chunk.length;
    return this.size >= this.#wanted;
  }

  take(): Buffer {
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [];
    return all;
  }
}

/** Tries every parser on the first lines; the one that finds most accesses wins. */
function detectFormat(head: Buffer, name: string, options: ParserOptions): TraceFormat {
  const sample = head.subarray(0, DETECT_BYTES);
  const last = sample.lastIndexOf(NEWLINE);
  const bytes = last >= 0 ? sample.subarray(0, last + 1) : Buffer.concat([sample, Buffer.from('\n')]);
  let best: TraceFormat | undefined;
  let bestCount = 0;
  for (const format of TRACE_FORMATS) {
    const parser = createParser(format, { ...options, includeFetches: true });
    const batch = createTraceBatch();
    parser.parse(bytes, 0, bytes.length, batch, () => {
      batch.count = 0;
    });
    const found = parser.counts.accesses + parser.counts.addressesTooLarge;
    if (found > bestCount && found * 2 > parser.counts.unreadableLines) {
      best = format;
      bestCount = found;
    }
  }
  if (best === undefined) {
    throw new ThermoError('THERMO_TRACE_FORMAT', `${name} is in no known trace format`, {
      hint: FORMAT_HINT,
    });
  }
  return best;
}

function openStream(options: TraceInputOptions): { stream: AsyncIterable<unknown>; shareRead: () => number } {
  let total = Number.NaN;
  let read = 0;
  let source: AsyncIterable<Buffer>;
  if (options.path === '-') source = options.stdin as AsyncIterable<Buffer>;
  else {
    const stats = statOrThrow(options.path);
    if (stats.isDirectory()) {
      throw new ThermoError('THERMO_FILE_UNREADABLE', `${options.path} is a directory`, {
        hint: 'expected a trace file, or - for standard input',
      });
    }
    if (stats.isFile()) total = stats.size;
    source = readFileAhead(options.path);
  }
  return {
    stream: decompress(source, (bytes) => {
      read += bytes;
    }),
    shareRead: () => Math.min(1, read / total),
  };
}

/** Reads a file in chunks, the next one while the caller works on the last; chunks are reused. */
async function* readFileAhead(path: string): AsyncGenerator<Buffer> {
  const handle = await open(path, 'r');
  try {
    let [current, next] = [Buffer.allocUnsafeSlow(CHUNK), Buffer.allocUnsafeSlow(CHUNK)];
    let reading = handle.read(current, 0, CHUNK, null);
    for (;;) {
      const { bytesRead } = await reading;
      if (bytesRead === 0) return;
      const chunk = current.subarray(0, bytesRead);
      [current, next] = [next, current];
      reading = handle.read(current, 0, CHUNK, null);
      try {
        yield chunk;
      } catch (error) {
        await reading;
        throw error;
      }
    }
  } finally {
    await handle.close();
  }
}

function statOrThrow(path: string) {
  try {
    return statSync(path);
  } catch (error) {
    throw explainReadError(error as NodeJS.ErrnoException, path);
  }
}

/** Passes plain data on; gunzips what begins with gzip's magic bytes. */
async function* decompress(
  source: AsyncIterable<Buffer>,
  onBytes: (count: number) => void,
): AsyncGenerator<Buffer> {
  const iterator = source[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  let ended = false;
  while (head.length < 4 && !ended) {
    const next = await iterator.next();
    if (next.done) ended = true;
    else head = Buffer.concat([head, next.value]);
  }
  const isGzip = head.length >= 2 && head[0] === 0x1f && head[1] === 0x8b;
  rejectOtherCompression(head);
  async function* counted(): AsyncGenerator<Buffer> {
    onBytes(head.length);
    if (head.length > 0) yield head;
    for (
      let next = ended ? undefined : await iterator.next();
      next && !next.done;
      next = await iterator.next()
    ) {
      onBytes(next.value.length);
      yield next.value;
    }
  }
  if (!isGzip) {
    yield* counted();
    return;
  }
  const gunzip = createGunzip({ chunkSize: CHUNK });
  const { pipeline } = await import('node:stream/promises');
  const pumped = pipeline(counted, gunzip).catch(() => {
    // The reader of `gunzip` gets the same error.
  });
  yield* gunzip as AsyncIterable<Buffer>;
  await pumped;
}

function rejectOtherCompression(head: Buffer): void {
  const magic: readonly (readonly [string, readonly number[], string])[] = [
    ['zstd', [0x28, 0xb5, 0x2f, 0xfd], 'zstd -dc'],
    ['xz', [0xfd, 0x37, 0x7a, 0x58], 'xz -dc'],
    ['bzip2', [0x42, 0x5a, 0x68], 'bzip2 -dc'],
    ['zip', [0x50, 0x4b, 0x03, 0x04], 'unzip -p'],
  ];
  for (const [name, bytes, command] of magic) {
    if (bytes.every((byte, i) => head[i] === byte)) {
      throw new ThermoError('THERMO_TRACE_FORMAT', `the trace is ${name}-compressed`, {
        hint: `accepted: plain or gzip; try: ${command} FILE | thermocline run SCHEMES --trace -`,
      });
    }
  }
}

function explainReadError(error: NodeJS.ErrnoException, name: string): ThermoError {
  if (error instanceof ThermoError) return error;
  if (error.code?.startsWith('Z_')) {
    const isShort = error.code === 'Z_BUF_ERROR';
    return new ThermoError(
      'THERMO_TRACE_TRUNCATED',
      `${name}: the gzip data ${isShort ? 'ends too early' : `is damaged (${error.message})`}`,
      {
        hint: 'copy or record the file again; nothing was replayed',
      },
    );
  }
  return readError(error, name);
}

type LinesConsumer = (bytes: Uint8Array, start: number, end: number) => void;

/** Cuts a stream of chunks at newlines without copying more than the broken lines. */
class LineSplitter {
  #tail: Buffer = Buffer.alloc(0);

  push(chunk: Buffer, onLines: LinesConsumer): void {
    const last = chunk.lastIndexOf(NEWLINE);
    if (last < 0) {
      this.#keep(Buffer.concat([this.#tail, chunk]));
      return;
    }
    let start = 0;
    if (this.#tail.length > 0) {
      const first = chunk.indexOf(NEWLINE);
      const line = Buffer.concat([this.#tail, chunk.subarray(0, first + 1)]);
      onLines(line, 0, line.length);
      start = first + 1;
    }
    if (last + 1 > start) onLines(chunk, start, last + 1);
    this.#keep(Buffer.from(chunk.subarray(last + 1)));
  }

  /** The last line need not end in a newline. */
  finish(onLines: LinesConsumer): void {
    if (this.#tail.length === 0) return;
    const line = Buffer.concat([this.#tail, Buffer.from('\n')]);
    onLines(line, 0, line.length);
  }

  /** A line without end is cut: it is no access, but must not fill memory either. */
  #keep(tail: Buffer): void {
    this.#tail = tail.length > MAX_LINE ? tail.subarray(0, MAX_LINE) : tail;
  }
}
