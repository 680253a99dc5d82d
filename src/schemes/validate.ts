/** Structure of a scheme file: {@link SchemeFileSchema} with the words for its mistakes. */
import type { ThermoError } from '../memory/error.ts';
import type { SourceDocument } from '../yaml/source-document.ts';
import { structureCheck, type YamlCodes } from '../yaml/structure.ts';
import {
  type LongScheme,
  LongSchemeSchema,
  type MonitorBlock,
  MonitorBlockSchema,
  type SchemeFile,
  SchemeFileSchema,
} from './schema.ts';

export const SCHEME_CODES: YamlCodes = {
  syntax: 'THERMO_SCHEME_SYNTAX',
  unknownKey: 'THERMO_SCHEME_UNKNOWN_KEY',
  missingKey: 'THERMO_SCHEME_MISSING_KEY',
  badType: 'THERMO_SCHEME_BAD_TYPE',
  badValue: 'THERMO_SCHEME_BAD_VALUE',
};

const checkFile = structureCheck<SchemeFile>(SchemeFileSchema, {
  codes: SCHEME_CODES,
  missingHints: { version: 'begin the file with: version: 1' },
  choice: {
    at: /^\/schemes\/\d+$/,
    what: 'a scheme',
    expected: 'expected a sentence such as "promote hot>5 to DRAM quota 1G/s", or a map with "action"',
  },
});
const checkScheme = structureCheck<LongScheme>(LongSchemeSchema, { codes: SCHEME_CODES });
const checkMonitor = structureCheck<MonitorBlock>(MonitorBlockSchema, { codes: SCHEME_CODES });

/** The parts of a file that have the right structure; a scheme that has not is undefined. */
export interface CheckedFile {
  readonly monitor: MonitorBlock | undefined;
  readonly schemes: readonly (string | LongScheme | undefined)[];
}

/** Validates; what is wrong goes to `problems`, what is right is returned, so that it can be read on. */
export function validateStructure(
  value: unknown,
  source: SourceDocument,
  problems: ThermoError[],
): CheckedFile {
  const file = checkFile(value, source, problems);
  if (file !== undefined) return { monitor: file.monitor, schemes: file.schemes };
  const { monitor, schemes } = isRecord(value) ? value : {};
  const known: ThermoError[] = [];
  return {
    monitor: checkMonitor(monitor, source, known),
    schemes: Array.isArray(schemes)
      ? schemes.map((item) => (typeof item === 'string' ? item : checkScheme(item, source, known)))
      : [],
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
