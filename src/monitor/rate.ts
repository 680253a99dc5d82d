/**
 * From evidence to a rate, and how much two explanations of the evidence differ.
 *
 * Pull: n checks of random pages found k accessed within `d` seconds, k ~ Binomial(n, 1 - exp(-r d)).
 * Push: c samples with exposure X page-seconds (pages x time x share sampled), c ~ Poisson(r X).
 * Push counts are a sum over a region, pull hits a property of a random page: both are brought to
 * one unit, accesses per page per second, before they meet.
 */

/** Rate above which a pull check nearly always hits, so that it says no more than "at least this". */
function saturationRate(trials: number, intervalS: number): number {
  return Math.log(2 * trials + 2) / intervalS;
}

/** Share of sampling intervals of `intervalS` in which a page of rate `rate` is seen accessed. */
export function hitShare(rate: number, intervalS: number): number {
  return -Math.expm1(-rate * intervalS);
}

/** Inverse of {@link hitShare}: the rate at which a page is seen accessed in `share` of the intervals. */
export function rateOfShare(share: number, intervalS: number): number {
  if (share <= 0) return 0;
  return share >= 1 ? Number.POSITIVE_INFINITY : -Math.log1p(-share) / intervalS;
}

/**
 * Maximum-likelihood rate from both kinds of evidence.
 *
 * Solves d/dr [ c ln r - r X + k ln(1 - exp(-r d)) - (n - k) r d ] = 0. The derivative falls
 * strictly in r, so bisection in Newton's brackets cannot fail; a dozen steps give 1e-4.
 *
 * @param hits k, may be fractional after decay
 * @param trials n
 * @param intervalS d
 * @param samples c
 * @param exposure X in page-seconds
 */
export function combinedRate(
  hits: number,
  trials: number,
  intervalS: number,
  samples: number,
  exposure: number,
): number {
  const pushRate = exposure > 0 ? samples / exposure : 0;
  if (trials <= 1e-6) return pushRate;
  const cap = saturationRate(trials, intervalS);
  const pullRate = Math.min(cap, rateOfShare(hits / trials, intervalS));
  if (exposure <= 0) return pullRate;
  if (hits <= 1e-9) {
    // No hit: the pull part of the likelihood is exactly -n r d, so the answer is closed.
    return samples / (exposure + trials * intervalS);
  }
  let low = Math.min(pushRate, pullRate);
  let high = Math.max(pushRate, pullRate);
  if (high - low < 1e-4 * high) return high;
  for (let step = 0; step < 16; step++) {
    const rate = 0.5 * (low + high);
    const x = rate * intervalS;
    const slope =
      samples / rate - exposure + (hits * intervalS) / Math.expm1(x) - (trials - hits) * intervalS;
    if (slope > 0) low = rate;
    else high = rate;
    if (high - low < 1e-3 * high) break;
  }
  return 0.5 * (low + high);
}

/** Largest binomial log-likelihood of k of n: k ln(k/n) + (n-k) ln((n-k)/n). */
export function binomialLogLikelihood(hits: number, trials: number): number {
  if (trials <= 0) return 0;
  const misses = trials - hits;
  return (
    (hits > 1e-12 ? hits * Math.log(hits / trials) : 0) +
    (misses > 1e-12 ? misses * Math.log(misses / trials) : 0)
  );
}

/** Largest Poisson log-likelihood of `samples` in `exposure`, without the terms that cancel in gains. */
export function poissonLogLikelihood(samples: number, exposure: number): number {
  return samples > 1e-12 && exposure > 0 ? samples * Math.log(samples / exposure) : 0;
}

/** Evidence about a set of pages. */
export interface Evidence {
  readonly hits: number;
  readonly trials: number;
  readonly samples: number;
  /** Page-seconds. */
  readonly exposure: number;
}

/** Largest log-likelihood of one rate for the evidence of both sources. */
export function logLikelihood({ hits, trials, samples, exposure }: Evidence): number {
  return binomialLogLikelihood(hits, trials) + poissonLogLikelihood(samples, exposure);
}

/** How much better, in nats, two rates explain two pieces of evidence than one common rate; not negative. */
export function twoRatesGain(a: Evidence, b: Evidence): number {
  const both = {
    hits: a.hits + b.hits,
    trials: a.trials + b.trials,
    samples: a.samples + b.samples,
    exposure: a.exposure + b.exposure,
  };
  return Math.max(0, logLikelihood(a) + logLikelihood(b) - logLikelihood(both));
}
