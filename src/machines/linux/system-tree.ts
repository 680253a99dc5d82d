/**
 * The files in which Linux tells about itself, below a root directory: `/` on a live machine, or the
 * recorded tree of another one. What is missing is a fact, not an error.
 */
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export class SystemTree {
  readonly root: string;

  constructor(root = '/') {
    this.root = root;
  }

  /** True where calls to the kernel speak about the same machine as the files. */
  get isLive(): boolean {
    return this.root === '/';
  }

  path(name: string): string {
    return join(this.root, name);
  }

  /** Content without surrounding space; undefined where the file is missing or may not be read. */
  read(name: string): string | undefined {
    try {
      return readFileSync(this.path(name), 'utf8').trim();
    } catch {
      return undefined;
    }
  }

  /** A decimal number; undefined where there is none. */
  readNumber(name: string): number | undefined {
    const text = this.read(name);
    return text !== undefined && /^-?\d+$/.test(text) ? Number(text) : undefined;
  }

  /** Names in a directory, sorted; none where there is no such directory. */
  list(name: string): readonly string[] {
    try {
      return readdirSync(this.path(name)).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    } catch {
      return [];
    }
  }

  exists(name: string): boolean {
    return this.#may(name, constants.F_OK);
  }

  isReadable(name: string): boolean {
    return this.#may(name, constants.R_OK);
  }

  /** By permission bits; writes nothing. */
  isWritable(name: string): boolean {
    return this.#may(name, constants.W_OK);
  }

  #may(name: string, mode: number): boolean {
    try {
      accessSync(this.path(name), mode);
      return true;
    } catch {
      return false;
    }
  }
}

/** Numbers in a list such as `0-2,5`. */
export function parseNumberList(text: string): number[] {
  const numbers: number[] = [];
  for (const part of text.split(',')) {
    const match = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part);
    if (match === null) continue;
    const last = Number(match[2] ?? match[1]);
    for (let n = Number(match[1]); n <= last; n++) numbers.push(n);
  }
  return numbers;
}
