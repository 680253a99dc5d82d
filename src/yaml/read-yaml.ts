/** Reads the text of a YAML file; all its problems are reported together, in the order of the file. */
import { type Document, isScalar, parseDocument, visit } from 'yaml';
import { type TextPosition, ThermoError, ThermoErrors } from '../memory/error.ts';
import { SourceDocument } from './source-document.ts';
import type { YamlCodes } from './structure.ts';

export interface ReadYaml {
  readonly value: unknown;
  readonly source: SourceDocument;
}

/** Longest file that is read, in characters. */
const MAX_TEXT = 1_000_000;
/** Mistakes of syntax that are shown; after a few they are consequences of the first. */
const MAX_SYNTAX_PROBLEMS = 10;
/** Lists and keys that begin on one line, which the parser reads recursively: "- - - -". */
const TOO_DEEP = /^[ \t]*(?:[-?:][ \t]+){64}/m;

/**
 * Runs a reader that pushes what it finds wrong; throws it all as ThermoErrors, sorted by line.
 * `read` returns undefined only if it found something.
 */
export function collectProblems<T>(read: (problems: ThermoError[]) => T | undefined): T {
  const problems: ThermoError[] = [];
  const result = read(problems);
  if (problems.length === 0 && result !== undefined) return result;
  throw new ThermoErrors(inOrderOfText(problems));
}

/** By line and column; what has no position comes first. */
export function inOrderOfText<T extends { readonly where: TextPosition | undefined }>(
  problems: readonly T[],
): T[] {
  return [...problems].sort(
    ({ where: a }, { where: b }) => (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0),
  );
}

/**
 * @param file its name, for messages
 * @param example what an empty file is told to hold
 * @returns undefined after pushing what is wrong
 */
export function readYaml(
  bytes: string,
  file: string,
  codes: YamlCodes,
  example: string,
  problems: ThermoError[],
): ReadYaml | undefined {
  // A byte order mark is no character of the first line.
  const text = bytes.startsWith('\ufeff') ? bytes.slice(1) : bytes;
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
  if (TOO_DEEP.test(text)) return syntax('not usable YAML: lists nested too deeply', 'expected a flat list');
  const document = parseDocument(text, {
    // Checked below, in linear time.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
    merge: true,
  });
  const source = new SourceDocument(file, text, document);
  for (const error of document.errors.slice(0, MAX_SYNTAX_PROBLEMS)) {
    const message = `${error.message.charAt(0).toLowerCase()}${error.message.slice(1)}`;
    syntax(
      `not valid YAML: ${message}`,
      'see the line above and this one',
      source.at(Math.min(error.pos[0], text.length)),
    );
  }
  if (document.errors.length > 0) return undefined;
  let value: unknown;
  try {
    checkKeys(document, (key, offset) =>
      syntax(
        `the key "${key}" is given twice`,
        'keep one of them: keys are unique in a map',
        source.at(offset),
      ),
    );
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return syntax(`not usable YAML: ${(error as Error).message}`, 'check anchors, aliases and nesting');
  }
  if (value === null || value === undefined) {
    return syntax('the file is empty', `expected for example:\n    ${example}`);
  }
  return problems.length > 0 ? undefined : { value, source };
}

/** Reports each key that its map has already. */
function checkKeys(document: Document, report: (key: string, offset: number) => void): void {
  visit(document, {
    Map(_at, map) {
      const keys = new Set<string>();
      for (const { key } of map.items) {
        if (!isScalar(key) || key.value === '<<') continue;
        const name = String(key.value);
        if (keys.has(name)) report(name, key.range?.[0] ?? 0);
        keys.add(name);
      }
    },
  });
}
