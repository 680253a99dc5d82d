/** Reads perf's own files through `perf script`, where perf is installed. */
import { spawn } from 'node:child_process';
import { ThermoError } from '../memory/error.ts';

const MAGIC = Buffer.from('PERFILE2');

export function isPerfData(head: Buffer): boolean {
  return head.subarray(0, MAGIC.length).equals(MAGIC);
}

/**
 * The text that `perf script` makes of a file.
 * @throws ThermoError THERMO_FILE_UNREADABLE if perf is not there or cannot read it
 */
export async function* perfScript(path: string): AsyncGenerator<Buffer> {
  const child = spawn('perf', ['script', '--ns', '-f', '-i', path], { stdio: ['ignore', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    if (complaint.length < 400) complaint += chunk.toString('utf8');
  });
  const ended = new Promise<number | Error>((resolve) => {
    child.on('error', resolve);
    child.on('close', (status) => resolve(status ?? 1));
  });
  try {
    yield* child.stdout as AsyncIterable<Buffer>;
  } catch {
    // The reason is in `ended`.
  } finally {
    child.kill();
  }
  const end = await ended;
  if (end instanceof Error) {
    throw new ThermoError(
      'THERMO_FILE_UNREADABLE',
      `cannot read ${path}: it is perf's own format, and perf is not installed`,
      {
        hint: `on a machine with perf: perf script -i ${path} > trace.txt`,
        cause: end,
      },
    );
  }
  if (end !== 0) {
    throw new ThermoError(
      'THERMO_FILE_UNREADABLE',
      `perf script cannot read ${path}: ${complaint.trim().split('\n')[0]}`,
      {
        hint: 'use the version of perf that recorded it',
      },
    );
  }
}
