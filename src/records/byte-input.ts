/** Opens a file or standard input as a stream of bytes: read ahead, gunzipped, its length known where it can be. */
import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { ThermoError } from '../memory/error.ts';
import { readError } from './read-error.ts';

export interface ByteInputOptions {
  /** Path, or `-` for standard input. */
  readonly path: string;
  readonly stdin: Readable;
}

export interface ByteInput {
  /** For messages. */
  readonly name: string;
  /** The reader may use its buffers again: a chunk is valid until the next one is asked for. */
  readonly stream: AsyncIterable<Buffer>;
  /** Bytes of the file as it lies there; NaN for a pipe. */
  readonly size: number;
  /** Share of the input read so far, NaN where its length is unknown. */
  shareRead(): number;
}

const CHUNK = 1 << 20;

/** @throws ThermoError THERMO_FILE_UNREADABLE */
export function openBytes(options: ByteInputOptions): ByteInput {
  const name = options.path === '-' ? 'standard input' : options.path;
  let total = Number.NaN;
  let read = 0;
  let source: AsyncIterable<Buffer>;
  if (options.path === '-') source = options.stdin as AsyncIterable<Buffer>;
  else {
    const stats = statOrThrow(options.path);
    if (stats.isDirectory()) {
      throw new ThermoError('THERMO_FILE_UNREADABLE', `${options.path} is a directory`, {
        hint: 'expected a file, a record (a directory with regions/part-*.parquet), or - for standard input',
      });
    }
    if (stats.isFile()) total = stats.size;
    source = readFileAhead(options.path);
  }
  return {
    name,
    stream: decompress(source, (bytes) => {
      read += bytes;
    }),
    size: total,
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
    throw readError(error, path);
  }
}

/** Passes plain data on; gunzips what begins with gzip's magic bytes. */
async function* decompress(
  source: AsyncIterable<Buffer>,
  onBytes: (count: number) => void,
): AsyncGenerator<Buffer> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    yield* decompressed(iterator, onBytes);
  } finally {
    await iterator.return?.();
  }
}

async function* decompressed(
  iterator: AsyncIterator<Buffer>,
  onBytes: (count: number) => void,
): AsyncGenerator<Buffer> {
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
  ];
  for (const [name, bytes, command] of magic) {
    if (bytes.every((byte, i) => head[i] === byte)) {
      throw new ThermoError('THERMO_TRACE_FORMAT', `the trace is ${name}-compressed`, {
        hint: `accepted: plain or gzip; try: ${command} FILE | thermocline run SCHEMES --trace -`,
      });
    }
  }
}

/** Words for what goes wrong while reading. */
export function explainReadError(error: unknown, name: string): ThermoError {
  if (error instanceof ThermoError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code?.startsWith('Z_')) {
    const isShort = code === 'Z_BUF_ERROR';
    return new ThermoError(
      'THERMO_TRACE_TRUNCATED',
      `${name}: the compressed data ${isShort ? 'ends too early' : `is damaged (${message})`}`,
      { hint: 'copy or record the file again; nothing was replayed', cause: error },
    );
  }
  return readError(error, name);
}

/** The first bytes of a stream, and then all of it again; to be closed if it is not read to its end. */
export async function peek(
  stream: AsyncIterable<Buffer>,
  wanted: number,
): Promise<{
  readonly head: Buffer;
  readonly all: AsyncIterable<Buffer>;
  readonly close: () => Promise<void>;
}> {
  const iterator = stream[Symbol.asyncIterator]();
  const chunks: Buffer[] = [];
  let size = 0;
  let ended = false;
  while (size < wanted && !ended) {
    const next = await iterator.next();
    if (next.done) ended = true;
    else {
      // A copy: the reader uses its buffers again.
      chunks.push(Buffer.from(next.value));
      size += next.value.length;
    }
  }
  const head = Buffer.concat(chunks);
  async function* all(): AsyncGenerator<Buffer> {
    if (head.length > 0) yield head;
    for (let next = ended ? undefined : await iterator.next(); next && !next.done; ) {
      yield next.value;
      next = await iterator.next();
    }
  }
  const close = async (): Promise<void> => {
    await iterator.return?.();
  };
  return { head, all: all(), close };
}
