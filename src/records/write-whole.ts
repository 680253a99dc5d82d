/** Files that are there whole or not at all. */
import { closeSync, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';

/** Writes under another name first, and syncs, so that whoever looks sees all of it or nothing. */
export function writeWhole(path: string, content: Uint8Array): void {
  // Processes of several machines may share the directory.
  const work = `${path}.${hostname()}.${process.pid}.tmp`;
  const fd = openSync(work, 'w');
  try {
    let written = 0;
    while (written < content.length) written += writeSync(fd, content, written);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(work, path);
  syncDirectory(dirname(path));
}

/** The name is on the disk as well; not every file system can do that. */
function syncDirectory(path: string): void {
  try {
    const fd = openSync(path, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Then the name comes with the next sync of the system.
  }
}
