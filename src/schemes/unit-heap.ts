/**
 * Units in the order of a scheme's priority, as far as they are asked for: a heap, so that a quota that
 * takes a few of ten thousand pays for those.
 *
 * Of equal priority the first is the one at or after the address where the last round stopped, then by
 * address, round and round: with a short quota every unit gets its turn.
 */
export class UnitHeap {
  #units = new Int32Array(1024);
  #size = 0;
  #priority: Float64Array = new Float64Array(1024);
  #start: Float64Array = new Float64Array(0);
  #resumeAt = 0;

  /**
   * @param start first address by unit
   * @param resumeAt where the last round stopped
   */
  begin(start: Float64Array, resumeAt: number): void {
    this.#start = start;
    this.#resumeAt = resumeAt;
    this.#size = 0;
    if (this.#priority.length < start.length) {
      this.#priority = new Float64Array(start.length);
      this.#units = new Int32Array(start.length);
    }
  }

  get size(): number {
    return this.#size;
  }

  /** Adds without order; call {@link arrange} before the first {@link pop}. */
  add(unit: number, priority: number): void {
    this.#units[this.#size++] = unit;
    this.#priority[unit] = priority;
  }

  arrange(): void {
    for (let i = (this.#size >> 1) - 1; i >= 0; i--) this.#sink(i);
  }

  /** Takes the first unit out; only while `size` is above 0. */
  pop(): number {
    const units = this.#units;
    const first = units[0];
    units[0] = units[--this.#size];
    this.#sink(0);
    return first;
  }

  #sink(from: number): void {
    const units = this.#units;
    const size = this.#size;
    const unit = units[from];
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#isBefore(units[child + 1], units[child])) child++;
      if (!this.#isBefore(units[child], unit)) break;
      units[at] = units[child];
      at = child;
    }
    units[at] = unit;
  }

  #isBefore(a: number, b: number): boolean {
    const priority = this.#priority;
    if (priority[a] !== priority[b]) return priority[a] > priority[b];
    const [startA, startB] = [this.#start[a], this.#start[b]];
    const isLateA = startA >= this.#resumeAt;
    const isLateB = startB >= this.#resumeAt;
    if (isLateA !== isLateB) return isLateA;
    return startA === startB ? a < b : startA < startB;
  }
}
