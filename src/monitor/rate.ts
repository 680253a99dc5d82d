/**
 * From evidence to a rate, and how much two explanations of the evidence differ.
 *
 * Pull: n checks of random pages found k accessed within `d` seconds, k ~ Binomial(n, 1 - exp(-r d)).
 * Push: c samples with exposure X page-seconds (pages x time x share sampled), c ~ Poisson(r X).
 * Push counts are a sum over a region, pull hits a property of a random page: both are brought to
 * one unit, accesses per page per second, before they meet.
 */

/** Share of sampling intervals of `intervalS` in which a page of rate `rate` is seen accessed. */
export function hitShare(rate: number, intervalS: number): number {
  return -Math.expm1(-rate * intervalS);
}

/** Inverse of {@link hitShare}: the rate at which a page is seen accessed in `share` of the intervals. */
export function rateOfShare(share: number, intervalS: number): number {
  if (share <= 0) return 0;
  return share >= 1 ? Number.POSITIVE_INFINITY : -Math.log1p(-share) / intervalS;
}

/** Rate that checks alone say; where nearly all hit, no more than so many checks can tell. */
export function pullRateOf(hits: number, trials: number, intervalS: number): number {
  const most = 2 * trials + 2;
  // The share of misses is at least 1 / most: no logarithm for the limit that then is none.
  if ((trials - hits) * most >= trials) return rateOfShare(hits / trials, intervalS);
  return Math.log(most) / intervalS;
}

/**
 * Maximum-likelihood rate from both kinds of evidence, to 1e-4.
 *
 * Solves d/dr [ c ln r - r X + k ln(1 - exp(-r d)) - (n - k) r d ] = 0. The derivative falls
 * strictly in r, so Newton's method with bisection where it leaves the bracket cannot fail.
 *
 * @param hits k, may be fractional after decay
 * @param trials n
 * @param intervalS d
 * @param samples c
 * @param exposure X in page-seconds
 * @param near where to begin, such as the estimate before
 */
export function combinedRate(
  hits: number,
  trials: number,
  intervalS: number,
  samples: number,
  exposure: number,
  near = 0,
): number {
  const pushRate = exposure > 0 ? samples / exposure : 0;
  if (trials <= 1e-6) return pushRate;
  const pullRate = pullRateOf(hits, trials, intervalS);
  if (exposure <= 0) return pullRate;
  if (hits <= 1e-9) {
    // No hit: the pull part of the likelihood is exactly -n r d, so the answer is closed.
    return samples / (exposure + trials * intervalS);
  }
  let low = Math.min(pushRate, pullRate);
  let high = Math.max(pushRate, pullRate);
  if (high - low < 1e-4 * high) return high;
  // Newton's steps in ln r, kept inside the bracket; from anywhere near they need two or three.
  let rate = near > low && near < high ? near : 0.5 * (low + high);
  for (let step = 0; step < 30; step++) {
    const x = rate * intervalS;
    const grown = Math.expm1(x);
    const slope = samples - rate * (exposure + (trials - hits) * intervalS) + (hits * x) / grown;
    if (slope > 0) low = rate;
    else high = rate;
    const curve =
      rate * (exposure + (trials - hits) * intervalS) -
      (hits * x * (grown - x * (grown + 1))) / (grown * grown);
    let next = rate * Math.exp(slope / curve);
    const isInside = next > low && next < high;
    if (!isInside) next = 0.5 * (low + high);
    // Newton's steps square the error: after one of 0.3 % less than 1e-4 is left.
    const isDone = Math.abs(next - rate) < (isInside ? 3e-3 : 1e-4) * rate;
    rate = next;
    if (isDone) break;
  }
  return rate;
}

/** Largest binomial log-likelihood of k of n: k ln(k/n) + (n-k) ln((n-k)/n). */
function binomialLogLikelihood(hits: number, trials: number): number {
  if (trials <= 0) return 0;
  const misses = trials - hits;
  return (
    (hits > 1e-12 ? hits * Math.log(hits / trials) : 0) +
    (misses > 1e-12 ? misses * Math.log(misses / trials) : 0)
  );
}

