/**
 * Reads the text of a scheme file: YAML, structure, sentences, units. All problems of the file are
 * reported together, each with line and column.
 */
import { type TextPosition, ThermoError } from '../memory/error.ts';
import { collectProblems, type ReadYaml, readYaml } from '../yaml/read-yaml.ts';
import type { SourceDocument } from '../yaml/source-document.ts';
import { compileScheme, type Intervals } from './compile.ts';
import { type MonitorSettings, readMonitorBlock } from './monitor-block.ts';
import type { LongScheme, SchemeFile } from './schema.ts';
import type { Scheme } from './scheme.ts';
import { expandSentence } from './sentence.ts';
import { SCHEME_CODES, validateStructure } from './validate.ts';

export interface LoadedSchemes {
  readonly file: string;
  readonly schemes: readonly Scheme[];
  readonly monitor: MonitorSettings;
}

/** What an empty file is told. */
const EXAMPLE = 'version: 1\n    schemes:\n      - promote hot>5 to DRAM quota 1G/s';

/**
 * @param text the file's bytes as UTF-8
 * @param file its name, for messages
 * @param defaults the intervals that hold where the file sets none
 * @throws ThermoErrors with every problem found
 */
export function loadSchemes(text: string, file: string, defaults: Intervals): LoadedSchemes {
  return collectProblems((problems) => {
    const read = readYaml(text, file, SCHEME_CODES, EXAMPLE, problems);
    return read && compileFile(read, defaults, problems);
  });
}

function compileFile(
  { value, source }: ReadYaml,
  defaults: Intervals,
  problems: ThermoError[],
): LoadedSchemes | undefined {
  const structure = validateStructure(value, source, problems);
  if (structure === undefined) return undefined;
  const monitor = readMonitorBlock(structure.monitor, source, problems);
  const intervals = {
    sampleUs: monitor.sampleUs ?? defaults.sampleUs,
    aggrUs: monitor.aggrUs ?? defaults.aggrUs,
  };
  const schemes = compileAll(structure, source, intervals, problems);
  return { file: source.file, schemes, monitor };
}

function compileAll(
  file: SchemeFile,
  source: SourceDocument,
  intervals: Intervals,
  problems: ThermoError[],
): Scheme[] {
  const schemes: Scheme[] = [];
  const names = new Map<string, number>();
  file.schemes.forEach((item, index) => {
    const resolved =
      typeof item === 'string'
        ? resolveSentence(item, index, source, problems)
        : resolveMap(item, index, source);
    if (resolved === undefined) return;
    const base = defaultName(resolved.long);
    const name = resolved.long.name ?? (names.has(base) ? `${base}-${index + 1}` : base);
    const scheme = compileScheme(resolved.long, name, intervals, resolved.locate, problems);
    const twin = names.get(name);
    if (twin !== undefined) {
      problems.push(
        new ThermoError('THERMO_SCHEME_BAD_VALUE', `two schemes are named "${name}"`, {
          where: resolved.locate('name'),
          hint: `the other is number ${twin + 1} of the list`,
        }),
      );
    }
    names.set(name, index);
    if (scheme !== undefined) schemes.push(scheme);
  });
  return schemes;
}

interface Resolved {
  readonly long: LongScheme;
  readonly locate: (path: string) => TextPosition;
}

function resolveSentence(
  text: string,
  index: number,
  source: SourceDocument,
  problems: ThermoError[],
): Resolved | undefined {
  const base = source.textOffsetOf(['schemes', index]);
  const result = expandSentence(text);
  if (!result.ok) {
    for (const { offset, message, hint } of result.problems) {
      problems.push(
        new ThermoError('THERMO_SCHEME_BAD_SENTENCE', message, { where: source.at(base + offset), hint }),
      );
    }
    return undefined;
  }
  const locate = (path: string): TextPosition => {
    // The longest known prefix of the path: "quotas/sz_bytes" lies where the quota clause is.
    for (let key = path; key !== ''; key = key.slice(0, Math.max(0, key.lastIndexOf('/')))) {
      const offset = result.clauseOffset.get(key);
      if (offset !== undefined) return source.at(base + offset);
    }
    return source.at(base);
  };
  return { long: result.scheme, locate };
}

function resolveMap(long: LongScheme, index: number, source: SourceDocument): Resolved {
  const locate = (path: string): TextPosition =>
    source.at(source.offsetOf(['schemes', index, ...path.split('/').filter((part) => part !== '')]));
  return { long, locate };
}

function defaultName(long: LongScheme): string {
  if (long.action === 'migrate_hot') return 'promote';
  return long.action === 'migrate_cold' ? 'demote' : long.action;
}
