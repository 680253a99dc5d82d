/** The kernel's own NUMA balancing (mode 2) beside our engine, on the same workload: one table. */
import { NUMA_BALANCING } from './machine.mjs';
import { promote, WORKLOAD } from './promotion.mjs';
import { PROMOTE } from './scheme.mjs';
import { placement, seconds, sleep, startHotset, vmstat, write } from './workload.mjs';

const LIMIT_S = 25;

async function balance() {
  const hotset = await startHotset(WORKLOAD);
  const before = vmstat();
  const start = seconds();
  write(NUMA_BALANCING, 2);
  let at = placement(hotset);
  let toNinetyS;
  while (seconds() - start < LIMIT_S && toNinetyS === undefined) {
    await sleep(250);
    at = placement(hotset);
    if (at.hot[0] >= 0.9 * hotset.hotPages) toNinetyS = seconds() - start;
  }
  await sleep(1000);
  write(NUMA_BALANCING, 0);
  at = placement(hotset);
  await hotset.stop();
  const movedPages = at.hot[0] + at.cold[0];
  return {
    hotShare: at.hot[0] / hotset.hotPages,
    movedPages,
    coldPages: at.cold[0],
    toNinetyS,
    promotedByKernel: (vmstat().pgpromote_success ?? 0) - (before.pgpromote_success ?? 0),
  };
}

export const tests = [
  {
    name: 'balancing',
    async run(check) {
      const allow = ['damon_stat', 'numa_balancing'];
      const bound = { ...WORKLOAD, bind: 1 };
      const rows = [
        ['NUMA balancing 2', await balance()],
        ['thermocline, damon', await promote('damon', { allow, scheme: PROMOTE })],
        [
          'thermocline, faults',
          await promote('faults', { allow, workload: bound, scheme: 'promote hot>2/s to fast quota 64M/s' }),
        ],
        ['thermocline, both', await promote('damon,faults', { allow, workload: bound, scheme: PROMOTE })],
      ];
      console.log('| who                 | 90 % after, s | pages moved | of them cold | hot moved |');
      console.log('| ------------------- | ------------- | ----------- | ------------ | --------- |');
      for (const [who, { toNinetyS, movedPages, coldPages, hotShare }] of rows) {
        const cells = [
          who.padEnd(19),
          (toNinetyS?.toFixed(1) ?? 'never').padStart(13),
          String(movedPages).padStart(11),
          String(coldPages).padStart(12),
          `${(100 * hotShare).toFixed(1)} %`.padStart(9),
        ];
        console.log(`| ${cells.join(' | ')} |`);
      }
      const [, kernel] = rows[0];
      check(kernel.hotShare >= 0.9, 'NUMA balancing 2 promotes the hot part, for comparison', kernel);
    },
  },
];
