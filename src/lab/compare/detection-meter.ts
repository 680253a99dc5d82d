/**
 * How soon what becomes hot is known: from the moment a range is hot until half of it, and nine tenths of
 * it, are among what a tracker takes for hot. Ranges that were hot from the start count too; one that cools
 * before that was not found.
 */
import type { Truth } from '../../machines/machine.ts';
import { type ForEachRange, HotSetScore } from '../hot-set-score.ts';
import type { DetectionTimes } from './row.ts';

interface Watched {
  readonly start: number;
  readonly end: number;
  readonly sinceUs: number;
  halfUs: number;
  mostUs: number;
}

const HALF = 0.5;
const MOST = 0.9;

export class DetectionMeter {
  readonly score: HotSetScore;
  #watched: Watched[] = [];
  readonly #done: Watched[] = [];

  constructor(truth: Truth, minRate: number) {
    this.score = new HotSetScore(truth, minRate);
  }

  /** @param forEachDetected visits what is taken for hot now; called once, as it may look through all pages */
  add(nowUs: number, forEachDetected: ForEachRange): void {
    const before = new Map(this.#watched.map((each) => [`${each.start} ${each.end}`, each]));
    this.#watched = [];
    this.score.addDetected(forEachDetected, (start, end, detectedBytes) => {
      const key = `${start} ${end}`;
      const each = before.get(key) ?? { start, end, sinceUs: nowUs, halfUs: -1, mostUs: -1 };
      before.delete(key);
      this.#watched.push(each);
      const share = detectedBytes / (end - start);
      if (share >= HALF && each.halfUs < 0) each.halfUs = nowUs - each.sinceUs;
      if (share >= MOST && each.mostUs < 0) each.mostUs = nowUs - each.sinceUs;
    });
    // What has cooled.
    this.#done.push(...before.values());
  }

  times(): DetectionTimes {
    const all = [...this.#done, ...this.#watched];
    const found = all.filter(({ mostUs }) => mostUs >= 0);
    return {
      half: medianS(all.map(({ halfUs }) => halfUs)),
      most: medianS(all.map(({ mostUs }) => mostUs)),
      found: all.length > 0 ? found.length / all.length : 0,
    };
  }
}

/** Of those that were reached, in seconds; null if most were not. */
function medianS(timesUs: readonly number[]): number | null {
  const sorted = timesUs.map((us) => (us < 0 ? Number.POSITIVE_INFINITY : us)).sort((a, b) => a - b);
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.POSITIVE_INFINITY;
  return Number.isFinite(median) ? median / 1e6 : null;
}
