/**
 * Reads a trace of accesses: a file or standard input, plain or compressed, in a format that is given or
 * detected. Streams: memory use does not depend on the length of the trace.
 */
import { ThermoError } from '../memory/error.ts';
import {
  type AccessParser,
  createTraceBatch,
  type ParserOptions,
  type TraceBatch,
  type TraceFormat,
} from './access-parser.ts';
import { type ByteInput, type ByteInputOptions, explainReadError, openBytes, peek } from './byte-input.ts';
import { isPerfData, perfSamples } from './perf-data.ts';
import { isRecordDirectory, readRecordSamples } from './record-reader.ts';
import {
  createParser,
  createSplitter,
  DETECT_BYTES,
  detectTraceFormat,
  isZip,
  withoutAddresses,
} from './trace-formats.ts';
import { readZip } from './zip.ts';

export interface TraceInputOptions extends ParserOptions, ByteInputOptions {
  readonly format: TraceFormat | undefined;
  /** Called now and then with the share of the input read, NaN where its length is unknown. */
  readonly onProgress?: (share: number) => void;
  readonly shouldStop?: () => boolean;
}

/**
 * Reads the whole trace and hands batches of accesses to `consume`.
 *
 * @throws ThermoError THERMO_FILE_UNREADABLE, THERMO_TRACE_TRUNCATED, THERMO_TRACE_FORMAT
 */
export async function readTrace(
  options: TraceInputOptions,
  consume: (batch: TraceBatch, parser: AccessParser) => void,
): Promise<AccessParser> {
  if (isRecordDirectory(options.path)) return readSamples(options, consume);
  const input = openBytes(options);
  let close = async (): Promise<void> => {};
  try {
    const peeked = await peek(input.stream, DETECT_BYTES);
    const { head, all } = peeked;
    close = peeked.close;
    if (head.length === 0) throw nothing(input.name);
    if (isPerfData(head) && options.format === undefined) {
      const content = { stream: perfSamples(options.path), shareRead: () => Number.NaN };
      return await parseStream('perf-script', content, input.name, options, consume);
    }
    const format = options.format ?? detectTraceFormat(head, options);
    if (format === undefined) {
      throw (
        withoutAddresses(head, input.name) ??
        new ThermoError('THERMO_TRACE_FORMAT', `${input.name} is in no known trace format`, {
          hint: FORMAT_HINT,
        })
      );
    }
    const content = isZip(head) ? unzip(options.path, input) : { stream: all, shareRead: input.shareRead };
    return await parseStream(format, content, input.name, options, consume);
  } catch (error) {
    throw explainReadError(error, input.name);
  } finally {
    await close();
  }
}

async function readSamples(
  options: TraceInputOptions,
  consume: (batch: TraceBatch, parser: AccessParser) => void,
): Promise<AccessParser> {
  const parser = await readRecordSamples(options.path, consume, options);
  if (parser.counts.accesses > 0) return parser;
  throw new ThermoError('THERMO_TRACE_FORMAT', `${options.path} holds no samples`, {
    hint: 'record them with --record-samples',
  });
}

const FORMAT_HINT =
  'expected text of valgrind lackey (--tool=lackey --trace-mem=yes), ramulator, perf script, perf mem report -D -x, or perf report -D with IBS registers, or a drmemtrace zip; --format names it';

function nothing(name: string): ThermoError {
  return new ThermoError('THERMO_TRACE_FORMAT', `${name} holds no memory access`, { hint: FORMAT_HINT });
}

/** @throws ThermoError for a pipe: the list of a zip's members stands at its end */
function unzip(path: string, input: ByteInput): Pick<ByteInput, 'stream' | 'shareRead'> {
  if (path === '-') {
    throw new ThermoError('THERMO_TRACE_FORMAT', 'a zip file cannot be read from a pipe', {
      hint: 'name the file, or: unzip -p FILE "chunk.*" | thermocline ... --format drmemtrace',
    });
  }
  const { size } = input;
  let read = 0;
  const isChunk = (name: string): boolean => /(?:^|\/)chunk\.\d+$/.test(name);
  const stream = readZip(path, isChunk, (bytes) => {
    read += bytes;
  });
  return { stream, shareRead: () => Math.min(1, read / size) };
}

async function parseStream(
  format: TraceFormat,
  { stream, shareRead }: Pick<ByteInput, 'stream' | 'shareRead'>,
  name: string,
  options: TraceInputOptions,
  consume: (batch: TraceBatch, parser: AccessParser) => void,
): Promise<AccessParser> {
  const parser = createParser(format, options);
  const splitter = createSplitter(format);
  const batch = createTraceBatch();
  const flush = (): void => {
    consume(batch, parser);
    batch.count = 0;
  };
  const onPart = (bytes: Uint8Array, start: number, end: number): void => {
    parser.parse(bytes, start, end, batch, flush);
  };
  for await (const chunk of stream) {
    splitter.push(chunk, onPart);
    options.onProgress?.(shareRead());
    if (options.shouldStop?.()) break;
  }
  splitter.finish(onPart);
  parser.finish?.(batch);
  flush();
  if (parser.counts.accesses === 0) throw nothing(name);
  return parser;
}
