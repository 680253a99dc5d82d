import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { fieldJsonSchema } from '../../src/machines/field/field-schema.ts';
import { machineJsonSchema } from '../../src/machines/simulated/file/machine-schema.ts';
import { ERROR_CODES } from '../../src/memory/error.ts';
import { schemeJsonSchema } from '../../src/schemes/schema.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SRC = join(ROOT, 'src');

/** From the rim down to the ground; a folder may import itself and what stands below it. */
const LAYERS = [
  'cli',
  'testing',
  'lab',
  'engine',
  'kdamonds',
  'schemes',
  'monitor',
  'trackers',
  'sources',
  'machines',
  'records',
  'yaml',
  'view',
  'memory',
];

/** Imports that the order would allow but the parts must not have. */
const FORBIDDEN: readonly (readonly [from: string, to: string])[] = [
  ['monitor', 'machines'],
  ['monitor', 'sources'],
  ['monitor', 'records'],
  ['schemes', 'machines'],
  ['schemes', 'records'],
  ['trackers', 'machines'],
  ['machines/simulated', 'records'],
  ['machines/field', 'records'],
];

/** Parts without files, clocks, terminals or unseeded luck. */
const PURE = [
  'memory',
  'monitor',
  'schemes',
  'kdamonds',
  'engine',
  'trackers',
  'machines/simulated',
  'machines/field',
  'yaml',
  'view',
];
const IMPURE =
  /from 'node:|\bprocess\.|Math\.random|Date\.now|new Date\(|performance\.now|setTimeout|console\./;

function filesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesOf(path);
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}

const files = filesOf(SRC);
const layerOf = (path: string): string => relative(SRC, path).split('/')[0];

function importsOf(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map((match) =>
    resolve(dirname(path), match[1]),
  );
}

describe('the parts depend on each other in one direction', () => {
  test('the check looks at all files', () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap(importsOf).length).toBeGreaterThan(100);
  });

  test('every folder has its place in the order', () => {
    const folders = readdirSync(SRC).filter((name) => statSync(join(SRC, name)).isDirectory());
    for (const folder of folders) expect(LAYERS).toContain(folder);
  });

  test('imports go downwards only', () => {
    const wrong: string[] = [];
    for (const file of files) {
      if (layerOf(file) === 'index.ts') continue;
      for (const target of importsOf(file)) {
        const [from, to] = [relative(SRC, file), relative(SRC, target)];
        if (LAYERS.indexOf(layerOf(file)) > LAYERS.indexOf(layerOf(target))) wrong.push(`${from} -> ${to}`);
        if (FORBIDDEN.some(([a, b]) => from.startsWith(`${a}/`) && to.startsWith(`${b}/`)))
          wrong.push(`${from} -> ${to}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('the pure parts touch no file, clock, terminal or unseeded luck', () => {
    const isPure = (path: string): boolean =>
      PURE.some((folder) => relative(SRC, path).startsWith(`${folder}/`));
    const wrong = files.filter((path) => isPure(path) && IMPURE.test(readFileSync(path, 'utf8')));
    expect(wrong.map((path) => relative(SRC, path))).toEqual([]);
  });

  test('a file can be held in mind: at most 400 lines', () => {
    const long = files.filter((path) => readFileSync(path, 'utf8').split('\n').length > 400);
    expect(long.map((path) => relative(SRC, path))).toEqual([]);
  });
});

describe('what is written down is true', () => {
  test.each([
    ['thermocline.schema.json', schemeJsonSchema()],
    ['field.schema.json', fieldJsonSchema()],
    ['machine.schema.json', machineJsonSchema()],
  ])('the JSON Schema file %s is the one of the source', (name, schema) => {
    const file = JSON.parse(readFileSync(join(ROOT, 'schemes', name), 'utf8')) as object;
    expect(file).toEqual(schema);
  });

  test('every error code that is used has its meaning, and every one listed is used', () => {
    const text = files
      .filter((path) => !path.endsWith('memory/error.ts'))
      .map((path) => readFileSync(path, 'utf8'))
      .join('\n');
    const used = new Set([...text.matchAll(/THERMO_[A-Z_]+/g)].map((match) => match[0]));
    expect([...used].filter((code) => !(code in ERROR_CODES) && code !== 'THERMO_SCHEME_')).toEqual([]);
    expect(Object.keys(ERROR_CODES).filter((code) => !used.has(code))).toEqual([]);
  });

  test('the README names every folder of src', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    for (const name of readdirSync(SRC)) {
      if (statSync(join(SRC, name)).isDirectory()) expect(readme).toContain(`\`${name}/\``);
    }
  });
});
