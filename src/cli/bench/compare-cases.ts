/** How long comparisons take: the seed thread's second test at its full size of 192 GiB. */
import { planTasks } from '../../lab/compare/compare.ts';
import { runTasks } from '../../lab/compare/pool.ts';
import { defaultHotPerS } from '../../lab/hot-set-score.ts';
import { DEFAULT_ATTRS } from '../../monitor/monitor.ts';
import { type Numbers, peakMemory } from './numbers.ts';

async function wallSeconds(trackers: readonly string[] | undefined): Promise<number> {
  const tasks = planTasks({
    machine: { machine: 'seed-test-2' },
    trackers,
    seeds: [1],
    minRatePerS: defaultHotPerS(DEFAULT_ATTRS.sampleUs),
  });
  const start = performance.now();
  await runTasks(tasks, { onDone: () => undefined, shouldStop: () => false });
  return (performance.now() - start) / 1000;
}

/** One contestant. */
export async function compareEvidence(): Promise<Numbers> {
  return { 'wall s': await wallSeconds(['evidence']), ...peakMemory() };
}

/** Everybody, on all cores. */
export async function compareAll(): Promise<Numbers> {
  return { 'wall s': await wallSeconds(undefined), ...peakMemory() };
}
