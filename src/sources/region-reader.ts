/** Two ways to read the regions that a kdamond counted: the trace event, and sysfs. */
import { closeSync, constants, mkdirSync, openSync, readSync, rmdirSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { DAMON_ADMIN } from '../machines/linux/damon-features.ts';
import type { SystemTree } from '../machines/linux/system-tree.ts';
import type { UndoLedger } from '../machines/linux/undo-ledger.ts';
import { writeSystemFile } from '../machines/linux/write-system-file.ts';
import { parseAggregated, parseLost } from './aggregated-line.ts';

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

const STATE = `${DAMON_ADMIN}/0/state`;
const TRIED = `${DAMON_ADMIN}/0/contexts/0/schemes/0/tried_regions`;

/**
 * Snapshots of a scheme that matches everything. The command takes up to an aggregation interval, so
 * it waits on another thread, and about every second interval is seen.
 */
export class SysfsReader implements RegionReader {
  readonly way = 'sysfs';
  readonly #tree: SystemTree;
  #pending: Promise<void> | undefined;
  #regions: { start: number; end: number; nrAccesses: number }[] = [];
  #isStopped = false;

  constructor(tree: SystemTree) {
    this.#tree = tree;
  }

  start(): void {}

  take(_kdamondPid: number, visit: RegionVisitor): number {
    for (const { start, end, nrAccesses } of this.#regions) visit(start, end, nrAccesses);
    this.#regions = [];
    if (this.#pending === undefined && !this.#isStopped) {
      this.#pending = this.#snapshot().finally(() => {
        this.#pending = undefined;
      });
    }
    return 0;
  }

  async #snapshot(): Promise<void> {
    try {
      await writeFile(this.#tree.path(STATE), 'update_schemes_tried_regions');
      const names = (await readdir(this.#tree.path(TRIED))).filter((name) => /^\d+$/.test(name));
      const read = async (name: string, file: string): Promise<number> =>
        Number(await readFile(this.#tree.path(`${TRIED}/${name}/${file}`), 'utf8'));
      const regions: { start: number; end: number; nrAccesses: number }[] = [];
      for (const name of names) {
        const [start, end, nrAccesses] = await Promise.all([
          read(name, 'start'),
          read(name, 'end'),
          read(name, 'nr_accesses'),
        ]);
        regions.push({ start, end, nrAccesses });
      }
      if (!this.#isStopped) this.#regions = regions;
    } catch {
      // Busy, or the kdamond has ended with its process: the next one may succeed.
    }
  }

  stop(): void {
    this.#isStopped = true;
  }
}
