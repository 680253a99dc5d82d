/** What goes wrong on real machines is counted and survived. */
import { existsSync } from 'node:fs';
import { DAMON_STAT, KDAMONDS } from './machine.mjs';
import { placement, read, runLinux, seconds, sleep, startHotset, thermocline, write } from './workload.mjs';

const SCHEME = '/tmp/trouble.yaml';
const SMALL = { mb: 32, hot: '25-75', node: 1, pause: 10_000 };
const ALLOW = ['damon_stat'];

async function untilMoved(hotset, share, limitS) {
  const start = seconds();
  while (seconds() - start < limitS && placement(hotset).hot[0] < share * hotset.hotPages) await sleep(250);
}

async function finish(run) {
  const ended = await run.ended;
  if (ended.error !== undefined) throw ended.error;
  return ended.report;
}

export const tests = [
  {
    name: 'dry-run',
    async run(check) {
      write(SCHEME, 'version: 1\nschemes:\n  - promote hot>75% to fast quota 32M/s\n');
      const hotset = await startHotset(SMALL);
      const report = await finish(
        runLinux({ schemes: SCHEME, pid: hotset.pid, allow: ALLOW, apply: false, seconds: 4 }),
      );
      const at = placement(hotset);
      await hotset.stop();
      check(at.hot[0] + at.cold[0] === 0, 'without --apply nothing moves', at);
      check(report.isDryRun && report.promotedBytes > 0, 'a dry run tells what would', {
        bytes: report.promotedBytes,
      });
    },
  },
  {
    name: 'exit',
    async run(check) {
      write(SCHEME, 'version: 1\nschemes:\n  - promote hot>75% to fast quota 2M/s\n');
      const hotset = await startHotset(SMALL);
      const run = runLinux({ schemes: SCHEME, pid: hotset.pid, allow: ALLOW });
      await untilMoved(hotset, 0.1, 15);
      await hotset.stop();
      const report = await finish(run);
      check(report.isComplete, 'a process that exits while its pages move ends the run', {
        pages: report.pages,
      });
      check(read(KDAMONDS) === '0', 'and leaves no kdamond', { nr: read(KDAMONDS) });
    },
  },
  {
    name: 'full',
    async run(check) {
      // Takes what is free on node 0, and is not reclaimed: no swap, no demotion.
      write('/sys/kernel/mm/numa/demotion_enabled', 'false');
      write(SCHEME, 'version: 1\nschemes:\n  - promote hot>75% to fast quota 32M/s\n');
      const free = Number(/MemFree:\s+(\d+)/.exec(read('/sys/devices/system/node/node0/meminfo'))[1]) / 1024;
      const filler = await startHotset({ mb: Math.floor(free), hot: '0-0', node: 0, pause: 1_000_000 });
      const hotset = await startHotset({ ...SMALL, mb: 128 });
      const report = await finish(runLinux({ schemes: SCHEME, pid: hotset.pid, allow: ALLOW, seconds: 6 }));
      const at = placement(hotset);
      await Promise.all([hotset.stop(), filler.stop()]);
      const [scheme] = report.schemes;
      check(at.hot[0] < hotset.hotPages, 'a full fast node takes no more than it has room for', {
        at,
        pages: report.pages,
        failedBy: scheme.failedBy,
        quotaExceeded: scheme.quotaExceeded,
      });
    },
  },
  {
    name: 'pinned',
    async run(check) {
      write(SCHEME, 'version: 1\nschemes:\n  - promote hot>75% to fast quota 32M/s\n');
      const hotset = await startHotset({ ...SMALL, lock: 1 });
      const run = runLinux({ schemes: SCHEME, pid: hotset.pid, allow: ALLOW, seconds: 8 });
      await untilMoved(hotset, 0.9, 7);
      const report = await finish(run);
      const at = placement(hotset);
      await hotset.stop();
      check(
        (report.pages.EBUSY ?? 0) > 0 && report.retriedPages > 0,
        'pages that cannot move are counted as busy, after a bounded number of tries',
        { pages: report.pages, retried: report.retriedPages },
      );
      check(at.hot[0] >= 0.85 * hotset.hotPages, 'and do not keep the others from moving', { at });
    },
  },
  {
    name: 'huge-pages',
    async run(check) {
      write(SCHEME, 'version: 1\nschemes:\n  - promote hot>75% to fast quota 32M/s\n');
      const hotset = await startHotset({ ...SMALL, thp: 1 });
      const huge = () => Number(/^AnonHugePages:\s+(\d+)/m.exec(read(`/proc/${hotset.pid}/smaps_rollup`))[1]);
      const before = huge();
      const run = runLinux({ schemes: SCHEME, pid: hotset.pid, allow: ALLOW });
      await untilMoved(hotset, 0.9, 10);
      run.stop();
      const report = await finish(run);
      const at = placement(hotset);
      const after = huge();
      await hotset.stop();
      check(at.hot[0] >= 0.9 * hotset.hotPages, 'huge pages are promoted', { at, pages: report.pages });
      check(before > 0 && after === before, 'and stay huge', { before, after });
    },
  },
  {
    name: 'kill',
    async run(check) {
      write(SCHEME, 'version: 1\nschemes:\n  - promote hot>75% to fast quota 2M/s\n');
      const hotset = await startHotset(SMALL);
      const args = [
        'run',
        SCHEME,
        '--machine',
        'linux',
        '--pid',
        hotset.pid,
        '--apply',
        '--quiet',
        '--allow',
        'damon_stat',
        '--json',
      ];
      const killed = thermocline([...args, '--sample', '20ms', '--aggr', '400ms'].map(String));
      await untilMoved(hotset, 0.1, 20);
      killed.child.kill('SIGKILL');
      await killed.ended;
      const left = read(KDAMONDS);
      const at = placement(hotset);
      const all = at.hot[0] + at.hot[1] + at.cold[0] + at.cold[1];
      check(all === hotset.hotPages + hotset.coldPages, 'kill -9 in the middle loses no page', { at, all });
      const report = await finish(runLinux({ schemes: SCHEME, pid: hotset.pid, allow: ALLOW, seconds: 2 }));
      await hotset.stop();
      check(left === '1' && report.recovered.length > 0, 'the next start takes back what was left', {
        left,
        recovered: report.recovered,
      });
      check(read(KDAMONDS) === '0', 'and leaves no kdamond itself', { nr: read(KDAMONDS) });
      if (existsSync(DAMON_STAT)) check(read(DAMON_STAT) === 'Y', 'and DAMON_STAT runs again', {});
    },
  },
  {
    name: 'foreign',
    async run(check) {
      write(SCHEME, 'version: 1\nschemes:\n  - promote hot>75% to fast\n');
      const hotset = await startHotset(SMALL);
      write(KDAMONDS, 1);
      const { error } = await runLinux({ schemes: SCHEME, pid: hotset.pid, allow: ALLOW, seconds: 1 }).ended;
      const left = read(KDAMONDS);
      write(KDAMONDS, 0);
      await hotset.stop();
      check(
        /somebody else/.test(error?.message ?? '') && left === '1',
        "somebody else's kdamond is never touched",
        { message: error?.message, left },
      );
    },
  },
];
