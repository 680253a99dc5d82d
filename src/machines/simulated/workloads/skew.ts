/** Zipfian popularity over objects, seen at the grain of large blocks or of age. */
import type { RandomStream } from '../../../memory/random.ts';

/** Ranks that are placed one by one; those behind them are so many and so small that they even out. */
const PLACED_RANKS = 4096;

/** Sum of 1/rank^exponent over ranks from `first` to `last`, by the midpoint integral; last may be any size. */
export function zipfMass(first: number, last: number, exponent: number): number {
  const [from, to] = [first - 0.5, last + 0.5];
  if (to <= from) return 0;
  if (Math.abs(exponent - 1) < 1e-9) return Math.log(to / from);
  return (to ** (1 - exponent) - from ** (1 - exponent)) / (1 - exponent);
}

/**
 * Shares of accesses to equal blocks among which objects are hashed: the most popular ranks fall into
 * random blocks, all others are the same to each. Sums to 1.
 */
export function hashedShares(
  random: RandomStream,
  blocks: number,
  objects: number,
  exponent: number,
): Float64Array {
  const placed = Math.min(PLACED_RANKS, objects);
  const shares = new Float64Array(blocks).fill(zipfMass(placed + 1, objects, exponent) / blocks);
  for (let rank = 1; rank <= placed; rank++) shares[random.below(blocks)] += rank ** -exponent;
  const sum = shares.reduce((total, share) => total + share, 0);
  return shares.map((share) => share / sum);
}
