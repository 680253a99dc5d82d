/**
 * What the lab sees of a simulated machine beyond what a machine shows: signals for per-page systems,
 * promotions in vain, the future, the end of each thread. Each costs nothing until it is asked for.
 */
import type { PageRuns } from '../../memory/page-runs.ts';
import type { PageSignals } from '../../memory/page-signals.ts';
import type { RandomStream } from '../../memory/random.ts';
import type { AddressRange } from '../../memory/range.ts';
import type { MemoryNode } from '../../memory/tier.ts';
import type { FutureVisitor, Lab, ThreadEnd } from '../lab-machine.ts';
import type { RunningThread } from './field.ts';
import { SimulatedSignals } from './simulated-signals.ts';
import { WasteMeter } from './waste-meter.ts';

export interface LabViewConfig {
  readonly nodes: readonly MemoryNode[];
  readonly threads: readonly RunningThread[];
  readonly placement: PageRuns;
  readonly ranges: readonly AddressRange[];
  /** Time of an access by nid, as it is now. */
  readonly accessNs: Float64Array;
  readonly fastNid: number;
  readonly random: RandomStream;
}

/** Longer than the workloads' phases, which are a minute at most. */
const HORIZON_S = 15;
const LOOK_US = 100_000;

export class LabView implements Lab {
  readonly lookUs = LOOK_US;
  readonly pageRanges: readonly AddressRange[];
  readonly #config: LabViewConfig;
  #signals: SimulatedSignals | undefined;
  #waste: WasteMeter | undefined;

  constructor(config: LabViewConfig) {
    this.#config = config;
    this.pageRanges = config.ranges;
  }

  signals(): PageSignals {
    const { ranges, placement, random } = this.#config;
    const endAddress = Math.max(...ranges.map(({ end }) => end));
    this.#signals ??= new SimulatedSignals(endAddress, placement, random, {
      node: (nid, us) => this.#chargeTo(({ thread }) => thread.nid === nid, us),
      thread: (number, us) => {
        this.#config.threads[number].charge(us);
      },
    });
    return this.#signals;
  }

  waste(): WasteMeter {
    this.#waste ??= new WasteMeter(this.#config.nodes);
    return this.#waste;
  }

  /** At the present speed of the threads. */
  forEachFuture(visit: FutureVisitor): void {
    const { threads, accessNs } = this.#config;
    for (const thread of threads) thread.forEachFuture(HORIZON_S, accessNs, visit);
  }

  threadEnds(): readonly ThreadEnd[] {
    return this.#config.threads.map(({ thread, done, endUs }) => ({
      name: thread.name,
      endS: done ? endUs / 1e6 : Number.NaN,
    }));
  }

  runningThreads(): number[] {
    return this.#config.threads.flatMap(({ done }, number) => (done ? [] : [number]));
  }

  charge(us: number): void {
    this.#chargeTo(() => true, us);
  }

  advanceTo(nowUs: number): void {
    this.#signals?.advanceTo(nowUs);
  }

  accessed(start: number, end: number, perPage: number, by: RunningThread): void {
    this.#signals?.access(start, end, perPage, by.thread.nid, this.#config.threads.indexOf(by));
  }

  moved(start: number, end: number, fromNid: number, toNid: number): void {
    if (this.#waste === undefined || !this.#waste.moved(start, end, fromNid, toNid)) return;
    for (const { areas, remaining } of this.#config.threads) {
      for (const area of areas) {
        const [from, to] = [Math.max(start, area.start), Math.min(end, area.end)];
        if (from < to) this.#waste.used(from, to, (remaining * area.share) / area.pages, toNid);
      }
    }
  }

  /** A thread has entered a phase. */
  entered({ areas, remaining }: RunningThread): void {
    if (this.#waste === undefined) return;
    for (const { start, end, share, pages } of areas) {
      this.#waste.used(start, end, (remaining * share) / pages, this.#config.fastNid);
    }
  }

  #chargeTo(isPaying: (thread: RunningThread) => boolean, us: number): void {
    const paying = this.#config.threads.filter((thread) => !thread.done && isPaying(thread));
    for (const thread of paying) thread.charge(us / paying.length);
  }
}
