/** The kernel's own DAMON promotes what the same scheme file asks for; judged by where the pages are. */
import { KDAMONDS } from './machine.mjs';
import { placement, read, seconds, sleep, startHotset, terminalOf, vmstat, write } from './workload.mjs';

const SCHEME = '/tmp/deploy.yaml';
const QUOTA_MB = 8;
const LIMIT_S = 30;

async function loadDeploy() {
  return await import('/app/dist/program/deploy.js');
}

/** Runs one of the commands in this process; its output, or the error. */
async function call(command, ...args) {
  const { terminal, written } = terminalOf();
  try {
    const status = await command(...args, terminal);
    return { status, ...written };
  } catch (error) {
    return { status: 1, error: error.message, ...written };
  }
}

export const tests = [
  {
    name: 'deploy',
    async run(check) {
      const { deployCommand, deployedCommand, undeployCommand } = await loadDeploy();
      // DAMON under emulation sees best at 20 ms a sample.
      write(
        SCHEME,
        [
          'version: 1',
          'monitor: {intervals: {sample_us: 20ms, aggr_us: 400ms}, nr_regions: {min: 50, max: 500}}',
          'schemes:',
          `  - promote hot>50% for 1200ms from CXL to DRAM quota ${QUOTA_MB}M/s`,
          '',
        ].join('\n'),
      );
      const hotset = await startHotset({ mb: 64, hot: '25-50', node: 1 });
      const dry = await call(deployCommand, SCHEME, {});
      check(
        dry.status === 0 && dry.out.includes('migrate_hot') && read(KDAMONDS) === '0',
        'deploy without --apply prints what it would write, and writes nothing',
        { status: dry.status, lines: dry.out.split('\n').length },
      );
      const before = vmstat();
      const deployed = await call(deployCommand, SCHEME, { apply: true, allow: ['damon_stat'], json: true });
      const start = seconds();
      check(deployed.status === 0, 'deploy --apply is taken by the kernel as written', {
        error: deployed.error,
        notes: deployed.err.split('\n').filter((line) => /: (changed|lost|refused): /.test(line)),
      });
      const second = await call(deployCommand, SCHEME, { apply: true, allow: ['damon_stat'] });
      check(/deployed already/.test(second.error ?? ''), 'a second deploy stops', { error: second.error });
      let at = placement(hotset);
      let [lastPages, lastS, fastest, toNinety] = [before.pgmigrate_success, start, 0, undefined];
      while (seconds() - start < LIMIT_S && toNinety === undefined) {
        await sleep(500);
        at = placement(hotset);
        const [pages, now] = [vmstat().pgmigrate_success, seconds()];
        if (now - lastS >= 1) {
          fastest = Math.max(fastest, (pages - lastPages) / (now - lastS));
          [lastPages, lastS] = [pages, now];
        }
        if (at.hot[0] >= 0.9 * hotset.hotPages) toNinety = now - start;
      }
      const status = JSON.parse((await call(deployedCommand, { json: true })).out);
      const [scheme] = status.schemes;
      const moved = at.hot[0] + at.cold[0];
      const facts = {
        hotShare: at.hot[0] / hotset.hotPages,
        inVain: moved === 0 ? 0 : at.cold[0] / moved,
        toNinetyS: toNinety,
        fastestPagesPerS: Math.round(fastest),
        sz_tried: scheme.sz_tried,
        sz_applied: scheme.sz_applied,
      };
      check(facts.hotShare >= 0.9, 'the deployed scheme promotes 90 % of the hot bytes', facts);
      check(facts.inVain < 0.1, 'less than 10 % of what the kernel moves was cold', { inVain: facts.inVain });
      const undeployed = await call(undeployCommand, { apply: true });
      check(undeployed.status === 0 && read(KDAMONDS) === '0', 'undeploy takes it back', {
        out: undeployed.out.trim(),
        error: undeployed.error,
        kdamonds: read(KDAMONDS),
      });
      await hotset.stop();
    },
  },
];
