/** Demotion frees the fast node, cold pages first. */
import { placement, read, runLinux, seconds, sleep, startHotset, write } from './workload.mjs';

const SCHEME = '/tmp/demote.yaml';
const LIMIT_S = 20;

function freeMb(nid) {
  return Number(/MemFree:\s+(\d+)/.exec(read(`/sys/devices/system/node/node${nid}/meminfo`))[1]) / 1024;
}

export const tests = [
  {
    name: 'demotion',
    async run(check) {
      const hotset = await startHotset({ mb: 64, hot: '25-50', node: 0, pause: 10_000 });
      const freeBefore = freeMb(0);
      // Half of the cold part has to go: then the goal is reached.
      const share = ((100 * (freeBefore + 24)) / totalMb(0)).toFixed(2);
      write(
        SCHEME,
        `version: 1\nschemes:\n  - demote cold>2s from fast to slow quota 8M/s goal fast free ${share}%\n`,
      );
      const run = runLinux({ schemes: SCHEME, pid: hotset.pid, allow: ['damon_stat'] });
      const start = seconds();
      while (seconds() - start < LIMIT_S) {
        await sleep(500);
        if (placement(hotset).cold[1] * 4096 >= 24 * 2 ** 20) break;
      }
      await sleep(1000);
      run.stop();
      const { error } = await run.ended;
      if (error !== undefined) throw error;
      const at = placement(hotset);
      await hotset.stop();
      const facts = { at, freeBefore, goalPercent: share, seconds: seconds() - start };
      check(at.cold[1] * 4096 >= 20 * 2 ** 20, 'demotion frees the fast node towards its goal', facts);
      check(at.hot[1] <= 0.1 * at.cold[1], 'cold pages go first', at);
    },
  },
];

function totalMb(nid) {
  return Number(/MemTotal:\s+(\d+)/.exec(read(`/sys/devices/system/node/node${nid}/meminfo`))[1]) / 1024;
}
