import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { CLAUSES, SENTENCE_EXAMPLES } from '../../src/schemes/clauses.ts';
import { loadSchemes } from '../../src/schemes/load.ts';
import { schemeJsonSchema } from '../../src/schemes/schema.ts';
import { ACTIONS, FILTERS, METRICS, TUNERS, wordsOf } from '../../src/schemes/vocabulary.ts';

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly examples?: readonly unknown[];
  readonly type?: unknown;
  readonly defaultSnippets?: readonly { readonly label: string; readonly body: string }[];
}

// The shape of a JSON Schema document.
const schema = schemeJsonSchema() as Schema;

/** Every part of the schema with its path. */
function partsOf(part: Schema, path = ''): [string, Schema][] {
  return [
    [path, part],
    ...Object.entries(part.properties ?? {}).flatMap(([key, each]) => partsOf(each, `${path}/${key}`)),
    ...(part.items ? partsOf(part.items, `${path}/0`) : []),
    ...(part.anyOf ?? []).flatMap((each) => partsOf(each, path)),
  ];
}

const parts = partsOf(schema);

describe('the JSON Schema helps an editor', () => {
  test('every key has a description, and every value without a list of words an example', () => {
    const keys = parts.filter(([path]) => !path.endsWith('/0') && path !== '');
    expect(keys.length).toBeGreaterThan(60);
    expect(keys.filter(([, part]) => (part.description ?? '').length < 5).map(([path]) => path)).toEqual([]);
    const bare = keys.filter(
      ([path, { properties, items, anyOf, enum: words, examples, type }]) =>
        path !== '/version' && type !== 'boolean' && !properties && !items && !anyOf && !words && !examples,
    );
    expect(bare.map(([path]) => path)).toEqual([]);
  });

  test('it offers every word of actions, metrics, tuners and filters, each with what it means', () => {
    const wordsAt = (end: string): Schema => parts.filter(([path]) => path.endsWith(end)).at(-1)?.[1] ?? {};
    for (const [end, table] of [
      ['/action', ACTIONS],
      ['/metric', METRICS],
      ['/goal_tuner', TUNERS],
      ['/filter_type', FILTERS],
    ] as const) {
      const found = parts.find(
        ([path, part]) => path.endsWith(end) && part.enum?.length === wordsOf(table).length,
      );
      expect([end, found?.[1].enum]).toEqual([end, wordsOf(table)]);
      for (const word of wordsOf(table)) expect(found?.[1].description).toContain(word);
    }
    expect(wordsAt('/name').type).toBe('string');
  });

  test('sentences are offered as snippets, and their grammar names every clause', () => {
    const [, sentence] = parts.find(([path, part]) => path === '/schemes/0' && part.type === 'string') ?? [];
    expect(sentence?.defaultSnippets?.length).toBe(SENTENCE_EXAMPLES.length);
    for (const { keyword } of CLAUSES) expect(sentence?.description).toMatch(new RegExp(`\\b${keyword}\\b`));
    for (const { body } of sentence?.defaultSnippets ?? []) expect(body).toMatch(/\$\{1:/);
  });

  test('it allows what loads: sentences, and the examples of every key', () => {
    const ajv = new Ajv({ strict: false });
    const isValid = ajv.compile(schema as object);
    expect(isValid({ version: 1, schemes: [...SENTENCE_EXAMPLES] })).toBe(true);
    expect(isValid({ version: 1, schemes: [{ action: 'stat', acces_pattern: {} }] })).toBe(false);
    for (const each of SENTENCE_EXAMPLES) {
      const text = JSON.stringify({ version: 1, schemes: [each] });
      expect(() => loadSchemes(text, 'f', { sampleUs: 5000, aggrUs: 100_000 })).not.toThrow();
    }
    for (const [path, part] of parts) {
      if (part.examples === undefined) continue;
      const isExample = ajv.compile({ ...part, $id: undefined } as object);
      for (const example of part.examples)
        expect([path, example, isExample(example)]).toEqual([path, example, true]);
    }
  });
});
