/**
 * What the lab sees of a simulated machine beyond what a machine shows: signals for per-page systems,
 * promotions in vain, the future, the end of each thread. Each costs nothing until it is asked for.
 */
import type { PageRuns } from '../../memory/page-runs.ts';
import type { PageSignals } from '../../memory/page-signals.ts';
import type { RandomStream } from '../../memory/random.ts';
import type { MemoryNode } from '../../memory/tier.ts';
import type { FutureVisitor, RunningThread } from './field.ts';
import { SimulatedSignals } from './simulated-signals.ts';
import { type Use, WasteMeter } from './waste-meter.ts';

export interface LabViewConfig {
  readonly nodes: readonly MemoryNode[];
  readonly threads: readonly RunningThread[];
  readonly placement: PageRuns;
  readonly endAddress: number;
  /** Time of an access by nid, as it is now. */
  readonly accessNs: Float64Array;
  readonly fastNid: number;
  readonly random: RandomStream;
}

export class LabView {
  readonly #config: LabViewConfig;
  #signals: SimulatedSignals | undefined;
  #waste: WasteMeter | undefined;

  constructor(config: LabViewConfig) {
    this.#config = config;
  }

  /** Hint faults and Accessed-bit scans. */
  signals(): PageSignals {
    const { endAddress, placement, random } = this.#config;
    this.#signals ??= new SimulatedSignals(endAddress, placement, random, {
      node: (nid, us) => this.#chargeTo(({ thread }) => thread.nid === nid, us),
      thread: (number, us) => {
        this.#config.threads[number].charge(us);
      },
    });
    return this.#signals;
  }

  /** Counts promotions in vain from the first call on. */
  waste(): WasteMeter {
    this.#waste ??= new WasteMeter(this.#config.nodes);
    return this.#waste;
  }

  /**
   * What only a clairvoyant knows: every use within the next `seconds`, at the present speed of the
   * threads. Uses overlap where several phases use the same memory.
   */
  forEachFuture(seconds: number, visit: FutureVisitor): void {
    const { threads, accessNs } = this.#config;
    for (const thread of threads) thread.forEachFuture(seconds, accessNs, visit);
  }

  /** When each thread ended, s; NaN while it runs. */
  threadEnds(): readonly { readonly name: string; readonly endS: number }[] {
    return this.#config.threads.map(({ thread, done, endUs }) => ({
      name: thread.name,
      endS: done ? endUs / 1e6 : Number.NaN,
    }));
  }

  /** Numbers of the threads that run. */
  runningThreads(): number[] {
    return this.#config.threads.flatMap(({ done }, number) => (done ? [] : [number]));
  }

  /** Lets all threads that run lose time, shared evenly, us. */
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
    this.#waste?.moved(start, end, fromNid, toNid, this.#uses(start, end));
  }

  /** A thread has entered a phase. */
  entered({ areas, remaining }: RunningThread): void {
    if (this.#waste === undefined) return;
    for (const { start, end, share, pages } of areas) {
      this.#waste.used({ start, end, accessesPerPage: (remaining * share) / pages }, this.#config.fastNid);
    }
  }

  /** Areas in use that overlap a range. */
  #uses(start: number, end: number): Use[] {
    return this.#config.threads.flatMap(({ areas, remaining }) =>
      areas
        .filter((area) => area.start < end && area.end > start)
        .map((area) => ({
          start: Math.max(start, area.start),
          end: Math.min(end, area.end),
          accessesPerPage: (remaining * area.share) / area.pages,
        })),
    );
  }

  #chargeTo(isPaying: (thread: RunningThread) => boolean, us: number): void {
    const paying = this.#config.threads.filter((thread) => !thread.done && isPaying(thread));
    for (const thread of paying) thread.charge(us / paying.length);
  }
}
