/**
 * Reads the text of a scheme file: YAML, structure, sentences, units. All problems of the file are
 * reported together, each with line and column.
 */
import { LineCounter, parseDocument } from 'yaml';
import { type TextPosition, ThermoError, ThermoErrors } from '../memory/error.ts';
import { parseBytes, parseTimeUs } from '../memory/units.ts';
import { compileScheme, type Intervals } from './compile.ts';
import type { LongScheme, MonitorBlock, SchemeFile } from './schema.ts';
import type { Scheme } from './scheme.ts';
import { expandSentence } from './sentence.ts';
import { SourceDocument, validateStructure } from './validate.ts';

/** Monitoring attributes that a file sets; what it leaves out is undefined. */
export interface FileAttrs {
  readonly sampleUs?: number;
  readonly aggrUs?: number;
  readonly minNrRegions?: number;
  readonly maxNrRegions?: number;
  readonly minRegionSz?: number;
}

export interface LoadedSchemes {
  readonly file: string;
  readonly schemes: readonly Scheme[];
  readonly attrs: FileAttrs;
}

/** Longest scheme file that is read. */
const MAX_TEXT = 1_000_000;

/**
 * @param text the file's bytes as UTF-8
 * @param file its name, for messages
 * @param defaults the intervals that hold where the file sets none
 * @throws ThermoErrors with every problem found
 */
export function loadSchemes(text: string, file: string, defaults: Intervals): LoadedSchemes {
  const problems: ThermoError[] = [];
  const loaded = load(text, file, defaults, problems);
  if (problems.length > 0 || loaded === undefined) {
    throw new ThermoErrors([...problems].sort((a, b) => (a.where?.line ?? 0) - (b.where?.line ?? 0)));
  }
  return loaded;
}

function load(
  text: string,
  file: string,
  defaults: Intervals,
  problems: ThermoError[],
): LoadedSchemes | undefined {
  const syntax = (
    message: string,
    hint: string,
    where: TextPosition = { file, line: 1, column: 1 },
  ): undefined => {
    problems.push(new ThermoError('THERMO_SCHEME_SYNTAX', message, { where, hint }));
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
    return syntax(
      'the file is empty',
      'expected for example:\n    version: 1\n    schemes:\n      - promote hot>5 to DRAM quota 1G/s',
    );
  }
  const structure = validateStructure(value, source, problems);
  if (structure === undefined) return undefined;
  const attrs = readAttrs(structure.monitor, source, problems);
  const intervals = {
    sampleUs: attrs.sampleUs ?? defaults.sampleUs,
    aggrUs: attrs.aggrUs ?? defaults.aggrUs,
  };
  const schemes = compileAll(structure, source, intervals, problems);
  return { file, schemes, attrs };
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

function readAttrs(
  block: MonitorBlock | undefined,
  source: SourceDocument,
  problems: ThermoError[],
): FileAttrs {
  const attrs: { -readonly [K in keyof FileAttrs]: FileAttrs[K] } = {};
  const read = (
    path: string[],
    value: string | number | undefined,
    parse: (text: string) => number,
  ): number | undefined => {
    if (value === undefined) return undefined;
    try {
      return parse(typeof value === 'number' && path.at(-1)?.endsWith('_us') ? `${value}us` : String(value));
    } catch (error) {
      if (!(error instanceof ThermoError)) throw error;
      const where = source.at(source.offsetOf(['monitor', ...path]));
      problems.push(
        new ThermoError('THERMO_SCHEME_BAD_VALUE', `${path.at(-1)}: ${error.message}`, {
          where,
          hint: error.hint,
        }),
      );
      return undefined;
    }
  };
  const sampleUs = read(['intervals', 'sample_us'], block?.intervals?.sample_us, parseTimeUs);
  const aggrUs = read(['intervals', 'aggr_us'], block?.intervals?.aggr_us, parseTimeUs);
  const minRegionSz = read(['min_region_sz'], block?.min_region_sz, parseBytes);
  if (sampleUs !== undefined) attrs.sampleUs = sampleUs;
  if (aggrUs !== undefined) attrs.aggrUs = aggrUs;
  if (minRegionSz !== undefined) attrs.minRegionSz = minRegionSz;
  if (block?.nr_regions?.min !== undefined) attrs.minNrRegions = block.nr_regions.min;
  if (block?.nr_regions?.max !== undefined) attrs.maxNrRegions = block.nr_regions.max;
  return attrs;
}
