/** The doctor tells the truth about this machine. */
import { existsSync } from 'node:fs';
import { DAMON_STAT } from './machine.mjs';
import { thermocline } from './workload.mjs';

export const tests = [
  {
    name: 'doctor',
    async run(check) {
      const { status, out, err } = await thermocline(['doctor', '--json']).ended;
      if (status !== 0) throw new Error(err);
      const { findings } = JSON.parse(out);
      const of = (name) => findings.find((finding) => finding.name === name);
      check(
        of('tiers').state === 'ok' && /memory_tier4 = node 0; memory_tier70 = node 1/.test(of('tiers').found),
        'doctor tells both tiers',
        of('tiers'),
      );
      check(
        /no CPU.*250 ns/.test(of('node1').found),
        'doctor tells the slow node and its latency',
        of('node1'),
      );
      const isHeld = existsSync(DAMON_STAT);
      check(
        of('damon').state === (isHeld ? 'limited' : 'ok') &&
          (!isHeld || /DAMON_STAT/.test(of('damon').reason)),
        'doctor tells whether DAMON is free',
        of('damon'),
      );
      check(
        of('damon by trace event').state === 'ok',
        'doctor finds the trace event',
        of('damon by trace event'),
      );
      check(
        of('page_idle').state === 'missing',
        'doctor misses page_idle, which Debian leaves out',
        of('page_idle'),
      );
      check(of('faults').state === 'limited', 'doctor tells that hint faults are off', of('faults'));
      check(
        of('perf samples').state === 'missing',
        'doctor misses a PMU, which the emulator has none of',
        of('perf samples'),
      );
      check(
        of('migrate by move_pages').state === 'ok',
        'doctor finds that memory can be moved',
        of('migrate by move_pages'),
      );
    },
  },
];
