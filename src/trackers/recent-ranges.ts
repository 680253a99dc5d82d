/**
 * Ranges that were noted within the last so many seconds, as one sorted, disjoint list: what a tracker without
 * a set of hot pages of its own takes for hot. The cost follows what is recent, and is paid when it is read.
 */

export class RecentRanges {
  readonly #keepUs: number;
  #noted: { readonly start: number; end: number; readonly atUs: number }[] = [];
  #joined: { readonly start: number; end: number }[] | undefined;
  #joinedAtUs = 0;

  constructor(keepUs: number) {
    this.#keepUs = keepUs;
  }

  /** Time must not run backwards. */
  note(nowUs: number, start: number, end: number): void {
    this.#joined = undefined;
    const last = this.#noted.at(-1);
    if (last !== undefined && last.end === start && last.atUs === nowUs) last.end = end;
    else this.#noted.push({ start, end, atUs: nowUs });
  }

  /** Visits in address order; neighbours are joined. */
  forEach(nowUs: number, visit: (start: number, end: number) => void): void {
    if (this.#joined === undefined || this.#joinedAtUs !== nowUs) {
      const first = this.#noted.findIndex(({ atUs }) => nowUs - atUs <= this.#keepUs);
      if (first !== 0) this.#noted.splice(0, first < 0 ? this.#noted.length : first);
      this.#joined = this.#join();
      this.#joinedAtUs = nowUs;
    }
    for (const { start, end } of this.#joined) visit(start, end);
  }

  #join(): { readonly start: number; end: number }[] {
    const joined: { readonly start: number; end: number }[] = [];
    for (const { start, end } of [...this.#noted].sort((a, b) => a.start - b.start)) {
      const last = joined.at(-1);
      if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
      else joined.push({ start, end });
    }
    return joined;
  }
}
