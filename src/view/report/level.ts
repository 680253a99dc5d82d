/** Levels of heat for pictures: 0..1 on a linear or logarithmic scale. */

export type HeatScale = 'linear' | 'log';

export interface Levels {
  readonly scale: HeatScale;
  readonly low: number;
  readonly high: number;
  /** NaN for NaN, 0 for the lowest, 1 for the highest; on a logarithmic scale 0 also for 0. */
  of(value: number): number;
}

/** Where the highest value is this many times the median of what is not 0, a linear scale shows next to nothing. */
const LINEAR_RATIO = 20;
/** Lowest part of the highest value that a logarithmic scale tells from nothing. */
const DYNAMIC_RANGE = 1e4;

/** @param wanted left out: logarithmic where values are far apart */
export function levelsOf(values: Float64Array, wanted?: HeatScale): Levels {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const positive: number[] = [];
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
    if (value > 0) positive.push(value);
  }
  if (!(high >= low)) [low, high] = [0, 0];
  positive.sort((a, b) => a - b);
  const median = positive[positive.length >> 1] ?? 0;
  const scale = wanted ?? (low >= 0 && high > LINEAR_RATIO * median ? 'log' : 'linear');
  const of = (value: number): number => {
    if (Number.isNaN(value)) return Number.NaN;
    if (scale === 'linear') return high > low ? (value - low) / (high - low) : 0;
    return value <= 0 || high <= 0
      ? 0
      : Math.max(0, Math.min(1, 1 + Math.log(value / high) / Math.log(DYNAMIC_RANGE)));
  };
  return { scale, low: scale === 'log' ? high / DYNAMIC_RANGE : low, high, of };
}

/** `0` to `9`; a blank for what is not known. */
export function digitOf(level: number): string {
  return Number.isNaN(level) ? ' ' : String(Math.min(9, Math.floor(level * 10)));
}
