/** Reads the text of a YAML file; all its problems are reported together, in the order of the file. */
import { LineCounter, parseDocument } from 'yaml';
import { type TextPosition, ThermoError, ThermoErrors } from '../memory/error.ts';
import { SourceDocument } from './source-document.ts';
import type { YamlCodes } from './structure.ts';

export interface ReadYaml {
  readonly value: unknown;
  readonly source: SourceDocument;
}

/** Longest file that is read, in characters. */
const MAX_TEXT = 1_000_000;

/**
 * Runs a reader that pushes what it finds wrong; throws it all as ThermoErrors, sorted by line.
 * `read` returns undefined only if it found something.
 */
export function collectProblems<T>(read: (problems: ThermoError[]) => T | undefined): T {
  const problems: ThermoError[] = [];
  const result = read(problems);
  if (problems.length === 0 && result !== undefined) return result;
  throw new ThermoErrors([...problems].sort((a, b) => (a.where?.line ?? 0) - (b.where?.line ?? 0)));
}

/**
 * @param file its name, for messages
 * @param example what an empty file is told to hold
 * @returns undefined after pushing what is wrong
 */
export function readYaml(
  text: string,
  file: string,
  codes: YamlCodes,
  example: string,
  problems: ThermoError[],
): ReadYaml | undefined {
  const syntax = (
    message: string,
    hint: string,
    where: TextPosition = { file, line: 1, column: 1 },
  ): undefined => {
    problems.push(new ThermoError(codes.syntax, message, { where, hint }));
    return undefined;
  };
  if (text.length > MAX_TEXT)
    return syntax(`the file holds ${text.length} characters`, `expected at most ${MAX_TEXT}`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what tells binary data
  if (/[\u0000-\u0008\u000e-\u001f\ufffd]/.test(text))
    return syntax('this is no text file', 'expected a YAML file in UTF-8');
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: true,
    prettyErrors: false,
    merge: true,
  });
  const source = new SourceDocument(file, document, lines);
  for (const error of document.errors) {
    const message = `${error.message.charAt(0).toLowerCase()}${error.message.slice(1)}`;
    syntax(`not valid YAML: ${message}`, 'see the line above and this one', source.at(error.pos[0]));
  }
  if (document.errors.length > 0) return undefined;
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return syntax(`not usable YAML: ${(error as Error).message}`, 'check anchors and aliases');
  }
  if (value === null || value === undefined) {
    return syntax('the file is empty', `expected for example:\n    ${example}`);
  }
  return { value, source };
}
