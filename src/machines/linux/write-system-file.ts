/** Writes a setting below /proc or /sys. */
import { writeFileSync } from 'node:fs';
import { ThermoError } from '../../memory/error.ts';
import type { SystemTree } from './system-tree.ts';

/** DAMON's files say EBUSY while another write of theirs is under way. */
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
      if (code === 'EBUSY' && attempt < BUSY_RETRIES && path.endsWith('/state') && value !== 'on') {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_PAUSE_MS);
        continue;
      }
      throw new ThermoError('THERMO_FILE_UNWRITABLE', `${path}: "${value}" cannot be written (${code})`, {
        hint: code === 'EACCES' || code === 'EPERM' ? 'run as root' : undefined,
        cause: error,
      });
    }
  }
}
