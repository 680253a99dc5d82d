/** Pages a second in calls of move_pages: ours beside a loop in C. Ratios only: time is emulated. */
import { execFileSync } from 'node:child_process';
import { promote } from './promotion.mjs';

export const tests = [
  {
    name: 'speed',
    async run(check) {
      const loop = Number(execFileSync('/guest/moveloop', ['16', '1024'], { encoding: 'utf8' }));
      const { report, movedPages } = await promote('damon', {
        allow: ['damon_stat'],
        scheme: 'promote hot>75% for 1s to fast quota 64M/s',
      });
      const ours = movedPages / report.moveSeconds;
      const facts = {
        loop: Math.round(loop),
        ours: Math.round(ours),
        share: Number((ours / loop).toFixed(2)),
      };
      check(
        facts.share > 0.25,
        'pages move at least a quarter as fast as in a bare loop, statuses and all',
        facts,
      );
    },
  },
];
