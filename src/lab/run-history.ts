/**
 * What happened in a run, over time, in bounded memory: where memory lay, what moved, what the schemes were
 * allowed, and regions and truth over the addresses. When the columns are used up, pairs become one.
 */
import type { EngineState } from '../engine/state.ts';
import type { ModelledMachine } from '../machines/machine.ts';
import type { AddressRange } from '../memory/range.ts';
import type { Monitor } from '../monitor/monitor.ts';
import { HEAT_COLUMNS, HEAT_ROWS, HeatGrid } from './heat-grid.ts';

/** Of a stretch of time: what was at its end, and what happened in it. */
export interface HistoryColumn {
  readonly endUs: number;
  /** By nid, at the end. */
  readonly usedBytes: readonly number[];
  readonly promotedBytes: number;
  readonly demotedBytes: number;
  readonly accesses: number;
  readonly fastAccesses: number;
  readonly nrRegions: number;
  readonly schemes: readonly {
    readonly triedBytes: number;
    readonly appliedBytes: number;
    /** What the window allowed at the end; null for no limit. */
    readonly effectiveBytes: number | null;
  }[];
}

interface Totals {
  readonly promoted: number;
  readonly demoted: number;
  readonly accesses: number;
  readonly fast: number;
  readonly schemes: readonly { readonly tried: number; readonly applied: number }[];
}

const NOTHING: Totals = { promoted: 0, demoted: 0, accesses: 0, fast: 0, schemes: [] };

export class RunHistory {
  /** Share of the cell that is truly accessed at the rate that counts as hot, or more. */
  readonly truth: HeatGrid;
  /** Regions per cell. */
  readonly regions: HeatGrid;
  readonly #machine: ModelledMachine;
  readonly #minRatePerS: number;
  readonly #cellBytes: number;
  readonly #columns: HistoryColumn[] = [];
  readonly #weights: number[] = [];
  #perColumn = 1;
  #before: Totals = NOTHING;

  constructor(machine: ModelledMachine, ranges: readonly AddressRange[], minRatePerS: number) {
    this.#machine = machine;
    this.#minRatePerS = minRatePerS;
    this.#cellBytes = ranges.reduce((sum, { start, end }) => sum + end - start, 0) / HEAT_ROWS;
    this.truth = new HeatGrid(ranges, HEAT_ROWS, HEAT_COLUMNS);
    this.regions = new HeatGrid(ranges, HEAT_ROWS, HEAT_COLUMNS);
  }

  /** Once per aggregation interval, while the regions are those that were measured. */
  aggregated(timeUs: number, { regions }: Monitor): void {
    this.regions.add(timeUs, {
      count: regions.count,
      start: (i) => regions.start(i),
      end: (i) => regions.end(i),
      rate: (i) => this.#cellBytes / (regions.end(i) - regions.start(i)),
    });
    const hot: AddressRange[] = [];
    this.#machine.truth.forEachHot(this.#minRatePerS, (start, end) => hot.push({ start, end }));
    this.truth.add(timeUs, {
      count: hot.length,
      start: (i) => hot[i].start,
      end: (i) => hot[i].end,
      rate: () => 1,
    });
  }

  /** Once per published state, after the schemes of the interval. */
  published(state: EngineState): void {
    const { moves, nodes } = this.#machine;
    const { accesses, fastAccesses } = this.#machine.truth.totals();
    const now: Totals = {
      promoted: moves.promotedBytes,
      demoted: moves.demotedBytes + moves.reclaimDemotedBytes,
      accesses,
      fast: fastAccesses,
      schemes: state.schemes.map(({ szTried, szApplied }) => ({ tried: szTried, applied: szApplied })),
    };
    const before = this.#before;
    this.#before = now;
    this.#add({
      endUs: state.timeUs,
      usedBytes: nodes.map(({ nid, capacityBytes }) => capacityBytes - this.#machine.gauge(nid).freeBytes),
      promotedBytes: now.promoted - before.promoted,
      demotedBytes: now.demoted - before.demoted,
      accesses: now.accesses - before.accesses,
      fastAccesses: now.fast - before.fast,
      nrRegions: state.nrRegions,
      schemes: state.schemes.map(({ effectiveBytes }, i) => ({
        triedBytes: now.schemes[i].tried - (before.schemes[i]?.tried ?? 0),
        appliedBytes: now.schemes[i].applied - (before.schemes[i]?.applied ?? 0),
        effectiveBytes,
      })),
    });
  }

  columns(): readonly HistoryColumn[] {
    return this.#columns;
  }

  #add(column: HistoryColumn): void {
    const last = this.#columns.length - 1;
    if (last >= 0 && this.#weights[last] < this.#perColumn) {
      this.#columns[last] = joined(this.#columns[last], column);
      this.#weights[last]++;
      return;
    }
    if (this.#columns.length === HEAT_COLUMNS) this.#halve();
    this.#columns.push(column);
    this.#weights.push(1);
  }

  #halve(): void {
    const half = HEAT_COLUMNS / 2;
    for (let i = 0; i < half; i++) {
      this.#columns[i] = joined(this.#columns[2 * i], this.#columns[2 * i + 1]);
      this.#weights[i] = this.#weights[2 * i] + this.#weights[2 * i + 1];
    }
    this.#columns.length = half;
    this.#weights.length = half;
    this.#perColumn *= 2;
  }
}

/** Two stretches of time, one after the other. */
function joined(first: HistoryColumn, second: HistoryColumn): HistoryColumn {
  return {
    ...second,
    promotedBytes: first.promotedBytes + second.promotedBytes,
    demotedBytes: first.demotedBytes + second.demotedBytes,
    accesses: first.accesses + second.accesses,
    fastAccesses: first.fastAccesses + second.fastAccesses,
    schemes: second.schemes.map((scheme, i) => ({
      ...scheme,
      triedBytes: scheme.triedBytes + (first.schemes[i]?.triedBytes ?? 0),
      appliedBytes: scheme.appliedBytes + (first.schemes[i]?.appliedBytes ?? 0),
    })),
  };
}
