/** Which reader reads a trace: by name, or by trying them on its first bytes. */
import { ThermoError } from '../memory/error.ts';
import {
  type AccessParser,
  createTraceBatch,
  NEWLINE,
  type ParserOptions,
  TRACE_FORMATS,
  type TraceFormat,
} from './access-parser.ts';
import { DRMEMTRACE_RECORD_BYTES, DrmemtraceParser } from './drmemtrace.ts';
import { IbsRawParser } from './ibs-raw.ts';
import { LackeyParser } from './lackey.ts';
import { PerfMemParser } from './perf-mem.ts';
import { PerfScriptParser } from './perf-script.ts';
import { RamulatorParser } from './ramulator.ts';
import { LineSplitter, RecordSplitter, type Splitter } from './text-lines.ts';

/** Bytes looked at to tell the format. */
export const DETECT_BYTES = 65536;

const PARSERS: Readonly<Record<TraceFormat, (options: ParserOptions) => AccessParser>> = {
  lackey: (options) => new LackeyParser(options),
  ramulator: () => new RamulatorParser(),
  'perf-script': (options) => new PerfScriptParser(options),
  'perf-mem': (options) => new PerfMemParser(options),
  'ibs-raw': (options) => new IbsRawParser(options),
  drmemtrace: (options) => new DrmemtraceParser(options),
};

export function createParser(format: TraceFormat, options: ParserOptions): AccessParser {
  return PARSERS[format](options);
}

export function createSplitter(format: TraceFormat): Splitter {
  return format === 'drmemtrace' ? new RecordSplitter(DRMEMTRACE_RECORD_BYTES) : new LineSplitter();
}

export function isZip(head: Buffer): boolean {
  return head.length >= 4 && head.readUInt32LE(0) === 0x04034b50;
}

/** The reader that finds most accesses in the first lines; undefined if none finds any. */
export function detectTraceFormat(head: Buffer, options: ParserOptions): TraceFormat | undefined {
  if (isZip(head)) return 'drmemtrace';
  const sample = head.subarray(0, DETECT_BYTES);
  // Registers look like samples without times to a reader of perf script.
  if (/^(?:ibs_op_data3|IbsDCLinAd): |PERF_RECORD_SAMPLE\(/m.test(sample.toString('latin1')))
    return 'ibs-raw';
  const last = sample.lastIndexOf(NEWLINE);
  const bytes = last >= 0 ? sample.subarray(0, last + 1) : Buffer.concat([sample, Buffer.from('\n')]);
  let best: TraceFormat | undefined;
  let bestCount = 0;
  for (const format of TRACE_FORMATS) {
    if (format === 'drmemtrace' || format === 'ibs-raw') continue;
    const parser = createParser(format, { ...options, pid: undefined, includeFetches: true });
    const batch = createTraceBatch();
    parser.parse(bytes, 0, bytes.length, batch, () => {
      batch.count = 0;
    });
    const { accesses, addressesTooLarge, noAddress, unreadableLines } = parser.counts;
    const found = accesses + addressesTooLarge + noAddress;
    if (found > bestCount && found * 2 > unreadableLines) {
      best = format;
      bestCount = found;
    }
  }
  return best;
}

/** Samples of perf that were recorded or printed without addresses: the likeliest mistake. */
export function withoutAddresses(head: Buffer, name: string): ThermoError | undefined {
  if (!/^.*\d+\.(?:\d{6}|\d{9}):\s+(?:\d+\s+)?\S+:\s/m.test(head.toString('latin1'))) return undefined;
  return new ThermoError('THERMO_TRACE_FORMAT', `${name}: the samples have no data addresses`, {
    hint: 'record with: perf record -d (and --phys-data), print with: perf script -F comm,pid,tid,cpu,time,period,event,addr,phys_addr,data_src',
  });
}
