/** Axes: a logarithmic one with a place for zero, which no logarithm has, and a linear one of shares. */

export interface Tick {
  readonly at: number;
  readonly text: string;
}

export interface CostScale {
  /** Pixel of a cost; zero has a place of its own, left of the break. */
  at(cost: number): number;
  readonly ticks: readonly Tick[];
  /** Pixel of the break between zero and the logarithmic part; undefined: nothing costs zero. */
  readonly breakAt: number | undefined;
}

/** Room for what costs nothing. */
const ZERO_PX = 46;
const PAD_PX = 14;
const MOST_TICKS = 7;

/**
 * @param costs at least 0
 * @param base ticks are powers of it, or of its powers
 */
export function costScale(
  costs: readonly number[],
  [left, right]: readonly [number, number],
  base: number,
  format: (cost: number) => string,
): CostScale {
  const positive = costs.filter((cost) => cost > 0);
  const hasZero = costs.some((cost) => cost === 0);
  const log = (cost: number): number => Math.log(cost) / Math.log(base);
  const low = positive.length > 0 ? Math.floor(log(Math.min(...positive)) + 1e-9) : 0;
  const high = positive.length > 0 ? Math.max(low + 1, Math.ceil(log(Math.max(...positive)) - 1e-9)) : 1;
  const from = left + (hasZero ? ZERO_PX : 0) + PAD_PX;
  const pixel = (power: number): number => from + ((power - low) / (high - low)) * (right - PAD_PX - from);
  const zeroAt = left + ZERO_PX / 2;
  const every = Math.ceil((high - low + 1) / MOST_TICKS);
  const ticks: Tick[] = hasZero ? [{ at: zeroAt, text: '0' }] : [];
  for (let power = low; power <= high; power += every) {
    ticks.push({ at: pixel(power), text: format(base ** power) });
  }
  return {
    at: (cost) => (cost > 0 ? pixel(log(cost)) : zeroAt),
    ticks,
    breakAt: hasZero ? left + ZERO_PX : undefined,
  };
}

export interface ShareScale {
  at(share: number): number;
  readonly ticks: readonly Tick[];
}

const STEPS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2];
const MOST_SHARE_TICKS = 6;

/** @param bottom pixel of the least share, below that of the largest */
export function shareScale(shares: readonly number[], bottom: number, top: number): ShareScale {
  const [least, most] = shares.length > 0 ? [Math.min(...shares), Math.max(...shares)] : [0, 1];
  const step =
    STEPS.find((each) => Math.ceil(most / each) - Math.floor(least / each) <= MOST_SHARE_TICKS - 1) ?? 0.2;
  const low = Math.floor(least / step + 1e-9);
  const high = Math.max(low + 1, Math.ceil(most / step - 1e-9));
  const pad = 10;
  const at = (share: number): number =>
    bottom - pad - ((share / step - low) / (high - low)) * (bottom - top - 2 * pad);
  const decimals = step < 0.01 ? 1 : 0;
  return {
    at,
    ticks: Array.from({ length: high - low + 1 }, (_, i) => ({
      at: at((low + i) * step),
      text: `${((low + i) * step * 100).toFixed(decimals)} %`,
    })),
  };
}
