/** Recordings of others, which lie beside the repository and not in it; tests that need them skip without. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';

const FOLDER = fileURLToPath(new URL('../../../shared/data', import.meta.url));

/** Path of a recording. */
export const sharedFile = (name: string): string => join(FOLDER, name);

export const hasSharedData = existsSync(join(FOLDER, 'expected.json'));

/** Values that readers and reports must give, by file. */
export function expectedValues(): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  return JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8'));
}

/** A suite on the recordings; its title says why it is skipped. */
export function describeShared(title: string, tests: () => void): void {
  if (hasSharedData) describe(title, tests);
  else describe.skip(`${title} (skipped: ../shared/data is not there)`, tests);
}
