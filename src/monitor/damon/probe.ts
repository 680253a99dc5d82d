/**
 * Data-attribute probes (Linux 7.2): up to four yes-or-no questions asked about each region's sampled
 * page once per sampling interval. A probe of non-zero weight (7.3) switches access checks off: regions
 * then merge and age by the weighted sum of their probe hits ("attributes-only mode").
 */
import { ThermoError } from '../../memory/error.ts';
import { UINT_MAX } from './formulas.ts';

/** damon_probe: a question about the page at an address, and what a yes is worth. */
export interface Probe {
  /** 0: only counted. */
  readonly weight: number;
  passes(address: number): boolean;
}

export const MAX_PROBES = 4;
/** probe_hits is an array of u8. */
const MAX_HITS = 255;

/**
 * The four 8-bit hit counters of a region are one 32-bit number, the first probe in the lowest byte,
 * so that they are copied and cut with the region. Counters wrap at 256, as the kernel's do.
 */
export function hitsOf(counters: number, probe: number): number {
  return (counters >>> (8 * probe)) & MAX_HITS;
}

export function addHit(counters: number, probe: number): number {
  const shift = 8 * probe;
  const hits = (hitsOf(counters, probe) + 1) & MAX_HITS;
  return ((counters & ~(MAX_HITS << shift)) | (hits << shift)) >>> 0;
}

/** Each counter replaced by `change(hits, probe)`, cut to 8 bits. */
export function mapHits(counters: number, change: (hits: number, probe: number) => number): number {
  if (counters === 0) return 0;
  let changed = 0;
  for (let probe = 0; probe < MAX_PROBES; probe++)
    changed |= (change(hitsOf(counters, probe), probe) & MAX_HITS) << (8 * probe);
  return changed >>> 0;
}

/** Sum of weight x hits. */
export function weightedHits(counters: number, weights: readonly number[]): number {
  let sum = 0;
  for (let probe = 0; probe < weights.length; probe++) sum += weights[probe] * hitsOf(counters, probe);
  return sum;
}

/**
 * The kernel's limits on probes, with `samples` sampling intervals per aggregation: at most four;
 * with weights, hits must fit into 8 bits and the weighted sum into 32.
 * @throws ThermoError THERMO_MONITOR_CONFIG
 */
export function validateWeights(weights: readonly number[], samples: number): void {
  const fail = (message: string, hint: string): never => {
    throw new ThermoError('THERMO_MONITOR_CONFIG', message, { hint });
  };
  if (weights.length > MAX_PROBES)
    fail(`${weights.length} probes are too many`, `expected at most ${MAX_PROBES}`);
  if (weights.every((weight) => weight === 0)) return;
  if (samples > MAX_HITS) {
    fail(
      `${samples} samples per aggregation interval do not fit into a probe's 8-bit counter`,
      `expected at most ${MAX_HITS}; lengthen the sampling interval or set all weights to 0`,
    );
  }
  let sum = 0;
  for (const weight of weights) {
    const isWeight = Number.isInteger(weight) && weight >= 0 && weight <= Math.floor(UINT_MAX / samples);
    if (!isWeight)
      fail(
        `${weight} is not a weight of a probe`,
        `expected 0 to ${Math.floor(UINT_MAX / samples)}, whole numbers`,
      );
    sum += weight * samples;
  }
  if (sum > UINT_MAX) {
    fail(
      `the weights of all probes times ${samples} samples are ${sum}`,
      `expected at most ${UINT_MAX}; lower the weights`,
    );
  }
}
