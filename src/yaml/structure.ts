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
// For editors only.
ajv.addVocabulary(['defaultSnippets']);

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
  /** Where a value may be one of several things (`at`: its JSON pointer): what it is, what is expected. */
  readonly choice?: { readonly at: RegExp; readonly what: string; readonly expected: string };
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
    for (const error of relevant(isValid.errors ?? [])) problems.push(toThermoError(error, source, words));
    return undefined;
  };
}

/**
 * Where a value may be one of several things, the validator complains about all of them. Of the branch
 * whose type the author chose the complaints are kept; if he chose none, only that.
 */
function relevant(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const chosen = new Map<string, number>();
  for (const { keyword, schema, schemaPath, instancePath, data } of errors) {
    if (keyword !== 'anyOf') continue;
    const branches = schema as readonly { readonly type?: string | readonly string[] }[];
    const branch = branches.findIndex(({ type }) => isOfType(data, type));
    chosen.set(`${schemaPath} ${instancePath}`, branch);
  }
  return errors.filter(({ keyword, schemaPath, instancePath }) => {
    const isChoice = keyword === 'anyOf';
    if (isChoice && (chosen.get(`${schemaPath} ${instancePath}`) ?? -1) >= 0) return false;
    const keys = instancePath.split('/');
    return [...schemaPath.matchAll(/\/anyOf\/(\d+)(?=\/)/g)].every((match) => {
      const choice = schemaPath.slice(0, match.index + '/anyOf'.length);
      const above = keys.map((_, i) => chosen.get(`${choice} ${keys.slice(0, i + 1).join('/')}`));
      return above.every((branch) => branch === undefined || branch === Number(match[1]));
    });
  });
}

function isOfType(value: unknown, type: string | readonly string[] | undefined): boolean {
  const types = ([] as string[]).concat(type ?? []);
  if (Array.isArray(value)) return types.includes('array');
  if (value === null) return types.includes('null');
  return types.includes(typeof value);
}

function toThermoError(error: ErrorObject, source: SourceDocument, words: StructureWords): ThermoError {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const where = source.at(source.offsetOf(path));
  const name = path.length === 0 ? 'the file' : lastName(path);
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
      return new ThermoError(codes.badValue, `${name}: ${quoted(error.data)} is not known`, {
        where,
        hint: `${near === undefined ? '' : `did you mean "${near}"? `}accepted: ${allowed.join(', ')}`,
      });
    }
    case 'const':
      return new ThermoError(codes.badValue, `${name}: ${show(error.data)} is not supported`, {
        where,
        hint: `accepted: ${JSON.stringify(params.allowedValue)}`,
      });
    case 'anyOf': {
      const choice = words.choice?.at.test(error.instancePath) ? words.choice : undefined;
      const branches = error.schema as readonly { readonly type?: string }[];
      const types = branches.map(({ type }) => TYPE_WORDS[type ?? ''] ?? 'something else');
      return new ThermoError(codes.badType, `${choice?.what ?? name} cannot be ${show(error.data)}`, {
        where,
        hint: choice?.expected ?? `expected ${types.join(' or ')}`,
      });
    }
    case 'type': {
      const types = ([] as string[]).concat(params.type as string | string[]);
      const isShown = typeof error.data !== 'object' && error.data !== '';
      const what = `${name} is ${kindOf(error.data)}${isShown ? `, ${show(error.data)}` : ''}`;
      return new ThermoError(codes.badType, what, {
        where,
        hint: `expected ${types.map((type) => TYPE_WORDS[type] ?? type).join(' or ')}`,
      });
    }
    default: {
      const limit = String(params.limit);
      const text = LIMIT_WORDS[error.keyword]?.replace('N', limit);
      return new ThermoError(
        codes.badValue,
        `${name}: ${quoted(error.data)} ${text === undefined ? (error.message ?? 'is invalid') : 'is not possible'}`,
        { where, hint: text && `expected ${text}` },
      );
    }
  }
}

const LIMIT_WORDS: Readonly<Record<string, string>> = {
  minimum: 'at least N',
  maximum: 'at most N',
  minItems: 'at least N of them',
  maxItems: 'at most N of them',
  minLength: 'at least N character',
};

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

function quoted(value: unknown): string {
  return typeof value === 'string' ? `"${show(value)}"` : show(value);
}

/** Maps and lists are not shown: they may be large, or contain themselves. */
function show(value: unknown): string {
  if (typeof value === 'object' && value !== null) return kindOf(value);
  const text = String(value).replace(/\s+/g, ' ');
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/** The last key, with the index of a list's item: `goals[0]`. */
function lastName(path: readonly (string | number)[]): string {
  const key = path.findLastIndex((part) => typeof part === 'string');
  return describe(path.slice(Math.max(0, key)));
}

/** `schemes[0].quotas`, or "the file". */
function describe(path: readonly (string | number)[]): string {
  if (path.length === 0) return 'the file';
  return path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`))
    .join('');
}
