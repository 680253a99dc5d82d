/**
 * The directory a run leaves: written under another name and put in place at the end, so that it is
 * there whole or not at all.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { ThermoError } from '../memory/error.ts';

/** Marks a directory as ours, so that only our own results are ever replaced. */
const MARK = 'run.json';

export class OutputDirectory {
  readonly path: string;
  readonly #work: string;
  readonly #open = new Map<string, number>();

  /** @throws ThermoError if `path` exists and is not a result of thermocline, or cannot be written */
  constructor(path: string) {
    this.path = path;
    const target = resolve(path);
    this.#work = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
    if (existsSync(target) && !isReplaceable(target)) {
      throw new ThermoError('THERMO_FILE_UNWRITABLE', `${path} exists and is no result of thermocline`, {
        hint: 'name another directory with --out, or none with --no-out',
      });
    }
    this.#try(() => mkdirSync(this.#work, { recursive: true }));
  }

  write(name: string, text: string): void {
    this.#try(() => writeFileSync(join(this.#work, name), text));
  }

  append(name: string, text: string): void {
    this.#try(() => {
      let fd = this.#open.get(name);
      if (fd === undefined) {
        fd = openSync(join(this.#work, name), 'a');
        this.#open.set(name, fd);
      }
      writeSync(fd, text);
    });
  }

  /** Puts the directory in place of the old one. */
  commit(): void {
    this.#try(() => {
      this.#closeAll(true);
      rmSync(this.path, { recursive: true, force: true });
      renameSync(this.#work, this.path);
    });
  }

  /** Leaves nothing behind. */
  discard(): void {
    this.#closeAll(false);
    rmSync(this.#work, { recursive: true, force: true });
  }

  #closeAll(sync: boolean): void {
    for (const fd of this.#open.values()) {
      if (sync) fsyncSync(fd);
      closeSync(fd);
    }
    this.#open.clear();
  }

  #try(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.discard();
      throw new ThermoError(
        'THERMO_FILE_UNWRITABLE',
        `cannot write ${this.path}: ${(error as Error).message}`,
        {
          hint: 'name another directory with --out, or none with --no-out',
        },
      );
    }
  }
}

function isReplaceable(path: string): boolean {
  try {
    const names = readdirSync(path);
    return names.length === 0 || names.includes(MARK);
  } catch {
    return false;
  }
}
