/** Reads a scheme file from disk or standard input. */
import type { Intervals } from '../schemes/compile.ts';
import { type LoadedSchemes, loadSchemes } from '../schemes/load.ts';
import type { Terminal } from './terminal.ts';
import { readInput } from './text-input.ts';

export async function readSchemes(
  path: string,
  defaults: Intervals,
  terminal: Terminal,
): Promise<LoadedSchemes> {
  const expected = 'expected a scheme file such as schemes/promote-hot.yaml';
  const { text, file } = await readInput(path, expected, terminal);
  return loadSchemes(text, file, defaults);
}
