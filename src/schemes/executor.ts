/**
 * The scheme executor: applies every due scheme to what a monitor knows, in the order of the file. In one
 * round no byte is tried twice, as what was asked for is in flight.
 *
 * Differs from DAMOS on purpose: schemes go one after the other over all memory (DAMOS lets every scheme
 * act on a region before it turns to the next region), so that each has an exact order of its own.
 */
import type { ActionOutcome } from '../memory/action.ts';
import type { Regions } from '../monitor/monitor.ts';
import { readTag } from './request-tag.ts';
import type { ResolvedScheme } from './resolve.ts';
import { type RunnerAttrs, type SchemeHost, SchemeRunner } from './scheme-runner.ts';
import type { SchemeStats } from './scheme-stats.ts';
import { UnitTable } from './unit-table.ts';

export class SchemeExecutor {
  readonly #host: SchemeHost;
  #attrs: RunnerAttrs;
  #runners: readonly SchemeRunner[] = [];
  /** By id; also of schemes that are gone: requests may still be in flight, and they may come back. */
  readonly #known: SchemeRunner[] = [];
  readonly #table = new UnitTable();

  constructor(schemes: readonly ResolvedScheme[], attrs: RunnerAttrs, host: SchemeHost) {
    this.#host = host;
    this.#attrs = attrs;
    this.setSchemes(schemes);
  }

  get count(): number {
    return this.#runners.length;
  }

  /** The intervals in which regions count from now on. */
  setAttrs(attrs: RunnerAttrs): void {
    this.#attrs = attrs;
  }

  /**
   * Other schemes from now on; those of the same name go on with their windows and statistics, also if
   * they were left out for a while.
   */
  setSchemes(schemes: readonly ResolvedScheme[]): void {
    this.#runners = schemes.map((resolved) => {
      const known = this.#known.find((runner) => runner.resolved.scheme.name === resolved.scheme.name);
      if (known === undefined) return this.#createRunner(resolved);
      known.replace(resolved);
      return known;
    });
  }

  /**
   * Activates schemes by their watermarks.
   * @param freeShare of all memory, 0..1
   * @returns false if every scheme rests, so that monitoring can rest too
   */
  watch(freeShare: number): boolean {
    let isAnyActive = this.#runners.length === 0;
    for (const runner of this.#runners) {
      runner.watch(freeShare);
      isAnyActive ||= runner.isActive;
    }
    return isAnyActive;
  }

  /** Time after which the watermarks of resting schemes are to be looked at again. */
  get restUs(): number {
    return Math.min(
      ...this.#runners.map(
        ({ resolved }) => resolved.scheme.watermarks?.intervalUs ?? Number.POSITIVE_INFINITY,
      ),
    );
  }

  /**
   * Applies every due scheme, in order.
   * @param spots exceptions inside `regions`, as a monitor tells them
   */
  apply(nowUs: number, regions: Regions, spots: Regions): void {
    if (!this.#runners.some((runner) => runner.isDue(nowUs))) return;
    this.#table.fill(regions, spots);
    for (const runner of this.#runners) runner.applyIfDue(nowUs, this.#table, this.#attrs);
  }

  /** Books what became of a part of an earlier request. */
  recordResult(tag: number, bytes: number, outcome: ActionOutcome, cpuNs: number): void {
    const { id, sequence, makesWay } = readTag(tag);
    if (makesWay) this.#known[id].recordExchanged(bytes, outcome, cpuNs);
    else this.#known[id].recordResult(bytes, outcome, cpuNs, sequence);
  }

  /** Feeds a `user_input` goal of a scheme. */
  setUserInput(schemeIndex: number, goalIndex: number, value: number): void {
    this.#runners[schemeIndex].setUserInput(goalIndex, value);
  }

  stats(schemeIndex: number): Readonly<SchemeStats> {
    return this.#runners[schemeIndex].stats;
  }

  isActive(schemeIndex: number): boolean {
    return this.#runners[schemeIndex].isActive;
  }

  /** Bytes charged in the present window of the quota. */
  chargedBytes(schemeIndex: number): number {
    return this.#runners[schemeIndex].quota.chargedBytes;
  }

  /** Bytes that the present window allows in all. */
  effectiveBytes(schemeIndex: number): number {
    return this.#runners[schemeIndex].quota.effectiveBytes;
  }

  #createRunner(resolved: ResolvedScheme): SchemeRunner {
    const runner = new SchemeRunner(this.#known.length, resolved, this.#host, this.#attrs.minRegionSz);
    this.#known.push(runner);
    return runner;
  }
}
