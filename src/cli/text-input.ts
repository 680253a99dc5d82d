/** Reads a text from disk or standard input. */
import { readFileSync } from 'node:fs';
import { readError } from '../records/read-error.ts';
import type { Terminal } from './terminal.ts';

/** A name with a dot, a slash or of standard input is a file. */
const IS_FILE = /[./]|^-$/;

/** Whether a name on the command line is a file, where it may also be something that ships with the program. */
export function isFileName(name: string): boolean {
  return IS_FILE.test(name);
}

/**
 * @param path `-` for standard input
 * @param expected what the path should be, for the message when it cannot be read
 * @returns the text, and the name of its source for messages
 */
export async function readInput(
  path: string,
  expected: string,
  terminal: Terminal,
): Promise<{ readonly text: string; readonly file: string }> {
  if (path === '-') {
    const chunks: Buffer[] = [];
    for await (const chunk of terminal.stdin) chunks.push(chunk as Buffer);
    return { text: Buffer.concat(chunks).toString('utf8'), file: '<stdin>' };
  }
  try {
    return { text: readFileSync(path, 'utf8'), file: path };
  } catch (error) {
    throw readError(error, path, expected);
  }
}
