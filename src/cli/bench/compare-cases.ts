/** How long comparisons take: the seed thread's second test at its full size of 192 GiB. */
import { planTasks } from '../../lab/compare/compare.ts';
import { runTasks } from '../../lab/compare/pool.ts';
import type { Numbers } from './cases.ts';

async function wallSeconds(trackers: readonly string[] | undefined): Promise<number> {
  const tasks = planTasks({
    machine: { machine: 'seed-test-2' },
    trackers,
    seeds: [1],
    minRatePerS: 57.5,
  });
  const start = performance.now();
  await runTasks(tasks, { onDone: () => undefined, shouldStop: () => false });
  return (performance.now() - start) / 1000;
}

const memory = (): Numbers => ({ 'peak memory MB': (process.resourceUsage().maxRSS * 1024) / 1e6 });

/** One contestant. */
export async function compareEvidence(): Promise<Numbers> {
  return { 'wall s': await wallSeconds(['evidence']), ...memory() };
}

/** Everybody, on all cores. */
export async function compareAll(): Promise<Numbers> {
  return { 'wall s': await wallSeconds(undefined), ...memory() };
}
