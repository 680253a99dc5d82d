/**
 * What this process has changed on the machine, so that it is taken back: at the end of the run, on a
 * signal, or, after a crash, by the next start.
 *
 * Each change is written down before it is made, in a file of its own process below /run (which a reboot
 * empties, as it undoes the changes). What somebody else has changed since is left alone.
 */
import { mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ThermoError } from '../../memory/error.ts';
import { DAMON_ADMIN } from './damon-features.ts';
import { processStart } from './process-memory.ts';
import type { SystemTree } from './system-tree.ts';
import { readPatiently, writeSystemFile } from './write-system-file.ts';

const FOLDER = '/run/thermocline';

export type Change =
  /** A setting: `was` is written back while it still has the value that was set. */
  | { readonly kind: 'setting'; readonly path: string; readonly was: string; readonly set: string }
  /** The kdamond number 0, known by what it watches and, once it runs, by its process. */
  | { readonly kind: 'kdamond'; readonly target: string; readonly pid?: number }
  /** An instance of tracefs. */
  | { readonly kind: 'trace'; readonly path: string };

interface LedgerFile {
  readonly pid: number;
  readonly startTicks: number;
  readonly changes: readonly Change[];
}

export class UndoLedger {
  readonly #tree: SystemTree;
  readonly #path: string;
  readonly #startTicks: number;
  readonly #changes: Change[] = [];

  constructor(tree: SystemTree, pid = process.pid) {
    this.#tree = tree;
    this.#path = tree.path(join(FOLDER, `${pid}.json`));
    this.#startTicks = processStart(tree, pid) ?? 0;
  }

  /** Writes a change down; to be called before it is made. */
  note(change: Change): void {
    this.#changes.push(change);
    this.#save();
  }

  /** Replaces the last change of the same kind, once more is known of it. */
  update(change: Change): void {
    const i = this.#changes.findLastIndex(({ kind }) => kind === change.kind);
    this.#changes[i] = change;
    this.#save();
  }

  /** Sets a file to a value for the time of the run. */
  set(path: string, value: string): void {
    const was = this.#tree.read(path);
    if (was === value) return;
    this.note({ kind: 'setting', path, was: was ?? '', set: value });
    writeSystemFile(this.#tree, path, value);
  }

  /** Takes everything back, the last change first. Safe to call twice, and in an exit handler. */
  undo(): void {
    for (let change = this.#changes.pop(); change !== undefined; change = this.#changes.pop()) {
      undoChange(this.#tree, change);
    }
    rmSync(this.#path, { force: true });
  }

  #save(): void {
    const file: LedgerFile = { pid: process.pid, startTicks: this.#startTicks, changes: this.#changes };
    try {
      mkdirSync(dirname(this.#path), { recursive: true });
      // A crash in the middle leaves the file before or the file after.
      writeFileSync(`${this.#path}.new`, JSON.stringify(file));
      renameSync(`${this.#path}.new`, this.#path);
    } catch (error) {
      throw new ThermoError('THERMO_FILE_UNWRITABLE', `${this.#path}: cannot be written`, {
        hint: 'what is changed on the machine is written down there first; run as root',
        cause: error,
      });
    }
  }
}

/** Ledgers of processes that have gone without taking their changes back. */
export function leftOvers(tree: SystemTree): readonly string[] {
  return tree.list(FOLDER).filter((name) => {
    const file = readLedger(tree, name);
    return file !== undefined && processStart(tree, file.pid) !== file.startTicks;
  });
}

/** Takes back what crashed processes left behind; tells what, in words. */
export function recover(tree: SystemTree): string[] {
  const told: string[] = [];
  for (const name of leftOvers(tree)) {
    const file = readLedger(tree, name);
    for (const change of [...(file?.changes ?? [])].reverse()) {
      if (undoChange(tree, change))
        told.push(`left by process ${file?.pid}, taken back: ${describe(change)}`);
    }
    rmSync(tree.path(join(FOLDER, name)), { force: true });
  }
  return told;
}

function readLedger(tree: SystemTree, name: string): LedgerFile | undefined {
  if (!/^\d+\.json$/.test(name)) return undefined;
  try {
    return JSON.parse(readFileSync(tree.path(join(FOLDER, name)), 'utf8')) as LedgerFile;
  } catch {
    return undefined;
  }
}

function describe(change: Change): string {
  if (change.kind === 'setting') return `${change.path} is ${change.was} again`;
  return change.kind === 'trace' ? `the trace instance ${change.path}` : 'a kdamond';
}

/** True if there was something to take back. */
function undoChange(tree: SystemTree, change: Change): boolean {
  try {
    if (change.kind === 'setting') {
      if (tree.read(change.path) !== change.set) return false;
      writeSystemFile(tree, change.path, change.was);
      return true;
    }
    if (change.kind === 'trace') {
      rmdirSync(tree.path(change.path));
      return true;
    }
    return removeKdamond(tree, change);
  } catch {
    // It has gone by itself, or may not be touched: nothing more can be done about it here.
    return false;
  }
}

function removeKdamond(tree: SystemTree, { target, pid }: Extract<Change, { kind: 'kdamond' }>): boolean {
  if (tree.readNumber(`${DAMON_ADMIN}/nr_kdamonds`) !== 1) return false;
  const isRunning = readPatiently(tree, `${DAMON_ADMIN}/0/state`) === 'on';
  const isOurs = isRunning
    ? Number(readPatiently(tree, `${DAMON_ADMIN}/0/pid`)) === pid
    : tree.read(`${DAMON_ADMIN}/0/contexts/0/targets/0/pid_target`) === target;
  if (!isOurs) return false;
  if (isRunning) writeSystemFile(tree, `${DAMON_ADMIN}/0/state`, 'off');
  writeSystemFile(tree, `${DAMON_ADMIN}/nr_kdamonds`, '0');
  return true;
}
