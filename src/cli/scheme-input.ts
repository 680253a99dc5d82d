/** Reads a scheme file from disk or standard input. */
import type { ThermoError } from '../memory/error.ts';
import type { Intervals } from '../schemes/compile.ts';
import { inspectSchemes, type LoadedSchemes, loadSchemes } from '../schemes/load.ts';
import type { Terminal } from './terminal.ts';
import { readInput } from './text-input.ts';

const EXPECTED = 'expected a scheme file such as schemes/promote-hot.yaml';

/** @throws ThermoErrors with every problem of the file */
export async function readSchemes(
  path: string,
  defaults: Intervals,
  terminal: Terminal,
): Promise<LoadedSchemes> {
  const { text, file } = await readInput(path, EXPECTED, terminal);
  return loadSchemes(text, file, defaults);
}

/** As {@link readSchemes}, but problems of the file go to `problems`, and what is right is returned. */
export async function readSchemesAndProblems(
  path: string,
  defaults: Intervals,
  terminal: Terminal,
  problems: ThermoError[],
): Promise<LoadedSchemes> {
  const { text, file } = await readInput(path, EXPECTED, terminal);
  return inspectSchemes(text, file, defaults, problems);
}
