/**
 * `run --reload`: follows a scheme file while it is edited. A version that is in order takes over, all or
 * nothing; of one that is not every mistake is told, and the old schemes run on. Editors that replace the
 * file (write beside, rename) are followed too.
 */
import { statSync } from 'node:fs';
import type { Engine } from '../engine/engine.ts';
import type { Configuration } from '../engine/state.ts';
import { ThermoError, ThermoErrors } from '../memory/error.ts';
import { renderProblem } from '../view/problem.ts';

/** Shortest time between two looks at the file. */
const LOOK_MS = 200;

export interface SchemeWatchOptions {
  readonly path: string;
  /** Reads the file anew; throws ThermoError or ThermoErrors. */
  readonly read: () => Promise<Configuration>;
  readonly say: (text: string) => void;
  /** True once after the user asked for an undo. */
  readonly takeUndo: () => boolean;
}

export class SchemeWatch {
  readonly #options: SchemeWatchOptions;
  #lastLookMs = performance.now();
  #version: string;

  constructor(options: SchemeWatchOptions) {
    this.#options = options;
    this.#version = versionOf(options.path);
  }

  /** To be called between two aggregations; a promise if there is something to do. */
  look(engine: Engine): Promise<void> | undefined {
    if (this.#options.takeUndo()) this.#undo(engine);
    const now = performance.now();
    if (now - this.#lastLookMs < LOOK_MS) return undefined;
    this.#lastLookMs = now;
    const version = versionOf(this.#options.path);
    if (version === this.#version) return undefined;
    this.#version = version;
    return this.#reload(engine);
  }

  async #reload(engine: Engine): Promise<void> {
    const { path, read, say } = this.#options;
    try {
      const configuration = await read();
      const before = engine.state.configuration.schemes.map(({ scheme }) => scheme.name);
      engine.configure(configuration);
      say(`${path}: taken over; ${describeChange(before, configuration)}\n`);
    } catch (error) {
      if (!(error instanceof ThermoErrors || error instanceof ThermoError)) throw error;
      const errors = error instanceof ThermoErrors ? error.errors : [error];
      for (const each of errors) say(renderProblem(each));
      say(`${path}: not taken over; the schemes from before run on\n`);
    }
  }

  #undo(engine: Engine): void {
    const { path, say } = this.#options;
    const isUndone = engine.undo();
    say(`${path}: ${isUndone ? 'the last change is taken back' : 'there is no change to take back'}\n`);
  }
}

/** What tells one state of a file from another; empty while there is none. */
function versionOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino} ${stat.size} ${stat.mtimeMs}`;
}

function describeChange(before: readonly string[], { schemes }: Configuration): string {
  const now = schemes.map(({ scheme }) => scheme.name);
  const parts = [
    ['go on', now.filter((name) => before.includes(name))],
    ['new', now.filter((name) => !before.includes(name))],
    ['gone', before.filter((name) => !now.includes(name))],
  ] as const;
  return parts
    .filter(([, names]) => names.length > 0)
    .map(([what, names]) => `${what}: ${names.join(', ')}`)
    .join('; ');
}
