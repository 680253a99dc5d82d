/** Our engine promotes the hot part of the workload, by each source and by both. */
import { existsSync } from 'node:fs';
import { DAMON_STAT, KDAMONDS, NUMA_BALANCING } from './machine.mjs';
import { placement, read, runLinux, seconds, sleep, startHotset, vmstat, write } from './workload.mjs';

const SCHEME = '/tmp/promote.yaml';
/** Bytes a second that the scheme may move, and the pages that these are. */
const QUOTA_MB = 8;
const QUOTA_PAGES = (QUOTA_MB << 20) / 4096;
/** Longest time that a promotion may take, in seconds of the guest. */
const LIMIT_S = 25;
export const WORKLOAD = { mb: 64, hot: '25-50', node: 1, pause: 10_000 };

/** Follows the placement until 90 % of the hot pages are on node 0. */
export async function promote(
  source,
  { workload = WORKLOAD, allow = [], scheme = `promote hot>75% for 1s to fast quota ${QUOTA_MB}M/s` } = {},
) {
  write(SCHEME, `version: 1\nschemes:\n  - ${scheme}\n`);
  const hotset = await startHotset(workload);
  const before = vmstat();
  const run = runLinux({ schemes: SCHEME, pid: hotset.pid, source, allow });
  const start = seconds();
  let at = placement(hotset);
  let toNinety;
  /** Pages beyond what the quota had allowed by then, at the worst. */
  let excess = Number.NEGATIVE_INFINITY;
  while (seconds() - start < LIMIT_S) {
    await sleep(500);
    at = placement(hotset);
    const now = seconds();
    const windows = Math.floor(now - start) + 1;
    excess = Math.max(excess, vmstat().pgmigrate_success - before.pgmigrate_success - windows * QUOTA_PAGES);
    if (at.hot[0] >= 0.9 * hotset.hotPages) {
      toNinety ??= now - start;
      if (now - start > toNinety + 1) break;
    }
  }
  run.stop();
  const ended = await run.ended;
  if (ended.error !== undefined) throw ended.error;
  at = placement(hotset);
  await hotset.stop();
  const after = vmstat();
  const moved = at.hot[0] + at.cold[0];
  return {
    hotShare: at.hot[0] / hotset.hotPages,
    movedPages: moved,
    coldPages: at.cold[0],
    inVain: moved === 0 ? 0 : at.cold[0] / moved,
    toNinetyS: toNinety,
    excess,
    migrated: after.pgmigrate_success - before.pgmigrate_success,
    promotedByKernel: (after.pgpromote_success ?? 0) - (before.pgpromote_success ?? 0),
    report: ended.report,
  };
}

const round = (value) => (value === undefined ? null : Number(value.toFixed(3)));

export function summary({ hotShare, movedPages, inVain, toNinetyS, migrated, promotedByKernel, report }) {
  const { pages, sources, monitoring, pullChecks, pushSamples, seconds: length, regions, warnings } = report;
  return {
    hotShare: round(hotShare),
    inVain: round(inVain),
    toNinetyS: round(toNinetyS),
    movedPages,
    migrated,
    promotedByKernel,
    pages,
    sources: sources.map(({ name, facts }) => ({ name, ...facts })),
    own: round(monitoring.ownCpuShare),
    kernel: round(monitoring.kernelCpuShare),
    pullChecks,
    pushSamples,
    regions: regions.peak,
    seconds: round(length),
    warnings,
  };
}

function judge(check, by, result) {
  const facts = summary(result);
  check(result.hotShare >= 0.9, `${by}: 90 % of the hot bytes are promoted`, facts);
  check(result.inVain < 0.1, `${by}: less than 10 % of what moves was cold`, { inVain: facts.inVain });
}

export const tests = [
  {
    name: 'damon',
    async run(check) {
      const result = await promote('damon', { allow: ['damon_stat'] });
      judge(check, 'damon', result);
      check(result.excess <= 0, "the quota of every window is kept, by the kernel's own counters", {
        excess: result.excess,
        migrated: result.migrated,
        perWindow: QUOTA_PAGES,
      });
      check(read(KDAMONDS) === '0', 'no kdamond is left behind', { nr: read(KDAMONDS) });
      if (existsSync(DAMON_STAT)) {
        check(read(DAMON_STAT) === 'Y', 'DAMON_STAT runs again', { enabled: read(DAMON_STAT) });
      }
    },
  },
  {
    name: 'damon-sysfs',
    async run(check) {
      judge(check, 'damon through sysfs', await promote('damon:sysfs', { allow: ['damon_stat'] }));
    },
  },
  {
    name: 'faults',
    async run(check) {
      // A memory policy that keeps the kernel from promoting what faults: what moves, we move.
      const result = await promote('faults', {
        allow: ['numa_balancing'],
        workload: { ...WORKLOAD, bind: 1 },
        scheme: `promote hot>2/s to fast quota ${QUOTA_MB}M/s`,
      });
      judge(check, 'hint faults', result);
      check(read(NUMA_BALANCING) === '0', 'kernel.numa_balancing is as before', {
        mode: read(NUMA_BALANCING),
      });
    },
  },
  {
    name: 'clear-refs',
    async run(check) {
      // The hot part is a mapping of its own: that is all this source can tell.
      const result = await promote('clear_refs', { scheme: `promote hot>1/s to fast quota ${QUOTA_MB}M/s` });
      judge(check, 'clear_refs', result);
    },
  },
  {
    name: 'both',
    async run(check) {
      judge(
        check,
        'damon and hint faults',
        await promote('damon,faults', {
          allow: ['damon_stat', 'numa_balancing'],
          workload: { ...WORKLOAD, bind: 1 },
        }),
      );
    },
  },
];
