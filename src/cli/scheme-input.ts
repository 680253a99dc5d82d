/** Reads a scheme file from disk or standard input. */
import { readFileSync } from 'node:fs';
import { readError } from '../records/read-error.ts';
import type { Intervals } from '../schemes/compile.ts';
import { type LoadedSchemes, loadSchemes } from '../schemes/load.ts';
import type { Terminal } from './terminal.ts';

export async function readSchemes(
  path: string,
  defaults: Intervals,
  terminal: Terminal,
): Promise<LoadedSchemes> {
  if (path === '-') {
    const chunks: Buffer[] = [];
    for await (const chunk of terminal.stdin) chunks.push(chunk as Buffer);
    return loadSchemes(Buffer.concat(chunks).toString('utf8'), '<stdin>', defaults);
  }
  return loadSchemes(readText(path), path, defaults);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw readError(error, path, 'expected a scheme file such as schemes/promote-hot.yaml');
  }
}
