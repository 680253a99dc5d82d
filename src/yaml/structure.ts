/**
 * Checks a YAML value against a JSON schema: every structural mistake with its line and column, in the
 * words of somebody who wrote YAML, not of a validator.
 */
import { Ajv, type ErrorObject } from 'ajv';
import { type ErrorCode, ThermoError } from '../memory/error.ts';
import { nearestWord, suggest } from '../memory/nearest-word.ts';
import type { SourceDocument } from './source-document.ts';

const ajv = new Ajv({
  allErrors: true,
  strict: true,
  strictTypes: false,
  allowUnionTypes: true,
  verbose: true,
});

/** The error codes of a kind of file. */
export interface YamlCodes {
  readonly syntax: ErrorCode;
  readonly unknownKey: ErrorCode;
  readonly missingKey: ErrorCode;
  readonly badType: ErrorCode;
  readonly badValue: ErrorCode;
}

/** What a kind of file says about its mistakes. */
export interface StructureWords {
  readonly codes: YamlCodes;
  /** What to do about a missing key. */
  readonly missingHints?: Readonly<Record<string, string>>;
  /** Where a value may be one of several things: what it is, and what is expected. */
  readonly choice?: { readonly what: string; readonly expected: string };
  /** Drops complaints about a branch that the author did not choose. */
  readonly isRelevant?: (error: ErrorObject) => boolean;
}

/** Returns the value if it has the right structure; else pushes what is wrong and returns undefined. */
export type StructureCheck<T> = (
  value: unknown,
  source: SourceDocument,
  problems: ThermoError[],
) => T | undefined;

/** @param schema JSON Schema, draft-07, of a `T` */
export function structureCheck<T>(schema: object, words: StructureWords): StructureCheck<T> {
  const isValid = ajv.compile<T>(schema);
  return (value, source, problems) => {
    if (isValid(value)) return value;
    for (const error of isValid.errors ?? []) {
      if (words.isRelevant?.(error) ?? true) problems.push(toThermoError(error, source, words));
    }
    return undefined;
  };
}

function toThermoError(error: ErrorObject, source: SourceDocument, words: StructureWords): ThermoError {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const where = source.at(source.offsetOf(path));
  const name = path.length === 0 ? 'the file' : String(path.at(-1));
  const params = error.params as Record<string, unknown>;
  const { codes } = words;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params.additionalProperty);
      const known = Object.keys((error.parentSchema as { properties?: object }).properties ?? {});
      return new ThermoError(codes.unknownKey, `unknown key "${key}" in ${describe(path)}`, {
        where: source.at(source.keyOffset(path, key)),
        hint: suggest(key, known, 'keys'),
      });
    }
    case 'required':
      return new ThermoError(
        codes.missingKey,
        `${describe(path)} lacks the key "${params.missingProperty}"`,
        {
          where,
          hint: words.missingHints?.[String(params.missingProperty)],
        },
      );
    case 'enum': {
      const allowed = (params.allowedValues as unknown[]).map(String);
      const near = nearestWord(String(error.data), allowed);
      return new ThermoError(codes.badValue, `${name}: "${show(error.data)}" is not known`, {
        where,
        hint: `${near === undefined ? '' : `did you mean "${near}"? `}accepted: ${allowed.join(', ')}`,
      });
    }
    case 'const':
      return new ThermoError(codes.badValue, `${name}: ${show(error.data)} is not supported`, {
        where,
        hint: `accepted: ${JSON.stringify(params.allowedValue)}`,
      });
    case 'anyOf':
      return new ThermoError(codes.badType, `${words.choice?.what ?? name} cannot be ${show(error.data)}`, {
        where,
        hint: words.choice?.expected,
      });
    case 'type': {
      const types = ([] as string[]).concat(params.type as string | string[]);
      return new ThermoError(codes.badType, `${name} is ${kindOf(error.data)}, ${show(error.data)}`, {
        where,
        hint: `expected ${types.map((type) => TYPE_WORDS[type] ?? type).join(' or ')}`,
      });
    }
    default:
      return new ThermoError(
        codes.badValue,
        `${name}: ${show(error.data)} ${error.message ?? 'is invalid'}`,
        { where },
      );
  }
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  object: 'a map',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
};

function kindOf(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return TYPE_WORDS[typeof value] ?? typeof value;
}

function show(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** `schemes[0].quotas`, or "the file". */
function describe(path: readonly (string | number)[]): string {
  if (path.length === 0) return 'the file';
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`))
    .join('');
}