/** Largest Poisson log-likelihood of `samples` in `exposure`, without the terms that cancel in gains. */
function poissonLogLikelihood(samples: number, exposure: number): number {
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

/**
 * How much better, in nats, two rates explain two pieces of evidence than one common rate; not negative.
 * Of numbers, since it stands in loops that must not allocate.
 */
export function gainOfTwoRates(
  hitsA: number,
  trialsA: number,
  samplesA: number,
  exposureA: number,
  hitsB: number,
  trialsB: number,
  samplesB: number,
  exposureB: number,
): number {
  let gain = 0;
  if (hitsA + hitsB > 0 && trialsA > 0 && trialsB > 0) {
    gain +=
      binomialLogLikelihood(hitsA, trialsA) +
      binomialLogLikelihood(hitsB, trialsB) -
      binomialLogLikelihood(hitsA + hitsB, trialsA + trialsB);
  }
  if (samplesA + samplesB > 0 && exposureA > 0 && exposureB > 0) {
    gain +=
      poissonLogLikelihood(samplesA, exposureA) +
      poissonLogLikelihood(samplesB, exposureB) -
      poissonLogLikelihood(samplesA + samplesB, exposureA + exposureB);
  }
  return Math.max(0, gain);
}

/**
 * An upper bound of {@link gainOfTwoRates} without logarithms: Pearson's chi-squared of the same split
 * (from ln x <= x - 1). Most pairs of evidence can be told equal by it.
 */
export function gainBound(
  hitsA: number,
  trialsA: number,
  samplesA: number,
  exposureA: number,
  hitsB: number,
  trialsB: number,
  samplesB: number,
  exposureB: number,
): number {
  let bound = 0;
  const hits = hitsA + hitsB;
  const trials = trialsA + trialsB;
  if (hits > 0 && hits < trials && trialsA > 0 && trialsB > 0) {
    const off = hitsA * trialsB - hitsB * trialsA;
    bound += (off * off * trials) / (trialsA * trialsB * hits * (trials - hits));
  }
  const samples = samplesA + samplesB;
  if (samples > 0 && exposureA > 0 && exposureB > 0) {
    const off = samplesA * exposureB - samplesB * exposureA;
    bound += (off * off) / (samples * exposureA * exposureB);
  }
  return bound;
}

/**
 * False only where {@link gainBound} is at most `nats`: neither source's part is more than half of that.
 * Without a division; nearly all pairs of evidence are told equal by it.
 */
export function mayGain(
  hitsA: number,
  trialsA: number,
  samplesA: number,
  exposureA: number,
  hitsB: number,
  trialsB: number,
  samplesB: number,
  exposureB: number,
  nats: number,
): boolean {
  const half = 0.5 * nats;
  const hits = hitsA + hitsB;
  const trials = trialsA + trialsB;
  const pull = hitsA * trialsB - hitsB * trialsA;
  const push = samplesA * exposureB - samplesB * exposureA;
  return (
    pull * pull * trials > half * trialsA * trialsB * hits * (trials - hits) ||
    push * push > half * (samplesA + samplesB) * exposureA * exposureB
  );
}

/**
 * Fisher information about ln r: of a Poisson count it is the count, of a check with x = r d expected
 * accesses x^2 e^-x / (1 - e^-x), which is x for small x and falls to 0 where nearly every check hits.
 * 100 of it is a standard error of 10 %.
 *
 * @param share {@link hitShare} of the rate, if it is known already
 */
export function pullInformation(rate: number, intervalS: number, share = hitShare(rate, intervalS)): number {
  const x = rate * intervalS;
  return x < 1e-9 ? x : (x * x * (1 - share)) / share;
}

/**
 * Quantiles of the standard normal distribution that bound the stated 95 %: 1.96, and a little more, since
 * cuts follow chance too and make what they cut out look more extreme than it is.
 */
const Z = 2.1;

/**
 * Credible interval of a rate that rests on `information` events' worth: quantiles of the Gamma
 * posterior of a Poisson rate (lower of shape k, upper of shape k + 1, as in the exact interval of
 * F. Garwood, Biometrika 28, 1936), by the cube-root approximation of Wilson and Hilferty (1931).
 * `rate` = information / exposure. With no event the lower end is 0 and the upper 3 / exposure
 * (the rule of three, 95 %).
 */
export function credibleInterval(
  rate: number,
  information: number,
  exposure: number,
): { readonly low: number; readonly high: number } {
  if (information < 1e-6) {
    return { low: 0, high: exposure > 0 ? 3 / exposure : Number.POSITIVE_INFINITY };
  }
  const perEvent = rate / information;
  return {
    low: perEvent * gammaQuantile(information, -Z),
    high: perEvent * gammaQuantile(information + 1, Z),
  };
}

function gammaQuantile(shape: number, z: number): number {
  const root = 1 - 1 / (9 * shape) + z / (3 * Math.sqrt(shape));
  return Math.max(0, shape * root ** 3);
}
