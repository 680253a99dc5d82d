/** Structure of a scheme file: {@link SchemeFileSchema} with the words for its mistakes. */
import type { ErrorObject } from 'ajv';
import { structureCheck, type YamlCodes } from '../yaml/structure.ts';
import { type SchemeFile, SchemeFileSchema } from './schema.ts';

export const SCHEME_CODES: YamlCodes = {
  syntax: 'THERMO_SCHEME_SYNTAX',
  unknownKey: 'THERMO_SCHEME_UNKNOWN_KEY',
  missingKey: 'THERMO_SCHEME_MISSING_KEY',
  badType: 'THERMO_SCHEME_BAD_TYPE',
  badValue: 'THERMO_SCHEME_BAD_VALUE',
};

/** Validates; returns the file, or pushes what is wrong and returns undefined. */
export const validateStructure = structureCheck<SchemeFile>(SchemeFileSchema, {
  codes: SCHEME_CODES,
  missingHints: { version: 'begin the file with: version: 1' },
  choice: {
    what: 'a scheme',
    expected: 'expected a sentence such as "promote hot>5 to DRAM quota 1G/s", or a map with "action"',
  },
  isRelevant,
});

/**
 * A scheme is a sentence or a map; of the validator's complaints about both, keep those about the
 * branch that the author chose.
 */
function isRelevant(error: ErrorObject): boolean {
  const isItem = /^\/schemes\/\d+$/.test(error.instancePath);
  const isMapItem = typeof error.data === 'object' && error.data !== null && !Array.isArray(error.data);
  if (isItem && error.keyword === 'anyOf') return typeof error.data !== 'string' && !isMapItem;
  return !(isItem && error.keyword === 'type');
}
