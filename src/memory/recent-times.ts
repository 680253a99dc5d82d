/**
 * When areas of memory were last touched by something, as far as that is not long ago.
 *
 * Times are kept in ticks modulo {@link TICKS}, so that they fit into a {@link PageRuns}, and are forgotten
 * before they would look young again; a machine may run for years.
 */
import { invariant } from './error.ts';
import { NO_VALUE, PageRuns } from './page-runs.ts';

/** Well below the values that PageRuns keeps for itself. */
const TICKS = 60_000;
const TICKS_BETWEEN_SWEEPS = TICKS / 4;

/** @param agoUs to within a tick; Infinity for longer than what is remembered, and for never */
export type AgeVisitor = (start: number, end: number, agoUs: number) => void;

export class RecentTimes {
  readonly #tickUs: number;
  readonly #rememberedTicks: number;
  #times = new PageRuns();
  #lastTick = 0;
  #lastSweepTick = 0;

  /** @param rememberedUs at most a quarter of 60,000 ticks */
  constructor(tickUs: number, rememberedUs: number) {
    this.#tickUs = tickUs;
    this.#rememberedTicks = Math.floor(rememberedUs / tickUs);
    invariant(
      this.#rememberedTicks <= TICKS_BETWEEN_SWEEPS,
      `${rememberedUs} us are too many ticks of ${tickUs}`,
    );
  }

  /** Touches `[start, end)`. Never from inside {@link forEach}. Time must not run backwards. */
  note(nowUs: number, start: number, end: number): void {
    const tick = this.#advanceTo(nowUs);
    this.#times.set(start, end, tick % TICKS);
  }

  /** As if `[start, end)` had never been touched. */
  forget(start: number, end: number): void {
    this.#times.set(start, end, NO_VALUE);
  }

  /** Visits `[start, end)` in address order with the time since each part was touched. */
  forEach(nowUs: number, start: number, end: number, visit: AgeVisitor): void {
    const tick = this.#advanceTo(nowUs);
    this.#times.forEach(start, end, (from, to, noted) => {
      const ago = noted === NO_VALUE ? Number.POSITIVE_INFINITY : ticksSince(tick, noted);
      visit(from, to, ago <= this.#rememberedTicks ? ago * this.#tickUs : Number.POSITIVE_INFINITY);
    });
  }

  #advanceTo(nowUs: number): number {
    const tick = Math.floor(nowUs / this.#tickUs);
    const passed = tick - this.#lastTick;
    this.#lastTick = tick;
    if (passed > this.#rememberedTicks) {
      this.#times = new PageRuns();
      this.#lastSweepTick = tick;
    } else if (tick - this.#lastSweepTick >= TICKS_BETWEEN_SWEEPS) this.#sweep(tick);
    return tick;
  }

  #sweep(tick: number): void {
    this.#lastSweepTick = tick;
    const old: [number, number][] = [];
    this.#times.forEach(0, Number.MAX_SAFE_INTEGER, (start, end, noted) => {
      if (noted !== NO_VALUE && ticksSince(tick, noted) > this.#rememberedTicks) old.push([start, end]);
    });
    for (const [start, end] of old) this.#times.set(start, end, NO_VALUE);
  }
}

function ticksSince(tick: number, noted: number): number {
  return ((tick % TICKS) - noted + TICKS) % TICKS;
}
