/** Where accesses can be seen: pull sources, and push sources. */
import { DAMON_STAT, readDamonFeatures } from '../damon-features.ts';
import type { Permissions } from '../permissions.ts';
import type { SystemTree } from '../system-tree.ts';
import { type Finding, limited, missing, ok } from './finding.ts';

const PMUS = '/sys/bus/event_source/devices';

export function sourceFindings(tree: SystemTree, permissions: Permissions): Finding[] {
  return [
    damon(tree),
    damonTrace(tree),
    pageIdle(tree),
    clearRefs(tree),
    hintFaults(tree, permissions),
    samples(tree, permissions),
  ];
}

function damon(tree: SystemTree): Finding {
  const name = 'damon';
  const features = readDamonFeatures(tree);
  if (!features.hasSysfs) {
    return missing(
      'source',
      name,
      'no /sys/kernel/mm/damon/admin: the kernel has no DAMON, or no DAMON_SYSFS',
      'use a kernel with CONFIG_DAMON_SYSFS (Debian 13 has it), or another source',
    );
  }
  const operations = features.operations?.join(', ') ?? 'operations unknown until it runs';
  if (features.isHeldByStat) {
    return limited(
      'source',
      name,
      operations,
      'DAMON_STAT runs since boot and holds DAMON: no kdamond can start (EBUSY)',
      `give run --allow damon_stat: it is switched off for the run (N in ${DAMON_STAT}), and on again afterwards`,
    );
  }
  if (features.nrKdamonds > 0) {
    return limited(
      'source',
      name,
      `${operations}; ${features.nrKdamonds} kdamond(s) set up, ${features.nrRunning} running`,
      'somebody else uses DAMON: its kdamonds are never touched',
      'stop them where they were started (damo stop), or use another source',
    );
  }
  if (!features.isWritable) {
    return limited('source', name, operations, 'its files may not be written', 'run as root');
  }
  return ok('source', name, operations);
}

function damonTrace(tree: SystemTree): Finding {
  const name = 'damon by trace event';
  const { tracing } = readDamonFeatures(tree);
  if (tracing === undefined) {
    return missing(
      'source',
      name,
      'no event damon_aggregated below /sys/kernel/tracing (tracefs not mounted, or not readable)',
      'mount -t tracefs tracefs /sys/kernel/tracing; without it regions are read from sysfs, which is slower',
    );
  }
  if (!tree.isWritable(`${tracing}/instances`)) {
    return limited('source', name, tracing, 'no trace instance may be made', 'run as root');
  }
  return ok('source', name, tracing);
}

function pageIdle(tree: SystemTree): Finding {
  const bitmap = '/sys/kernel/mm/page_idle/bitmap';
  if (!tree.exists(bitmap)) {
    return missing(
      'source',
      'page_idle',
      `no ${bitmap}: the kernel was built without CONFIG_IDLE_PAGE_TRACKING`,
      'use damon; or build a kernel with that option',
    );
  }
  if (!tree.isWritable(bitmap)) {
    return limited('source', 'page_idle', bitmap, 'it may not be written', 'run as root');
  }
  return ok('source', 'page_idle', bitmap);
}

function clearRefs(tree: SystemTree): Finding {
  if (!tree.exists('/proc/self/clear_refs')) {
    return missing(
      'source',
      'clear_refs',
      'no /proc/PID/clear_refs: the kernel was built without CONFIG_PROC_PAGE_MONITOR',
      'use another source',
    );
  }
  return limited(
    'source',
    'clear_refs',
    '/proc/PID/clear_refs and smaps',
    'it tells only how much of each mapping was accessed, and disturbs the process',
    'used only when it is named: run --source clear_refs',
  );
}

function hintFaults(tree: SystemTree, permissions: Permissions): Finding {
  const name = 'faults';
  const mode = tree.readNumber('/proc/sys/kernel/numa_balancing');
  if (mode === undefined) {
    return missing(
      'source',
      name,
      'no kernel.numa_balancing: the kernel makes no hint faults',
      'use a kernel with CONFIG_NUMA_BALANCING, or another source',
    );
  }
  if (!mayCount(tree, permissions)) {
    return limited(
      'source',
      name,
      `kernel.numa_balancing is ${mode}`,
      'page faults of other processes may not be sampled',
      'run as root, or with CAP_PERFMON',
    );
  }
  if ((mode & 2) === 0) {
    return limited(
      'source',
      name,
      `kernel.numa_balancing is ${mode}`,
      'only mode 2 makes pages of slow nodes fault, and the kernel then promotes what it sees, too',
      'give run --allow numa_balancing: it is set to 2 for the run, and back afterwards',
    );
  }
  return ok('source', name, `kernel.numa_balancing is ${mode}`);
}

function mayCount(tree: SystemTree, permissions: Permissions): boolean {
  const paranoid = tree.readNumber('/proc/sys/kernel/perf_event_paranoid');
  if (paranoid === undefined) return false;
  return permissions.has('CAP_PERFMON') || permissions.has('CAP_SYS_ADMIN') || paranoid <= 1;
}

/** Samples of the CPU: AMD IBS, Intel PEBS, Arm SPE. */
function samples(tree: SystemTree, permissions: Permissions): Finding {
  const name = 'perf samples';
  const pmus = tree.list(PMUS);
  const found = [
    ...(pmus.includes('ibs_op') ? ['IBS (ibs_op)'] : []),
    ...(pmus.some((pmu) => tree.exists(`${PMUS}/${pmu}/events/mem-loads`)) ? ['PEBS (mem-loads)'] : []),
    ...pmus.filter((pmu) => pmu.startsWith('arm_spe')).map((pmu) => `SPE (${pmu})`),
  ].join(', ');
  if (found === '') {
    return missing(
      'source',
      name,
      pmus.includes('cpu')
        ? 'the CPU shows no unit that samples addresses'
        : 'no CPU PMU is shown to this machine (usual in virtual machines)',
      'use damon or faults; recorded samples can be fed in as perf script text',
    );
  }
  if (!mayCount(tree, permissions)) {
    return limited('source', name, found, 'they may not be taken', 'run as root, or with CAP_PERFMON');
  }
  return ok('source', name, found);
}
