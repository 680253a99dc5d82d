/** Reads perf's own files through `perf script`, where perf is installed. */
import { spawn } from 'node:child_process';
import { ThermoError } from '../memory/error.ts';

const MAGIC = Buffer.from('PERFILE2');

export function isPerfData(head: Buffer): boolean {
  return head.subarray(0, MAGIC.length).equals(MAGIC);
}

/** What of a sample there is, if it was recorded; perf refuses to print what was not. */
const SAMPLE_FIELDS = [
  'comm',
  'pid',
  'tid',
  'cpu',
  'time',
  'period',
  'event',
  'addr',
  'data_src',
  'phys_addr',
] as const;

/**
 * The text that `perf script` makes of a file.
 * @throws ThermoError THERMO_FILE_UNREADABLE if perf is not there or cannot read it
 */
export async function* perfScript(path: string, options: readonly string[] = []): AsyncGenerator<Buffer> {
  const run = startPerf(path, options);
  yield* run.text;
  const { error, status, complaint } = await run.ended;
  if (error !== undefined) throw noPerf(path, error);
  if (status !== 0 && !run.wasStopped()) throw failed(path, complaint);
}

/** The same of memory samples, with every field that was recorded. */
export async function* perfSamples(path: string): AsyncGenerator<Buffer> {
  let fields: readonly string[] = SAMPLE_FIELDS;
  for (;;) {
    const run = startPerf(path, ['--ns', '-F', fields.join(',')]);
    yield* run.text;
    const { error, status, complaint } = await run.ended;
    if (error !== undefined) throw noPerf(path, error);
    if (status === 0 || run.wasStopped()) return;
    // perf refuses before it prints anything.
    const refused = /Cannot print '(\w+)' field/.exec(complaint)?.[1];
    if (refused === undefined || !fields.includes(refused)) throw failed(path, complaint);
    fields = fields.filter((field) => field !== refused);
  }
}

interface PerfRun {
  readonly text: AsyncGenerator<Buffer>;
  readonly ended: Promise<{ error: Error | undefined; status: number; complaint: string }>;
  /** By who did not want to read on. */
  wasStopped(): boolean;
}

function startPerf(path: string, options: readonly string[]): PerfRun {
  const child = spawn('perf', ['script', '-f', '-i', path, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let complaint = '';
  let stopped = false;
  child.stderr.on('data', (chunk: Buffer) => {
    if (complaint.length < 2000) complaint += chunk.toString('utf8');
  });
  const ended = new Promise<{ error: Error | undefined; status: number; complaint: string }>((resolve) => {
    child.on('error', (error) => resolve({ error, status: 1, complaint }));
    child.on('close', (status) => resolve({ error: undefined, status: status ?? 1, complaint }));
  });
  async function* text(): AsyncGenerator<Buffer> {
    let isWhole = false;
    try {
      yield* child.stdout as AsyncIterable<Buffer>;
      isWhole = true;
    } finally {
      stopped = !isWhole;
      if (stopped) child.kill();
    }
  }
  return { text: text(), ended, wasStopped: () => stopped };
}

function noPerf(path: string, cause: Error): ThermoError {
  return new ThermoError(
    'THERMO_FILE_UNREADABLE',
    `cannot read ${path}: it is perf's own format, and perf is not installed`,
    { hint: `on a machine with perf: perf script -i ${path} > trace.txt`, cause },
  );
}

function failed(path: string, complaint: string): ThermoError {
  return new ThermoError(
    'THERMO_FILE_UNREADABLE',
    `perf script cannot read ${path}: ${complaint.trim().split('\n')[0]}`,
    { hint: 'use the version of perf that recorded it' },
  );
}
