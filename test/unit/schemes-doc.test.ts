import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ERROR_CODES } from '../../src/memory/error.ts';
import { ACTION_WORDS, CLAUSES } from '../../src/schemes/clauses.ts';
import { loadSchemes } from '../../src/schemes/load.ts';
import { schemeJsonSchema } from '../../src/schemes/schema.ts';
import { FILTERS, METRICS, TUNERS, wordsOf } from '../../src/schemes/vocabulary.ts';

const DOC = readFileSync(new URL('../../docs/schemes.md', import.meta.url), 'utf8');
const BLOCKS = [...DOC.matchAll(/\n```yaml\n([\s\S]*?)```/g)].map((match) => match[1]);
const INTERVALS = { sampleUs: 5000, aggrUs: 100_000 };

function load(text: string) {
  return loadSchemes(text, 'docs/schemes.md', INTERVALS);
}

describe('docs/schemes.md is true and complete', () => {
  test('every YAML block loads', () => {
    expect(BLOCKS.length).toBeGreaterThan(3);
    for (const block of BLOCKS) expect(() => load(block)).not.toThrow();
  });

  test('every clause is there as the table of clauses has it, with examples', () => {
    const cell = (text: string): string => text.replaceAll('|', '\\|');
    for (const { meaning, examples } of CLAUSES) {
      expect(DOC).toContain(cell(meaning));
      for (const example of examples) expect(DOC).toContain(`\`${cell(example.replace(/ \(.*\)$/, ''))}\``);
    }
  });

  test('every action, metric, tuner, filter and warning is named', () => {
    const warnings = Object.keys(ERROR_CODES).filter((code) => code.startsWith('THERMO_WARN_'));
    const words = [...Object.keys(ACTION_WORDS), ...wordsOf(METRICS), ...wordsOf(TUNERS), ...warnings];
    for (const word of words) expect(DOC).toContain(`\`${word}\``);
    for (const word of wordsOf(FILTERS)) expect(DOC).toContain(`\`filter_type: ${word}\``);
  });

  test('every key of the schema stands in an example', () => {
    const keys = new Set<string>();
    const collect = (part: unknown): void => {
      if (typeof part !== 'object' || part === null) return;
      for (const [key, value] of Object.entries(part)) {
        if (key === 'properties') for (const each of Object.keys(value as object)) keys.add(each);
        collect(value);
      }
    };
    collect(schemeJsonSchema());
    expect(keys.size).toBeGreaterThan(60);
    const examples = BLOCKS.join('\n');
    expect([...keys].filter((key) => !new RegExp(`\\b${key}:`).test(examples))).toEqual([]);
  });

  test('every sentence in a table of goals or filters can be read', () => {
    const said = [...DOC.matchAll(/`((?:goal|only|not) [^`]*)`/g)].map((match) => match[1]);
    expect(said.length).toBeGreaterThan(25);
    for (const each of said) {
      if (/ X$/.test(each)) continue;
      expect(() => load(`version: 1\nschemes:\n- promote ${each}\n`), each).not.toThrow();
    }
  });
});
