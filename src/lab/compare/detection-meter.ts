/**
 * How soon what becomes hot is known: from the moment a range is hot until half of it, and nine tenths of
 * it, are among what a tracker takes for hot. Ranges that were hot from the start count too; one that cools
 * before that was not found.
 */
import type { Truth } from '../../machines/machine.ts';
import { overlapBytes } from '../../memory/range.ts';
import { HotSetScore } from '../hot-set-score.ts';
import type { DetectionTimes } from './row.ts';

type Visit = (visit: (start: number, end: number) => void) => void;

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
  readonly #truth: Truth;
  readonly #minRate: number;
  readonly score: HotSetScore;
  #watched: Watched[] = [];
  readonly #done: Watched[] = [];

  constructor(truth: Truth, minRate: number) {
    this.#truth = truth;
    this.#minRate = minRate;
    this.score = new HotSetScore(truth, minRate);
  }

  /** @param forEachDetected visits what is taken for hot now, in address order and without overlap */
  add(nowUs: number, forEachDetected: Visit): void {
    // Once: a per-page system looks through all its pages for it.
    const detected: [number, number][] = [];
    forEachDetected((start, end) => detected.push([start, end]));
    this.score.addDetected((visit) => {
      for (const [start, end] of detected) visit(start, end);
    });
    this.#follow(nowUs);
    for (const each of this.#watched) {
      const share = coveredBytes(detected, each.start, each.end) / (each.end - each.start);
      if (share >= HALF && each.halfUs < 0) each.halfUs = nowUs - each.sinceUs;
      if (share >= MOST && each.mostUs < 0) each.mostUs = nowUs - each.sinceUs;
    }
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

  /** Takes up what became hot and lays down what cooled. */
  #follow(nowUs: number): void {
    const before = new Map(this.#watched.map((each) => [`${each.start} ${each.end}`, each]));
    this.#watched = [];
    this.#truth.forEachHot(this.#minRate, (start, end) => {
      const key = `${start} ${end}`;
      this.#watched.push(before.get(key) ?? { start, end, sinceUs: nowUs, halfUs: -1, mostUs: -1 });
      before.delete(key);
    });
    this.#done.push(...before.values());
  }
}

function coveredBytes(ranges: readonly (readonly [number, number])[], start: number, end: number): number {
  let [low, high] = [0, ranges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle][1] <= start) low = middle + 1;
    else high = middle;
  }
  let sum = 0;
  for (let i = low; i < ranges.length && ranges[i][0] < end; i++) {
    sum += overlapBytes(start, end, ranges[i][0], ranges[i][1]);
  }
  return sum;
}

/** Of those that were reached, in seconds; null if most were not. */
function medianS(timesUs: readonly number[]): number | null {
  const sorted = timesUs.map((us) => (us < 0 ? Number.POSITIVE_INFINITY : us)).sort((a, b) => a - b);
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.POSITIVE_INFINITY;
  return Number.isFinite(median) ? median / 1e6 : null;
}
