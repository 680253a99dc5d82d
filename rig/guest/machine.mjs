/** The guest as every test finds it. */
import { existsSync } from 'node:fs';
import { write } from './workload.mjs';

export const NUMA_BALANCING = '/proc/sys/kernel/numa_balancing';
export const DAMON_STAT = '/sys/module/damon_stat/parameters/enabled';
export const KDAMONDS = '/sys/kernel/mm/damon/admin/kdamonds/nr_kdamonds';

/** How often NUMA balancing protects pages, in milliseconds of CPU time of the process. */
const SCANS = { scan_delay_ms: 100, scan_period_min_ms: 100, scan_period_max_ms: 1000 };

/**
 * NUMA balancing moves pages by itself, and Debian starts with it on. A heap at a random distance from its
 * program would make DAMON watch a hole of up to a gigabyte.
 */
export async function setUp() {
  write(NUMA_BALANCING, 0);
  write('/proc/sys/kernel/randomize_va_space', 1);
  // Scans follow the CPU time of a process, and the workload mostly sleeps.
  for (const [name, value] of Object.entries(SCANS))
    write(`/sys/kernel/debug/sched/numa_balancing/${name}`, value);
  if (existsSync(DAMON_STAT)) write(DAMON_STAT, 'Y');
}
