/**
 * What hint faults say about rates. The kernel's NUMA balancing takes the access rights of pages away, and
 * the next access of each faults: a check of one page that ends at its first hit. So of the faults only
 * those count that come soon after their page was protected, and every protected page counts as watched
 * for that long, whether it faults or not.
 *
 * When a page was protected is not told; how many were is (numa_pte_updates). Hence the window: a fault
 * counts if pages were protected at most so long before it. Expected samples of a page are then its rate
 * times the window times the share of pages protected, for rates up to one per window; what is hotter
 * looks like that.
 */
export class FaultExposure {
  readonly windowUs: number;
  #updates: number;
  #lastUs: number;
  /** Faults up to this time count. */
  #openUntilUs = Number.NEGATIVE_INFINITY;

  /**
   * @param updates numa_pte_updates so far
   */
  constructor(windowUs: number, updates: number, nowUs: number) {
    this.windowUs = windowUs;
    this.#updates = updates;
    this.#lastUs = nowUs;
  }

  /**
   * Notes what was protected since the last call; to be called before the faults of that time are judged.
   * @param watchedPages among which they are
   * @returns exposure of every watched page, s
   */
  note(updates: number, watchedPages: number, nowUs: number): number {
    const fresh = Math.max(0, updates - this.#updates);
    this.#updates = updates;
    const sinceUs = nowUs - this.#lastUs;
    this.#lastUs = nowUs;
    if (fresh === 0 || watchedPages <= 0) return 0;
    this.#openUntilUs = nowUs + this.windowUs;
    // Protected at any time since the last look: half of that on the mean, and the window.
    return ((sinceUs / 2 + this.windowUs) / 1e6) * Math.min(1, fresh / watchedPages);
  }

  /** Whether a fault at that time tells of a hot page. */
  counts(timeUs: number): boolean {
    return timeUs <= this.#openUntilUs;
  }
}
