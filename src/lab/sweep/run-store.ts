/**
 * The directory of a sweep: one file per finished run, written whole or not at all, so that a sweep that
 * was killed goes on where it was. Many processes may share it: they write different files, or the same.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ThermoError } from '../../memory/error.ts';
import { writeError } from '../../records/write-error.ts';
import { writeWhole } from '../../records/write-whole.ts';
import type { CompareRow } from '../compare/row.ts';
import type { CompareTask } from '../compare/run-contestant.ts';
import type { NotSimulated } from '../compare/simulated-size.ts';
import type { Cell } from './columns.ts';

/** Marks a directory as that of a sweep. */
const MARK = 'sweep.json';
const RUNS = 'runs';
export const RUN_SCHEMA = 'thermocline.sweep-run/1';

/** A run and what came of it. */
export interface StoredRun {
  readonly id: string;
  readonly version: string;
  readonly task: CompareTask;
  readonly cells: Readonly<Record<string, Cell>>;
  readonly settings: Readonly<Record<string, string>>;
  readonly outcome:
    | { readonly kind: 'row'; readonly row: CompareRow }
    | { readonly kind: 'not simulated'; readonly not: NotSimulated };
}

export class RunStore {
  readonly path: string;

  /** @throws ThermoError if the directory holds something else, or cannot be written */
  constructor(path: string) {
    this.path = path;
    if (existsSync(path) && !isOurs(path)) {
      throw new ThermoError('THERMO_FILE_UNWRITABLE', `${path} exists and is no sweep of thermocline`, {
        hint: 'name another directory with --out',
      });
    }
    this.#try(() => mkdirSync(path, { recursive: true }));
    this.write(MARK, Buffer.from(`${JSON.stringify({ schema: 'thermocline.sweep-directory/1' })}\n`));
    this.#try(() => mkdirSync(join(path, RUNS), { recursive: true }));
  }

  /** The row of a finished run; undefined if there is none, or its file is damaged. */
  find(id: string): CompareRow | undefined {
    try {
      const read = JSON.parse(readFileSync(this.#fileOf(id), 'utf8')) as { schema: string; row: CompareRow };
      return read.schema === RUN_SCHEMA ? read.row : undefined;
    } catch {
      return undefined;
    }
  }

  /** @returns the row as it will be found: numbers that JSON does not know are null */
  add(id: string, version: string, task: CompareTask, row: CompareRow): CompareRow {
    const text = `${JSON.stringify({ schema: RUN_SCHEMA, version, task, row }, null, 1)}\n`;
    this.write(join(RUNS, `${id}.json`), Buffer.from(text));
    return (JSON.parse(text) as { row: CompareRow }).row;
  }

  /** Forgets a run. */
  remove(id: string): void {
    this.#try(() => rmSync(this.#fileOf(id), { force: true }));
  }

  /** @see writeWhole */
  write(name: string, content: Uint8Array): void {
    this.#try(() => writeWhole(join(this.path, name), content));
  }

  /** Names of the tables in the directory. */
  tables(): string[] {
    return readdirSync(this.path).filter((name) => name.endsWith('.parquet'));
  }

  #fileOf(id: string): string {
    return join(this.path, RUNS, `${id}.json`);
  }

  #try(action: () => void): void {
    try {
      action();
    } catch (error) {
      throw writeError(error, this.path, 'name another directory with --out; what was finished is kept');
    }
  }
}

/** Empty, or with our mark; that of a process that is just beginning counts as well. */
function isOurs(path: string): boolean {
  try {
    const names = readdirSync(path);
    return names.every((name) => name.startsWith(`${MARK}.`)) || names.includes(MARK);
  } catch {
    return false;
  }
}
