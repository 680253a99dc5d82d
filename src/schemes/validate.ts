/**
 * From a YAML document to a validated {@link SchemeFile}: every structural mistake with its line and
 * column, in the words of somebody who wrote YAML, not of a validator.
 */
import { Ajv, type ErrorObject } from 'ajv';
import { type Document, isMap, isScalar, type LineCounter, type Node, type Pair } from 'yaml';
import { type TextPosition, ThermoError } from '../memory/error.ts';
import { nearestWord, suggest } from '../memory/nearest-word.ts';
import { type SchemeFile, SchemeFileSchema } from './schema.ts';

const ajv = new Ajv({
  allErrors: true,
  strict: true,
  strictTypes: false,
  allowUnionTypes: true,
  verbose: true,
});
const isSchemeFile = ajv.compile<SchemeFile>(SchemeFileSchema);

/** A parsed file with the means to point into it. */
export class SourceDocument {
  readonly file: string;
  readonly document: Document;
  readonly #lines: LineCounter;

  constructor(file: string, document: Document, lines: LineCounter) {
    this.file = file;
    this.document = document;
    this.#lines = lines;
  }

  at(offset: number): TextPosition {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.file, line: Math.max(1, line), column: Math.max(1, col) };
  }

  /** Offset of the value at `path`, or of the nearest parent that exists. */
  offsetOf(path: readonly (string | number)[]): number {
    for (let length = path.length; length >= 0; length--) {
      const node = this.document.getIn(path.slice(0, length), true) as Node | null | undefined;
      if (node?.range) return node.range[0];
    }
    return 0;
  }

  /** Offset of the first character inside the scalar at `path` (after an opening quote). */
  textOffsetOf(path: readonly (string | number)[]): number {
    const node = this.document.getIn(path, true);
    const isQuoted = isScalar(node) && (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE');
    return this.offsetOf(path) + (isQuoted ? 1 : 0);
  }

  keyOffset(path: readonly (string | number)[], key: string): number {
    const parent = path.length === 0 ? this.document.contents : this.document.getIn(path, true);
    if (isMap(parent)) {
      const pair = parent.items.find((item: Pair) => isScalar(item.key) && String(item.key.value) === key);
      if (pair && isScalar(pair.key) && pair.key.range) return pair.key.range[0];
    }
    return this.offsetOf(path);
  }
}

/** Validates; returns the file, or pushes what is wrong and returns undefined. */
export function validateStructure(
  value: unknown,
  source: SourceDocument,
  problems: ThermoError[],
): SchemeFile | undefined {
  if (isSchemeFile(value)) return value;
  const errors = relevantErrors(isSchemeFile.errors ?? []);
  for (const error of errors) problems.push(toThermoError(error, source));
  return undefined;
}

/**
 * A scheme is a sentence or a map; of the validator's complaints about both, keep those about the
 * branch that the author chose.
 */
function relevantErrors(errors: readonly ErrorObject[]): ErrorObject[] {
  return errors.filter((error) => {
    const isItem = /^\/schemes\/\d+$/.test(error.instancePath);
    const isMapItem = typeof error.data === 'object' && error.data !== null && !Array.isArray(error.data);
    if (isItem && error.keyword === 'anyOf') return typeof error.data !== 'string' && !isMapItem;
    if (isItem && error.keyword === 'type') return false;
    return true;
  });
}

function toThermoError(error: ErrorObject, source: SourceDocument): ThermoError {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const where = source.at(source.offsetOf(path));
  const name = path.length === 0 ? 'the file' : String(path.at(-1));
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params.additionalProperty);
      const known = Object.keys((error.parentSchema as { properties?: object }).properties ?? {});
      return new ThermoError('THERMO_SCHEME_UNKNOWN_KEY', `unknown key "${key}" in ${describe(path)}`, {
        where: source.at(source.keyOffset(path, key)),
        hint: suggest(key, known, 'keys'),
      });
    }
    case 'required':
      return new ThermoError(
        'THERMO_SCHEME_MISSING_KEY',
        `${describe(path)} lacks the key "${params.missingProperty}"`,
        {
          where,
          hint: params.missingProperty === 'version' ? 'begin the file with: version: 1' : undefined,
        },
      );
    case 'enum': {
      const allowed = (params.allowedValues as unknown[]).map(String);
      const near = nearestWord(String(error.data), allowed);
      return new ThermoError('THERMO_SCHEME_BAD_VALUE', `${name}: "${show(error.data)}" is not known`, {
        where,
        hint: `${near === undefined ? '' : `did you mean "${near}"? `}accepted: ${allowed.join(', ')}`,
      });
    }
    case 'const':
      return new ThermoError('THERMO_SCHEME_BAD_VALUE', `${name}: ${show(error.data)} is not supported`, {
        where,
        hint: `accepted: ${JSON.stringify(params.allowedValue)}`,
      });
    case 'anyOf':
      return new ThermoError('THERMO_SCHEME_BAD_TYPE', `a scheme cannot be ${show(error.data)}`, {
        where,
        hint: 'expected a sentence such as "promote hot>5 to DRAM quota 1G/s", or a map with "action"',
      });
    case 'type': {
      const types = ([] as string[]).concat(params.type as string | string[]);
      return new ThermoError(
        'THERMO_SCHEME_BAD_TYPE',
        `${name} is ${kindOf(error.data)}, ${show(error.data)}`,
        {
          where,
          hint: `expected ${types.map((type) => TYPE_WORDS[type] ?? type).join(' or ')}`,
        },
      );
    }
    default:
      return new ThermoError(
        'THERMO_SCHEME_BAD_VALUE',
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
