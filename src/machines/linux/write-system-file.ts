/** Writes and reads settings below /proc or /sys; DAMON's say EBUSY while a command of theirs is under way. */
import { writeFileSync } from 'node:fs';
import { ThermoError } from '../../memory/error.ts';
import { DAMON_ADMIN } from './damon-features.ts';
import type { SystemTree } from './system-tree.ts';

/** Longer than any aggregation interval that commands wait for. */
const BUSY_RETRIES = 100;
const BUSY_PAUSE_MS = 20;

/** @throws ThermoError THERMO_FILE_UNWRITABLE with what the kernel said */
export function writeSystemFile(tree: SystemTree, path: string, value: string | number): void {
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(tree.path(path), String(value));
      return;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // A kdamond cannot start while another part of the kernel uses DAMON: waiting would not help.
      const mayPass = path.startsWith(DAMON_ADMIN) && value !== 'on';
      if (code === 'EBUSY' && attempt < BUSY_RETRIES && mayPass) {
        pause();
        continue;
      }
      throw new ThermoError('THERMO_FILE_UNWRITABLE', `${path}: "${value}" cannot be written (${code})`, {
        hint: code === 'EACCES' || code === 'EPERM' ? 'run as root' : undefined,
        cause: error,
      });
    }
  }
}

/** Reads one of DAMON's files, waiting while it is busy; undefined where it is not there. */
export function readPatiently(tree: SystemTree, path: string): string | undefined {
  for (let attempt = 0; attempt < BUSY_RETRIES && tree.exists(path); attempt++) {
    const text = tree.read(path);
    if (text !== undefined) return text;
    pause();
  }
  return undefined;
}

/** Blocks: also exit handlers wait. */
function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_PAUSE_MS);
}
