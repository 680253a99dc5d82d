/** Runs the built program in a directory of its own. Needs `npm run build` (pretest does it). */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const MAIN = join(ROOT, 'dist/cli/main.js');
/** Working directory of the program; the test that imports this removes it. */
export const WORK = mkdtempSync(join(tmpdir(), 'thermocline-test-'));

/** Runs a command to its end; a stack on either stream fails the test. */
export function thermocline(
  args: readonly string[],
  input?: Buffer | string,
  env: Readonly<Record<string, string>> = {},
) {
  const result = spawnSync(process.execPath, [MAIN, ...args], {
    cwd: WORK,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, TERM: 'dumb', ...env },
    ...(input === undefined ? {} : { input }),
  });
  expect(`${result.stdout}${result.stderr}`).not.toMatch(/\n {4}at /);
  return result;
}

/** Writes a file into the working directory; its path. */
export function file(name: string, content: string | Buffer): string {
  const path = join(WORK, name);
  writeFileSync(path, content);
  return path;
}

/** Runs the `npx thermocline` commands of a text's shell blocks in their order; how many there were. */
export function runCommandsOf(markdown: string): number {
  const commands = [...markdown.matchAll(/\n```sh\n([\s\S]*?)```/g)]
    .flatMap(([, block]) => block.split('\n'))
    .filter((line) => line.startsWith('npx thermocline '))
    .map((line) => line.replace(/#.*/, '').trim().split(/\s+/).slice(2));
  for (const args of commands) {
    const real = args.map((arg) => (arg.startsWith('schemes/') ? join(ROOT, arg) : arg));
    expect([args.join(' '), thermocline(real).status]).toEqual([args.join(' '), 0]);
  }
  return commands.length;
}
