/** Two ways to read the regions that a kdamond counted: the trace event, and sysfs. */
import { closeSync, constants, mkdirSync, openSync, readSync, rmdirSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { DAMON_ADMIN } from '../machines/linux/damon-features.ts';
import type { SystemTree } from '../machines/linux/system-tree.ts';
import type { UndoLedger } from '../machines/linux/undo-ledger.ts';
import { writeSystemFile } from '../machines/linux/write-system-file.ts';
import { parseAggregated, parseLost } from './aggregated-line.ts';
import type { RegionWorkerData } from './region-worker.ts';

export type RegionVisitor = (start: number, end: number, nrAccesses: number) => void;

export interface RegionReader {
  readonly way: 'trace' | 'sysfs';
  /** Before the kdamond runs. */
  start(): void;
  /** Visits regions of whole aggregation intervals since the last call; returns how many were lost. */
  take(kdamondPid: number, visit: RegionVisitor): number;
  stop(): void;
}

/**
 * Every aggregation interval of the kdamond, through a trace instance of our own: no other reader loses
 * events to it, and no other trace slows it.
 */
export class TraceReader implements RegionReader {
  readonly way = 'trace';
  readonly #tree: SystemTree;
  readonly #instance: string;
  readonly #ledger: UndoLedger;
  readonly #buffer = Buffer.alloc(1 << 16);
  #fd = -1;
  #rest = '';

  constructor(tree: SystemTree, tracing: string, ledger: UndoLedger) {
    this.#tree = tree;
    this.#ledger = ledger;
    this.#instance = `${tracing}/instances/thermocline-${process.pid}`;
  }

  start(): void {
    this.#ledger.note({ kind: 'trace', path: this.#instance });
    mkdirSync(this.#tree.path(this.#instance));
    writeSystemFile(this.#tree, `${this.#instance}/events/damon/damon_aggregated/enable`, '1');
    this.#fd = openSync(
      this.#tree.path(`${this.#instance}/trace_pipe`),
      constants.O_RDONLY | constants.O_NONBLOCK,
    );
  }

  take(kdamondPid: number, visit: RegionVisitor): number {
    let lost = 0;
    for (;;) {
      const text = this.#read();
      if (text === undefined) return lost;
      const lines = `${this.#rest}${text}`.split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) {
        const region = parseAggregated(line);
        if (region === undefined) lost += parseLost(line);
        else if (region.pid === kdamondPid) visit(region.start, region.end, region.nrAccesses);
      }
    }
  }

  /** undefined when there is nothing (more) to read. */
  #read(): string | undefined {
    try {
      const bytes = readSync(this.#fd, this.#buffer, 0, this.#buffer.length, null);
      return bytes === 0 ? undefined : this.#buffer.toString('latin1', 0, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return undefined;
      throw error;
    }
  }

  stop(): void {
    if (this.#fd < 0) return;
    closeSync(this.#fd);
    this.#fd = -1;
    rmdirSync(this.#tree.path(this.#instance));
  }
}

/** A command that takes longer than this is not waited for. */
const MOST_WAIT_MS = 10_000;

/**
 * Snapshots of a scheme that matches everything. The command takes up to an aggregation interval, so it
 * waits on a thread of its own, and about every second interval is seen.
 */
export class SysfsReader implements RegionReader {
  readonly way = 'sysfs';
  readonly #tree: SystemTree;
  readonly #busy = new Int32Array(new SharedArrayBuffer(4));
  #worker: Worker | undefined;
  #isAsked = false;
  #regions: readonly number[] = [];

  constructor(tree: SystemTree) {
    this.#tree = tree;
  }

  start(): void {
    const workerData: RegionWorkerData = {
      statePath: this.#tree.path(`${DAMON_ADMIN}/0/state`),
      triedPath: this.#tree.path(`${DAMON_ADMIN}/0/contexts/0/schemes/0/tried_regions`),
      busy: this.#busy,
    };
    // Built code runs the built worker.
    this.#worker = new Worker(new URL('./region-worker.js', import.meta.url), { workerData });
    this.#worker.unref();
    this.#worker.on('message', (regions: readonly number[]) => {
      this.#regions = regions;
      this.#isAsked = false;
    });
  }

  take(_kdamondPid: number, visit: RegionVisitor): number {
    const regions = this.#regions;
    for (let i = 0; i < regions.length; i += 3) visit(regions[i], regions[i + 1], regions[i + 2]);
    this.#regions = [];
    if (!this.#isAsked) {
      this.#isAsked = true;
      this.#worker?.postMessage('snapshot');
    }
    return 0;
  }

  /**
   * Waits for the command that is under way: Linux 6.12 hangs for good when a kdamond is removed while
   * one waits for it (nr_kdamonds drains the writer, which waits for the lock that nr_kdamonds holds).
   */
  stop(): void {
    if (this.#worker === undefined) return;
    Atomics.wait(this.#busy, 0, 1, MOST_WAIT_MS);
    void this.#worker.terminate();
    this.#worker = undefined;
  }
}
