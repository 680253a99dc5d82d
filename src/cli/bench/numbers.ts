/** Numbers of one case, each with its unit in the name. */
export type Numbers = Readonly<Record<string, number>>;

/** Of this process, so far. */
export function peakMemory(): Numbers {
  return { 'peak memory MB': (process.resourceUsage().maxRSS * 1024) / 1e6 };
}
