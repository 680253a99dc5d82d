/** Reads values with units out of a checked YAML file; what is wrong gets its line and column. */
import { ThermoError } from '../memory/error.ts';
import { suggest } from '../memory/nearest-word.ts';
import type { SourceDocument, YamlPath } from './source-document.ts';
import type { YamlCodes } from './structure.ts';

export class ValueReader {
  readonly #source: SourceDocument;
  readonly #codes: YamlCodes;
  readonly #problems: ThermoError[];

  constructor(source: SourceDocument, codes: YamlCodes, problems: ThermoError[]) {
    this.#source = source;
    this.#codes = codes;
    this.#problems = problems;
  }

  /** The value at `path` through one of the readers of units; undefined if left out or wrong. */
  read<T>(path: YamlPath, value: string | number | undefined, parse: (text: string) => T): T | undefined {
    return value === undefined ? undefined : this.check(path, () => parse(String(value)));
  }

  /** Runs a reader or check of what is at `path`; undefined if it finds something wrong. */
  check<T>(path: YamlPath, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof ThermoError)) throw error;
      this.fail(path, `${path.at(-1)}: ${error.message}`, error.hint);
      return undefined;
    }
  }

  fail(path: YamlPath, message: string, hint: string | undefined): void {
    const where = this.#source.at(this.#source.offsetOf(path));
    this.#problems.push(new ThermoError(this.#codes.badValue, message, { where, hint }));
  }

  failUnknown(path: YamlPath, message: string, word: string, known: readonly string[], kind: string): void {
    this.fail(path, message, known.length > 0 ? suggest(word, known, kind) : `there are no ${kind}`);
  }
}
