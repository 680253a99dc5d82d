/**
 * The thread that asks a kdamond for its regions through sysfs: the command blocks for up to an
 * aggregation interval, and reading takes two hundred files and more.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../memory/error.ts';

export interface RegionWorkerData {
  /** Paths below the root of the machine's files. */
  readonly statePath: string;
  readonly triedPath: string;
  /** 1 while a command is under way. */
  readonly busy: Int32Array;
}

const port = parentPort;
invariant(port !== null, 'regions are read on a worker thread');
const { statePath, triedPath, busy } = workerData as RegionWorkerData;

/** Start, end and nr_accesses of each region, one after the other; none while DAMON is busy. */
port.on('message', () => {
  const regions: number[] = [];
  Atomics.store(busy, 0, 1);
  try {
    writeFileSync(statePath, 'update_schemes_tried_regions');
    for (const name of readdirSync(triedPath)) {
      if (!/^\d+$/.test(name)) continue;
      for (const file of ['start', 'end', 'nr_accesses']) {
        regions.push(Number(readFileSync(`${triedPath}/${name}/${file}`, 'utf8')));
      }
    }
  } catch {
    // Busy, or the kdamond has ended with its process: the next command may succeed.
    regions.length = 0;
  }
  Atomics.store(busy, 0, 0);
  Atomics.notify(busy, 0);
  port.postMessage(regions);
});
