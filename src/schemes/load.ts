/**
 * Reads the text of a scheme file: YAML, structure, sentences, units. All problems of the file are
 * reported together, each with line and column.
 */
import { type TextPosition, ThermoError } from '../memory/error.ts';
import { collectProblems, readYaml } from '../yaml/read-yaml.ts';
import type { SourceDocument } from '../yaml/source-document.ts';
import { compileScheme, type Intervals } from './compile.ts';
import { type MonitorSettings, readMonitorBlock } from './monitor-block.ts';
import type { LongScheme } from './schema.ts';
import type { Scheme } from './scheme.ts';
import { expandSentence } from './sentence.ts';
import { type CheckedFile, SCHEME_CODES, validateStructure } from './validate.ts';

export interface LoadedSchemes {
  readonly file: string;
  readonly schemes: readonly Scheme[];
  readonly monitor: MonitorSettings;
  /** Where the file speaks of monitoring; undefined if it does not. */
  readonly monitorAt?: TextPosition | undefined;
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
  return collectProblems((problems) => inspectSchemes(text, file, defaults, problems));
}

/** As {@link loadSchemes}, but what is right is returned though something else is wrong. */
export function inspectSchemes(
  text: string,
  file: string,
  defaults: Intervals,
  problems: ThermoError[],
): LoadedSchemes {
  const read = readYaml(text, file, SCHEME_CODES, EXAMPLE, problems);
  if (read === undefined) return { file, schemes: [], monitor: {} };
  const { value, source } = read;
  const checked = validateStructure(value, source, problems);
  const before = problems.length;
  const monitor = readMonitorBlock(checked.monitor, source, problems);
  const isMonitorSound = problems.length === before;
  const said = {
    sampleUs: monitor.sampleUs ?? defaults.sampleUs,
    aggrUs: monitor.aggrUs ?? defaults.aggrUs,
  };
  // Intervals that contradict each other are a mistake of their own, not one of each scheme.
  const intervals = said.aggrUs >= said.sampleUs ? said : defaults;
  return {
    file,
    schemes: compileAll(checked.schemes, source, intervals, problems),
    // Settings with mistakes are of no use; what is wrong with them has been said.
    monitor: isMonitorSound ? monitor : {},
    monitorAt: checked.monitor && source.at(source.keyOffset([], 'monitor')),
  };
}

function compileAll(
  items: CheckedFile['schemes'],
  source: SourceDocument,
  intervals: Intervals,
  problems: ThermoError[],
): Scheme[] {
  const schemes: Scheme[] = [];
  const names = new Map<string, number>();
  items.forEach((item, index) => {
    if (item === undefined) return;
    const resolved =
      typeof item === 'string'
        ? resolveSentence(item, index, source, intervals, problems)
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
  intervals: Intervals,
  problems: ThermoError[],
): Resolved | undefined {
  const at = (offset: number): TextPosition => source.at(source.textOffsetOf(['schemes', index], offset));
  const result = expandSentence(text);
  const locate = (path: string): TextPosition => {
    // The longest known prefix of the path: "quotas/sz_bytes" lies where the quota clause is.
    for (let key = path; key !== ''; key = key.slice(0, Math.max(0, key.lastIndexOf('/')))) {
      const offset = result.clauseOffset.get(key);
      if (offset !== undefined) return at(offset);
    }
    return at(0);
  };
  if (!result.ok) {
    for (const { offset, message, hint } of result.problems) {
      problems.push(new ThermoError('THERMO_SCHEME_BAD_SENTENCE', message, { where: at(offset), hint }));
    }
    // Its values may be wrong as well; what comes of it is of no use.
    if (result.scheme !== undefined) compileScheme(result.scheme, '', intervals, locate, problems);
    return undefined;
  }
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
