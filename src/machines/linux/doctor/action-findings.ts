/** What can be done to memory, and what this process may do. */
import type { NativeProbe } from '../native/probe.ts';
import type { Permissions } from '../permissions.ts';
import type { SystemTree } from '../system-tree.ts';
import { readTopology } from '../topology.ts';
import { type Finding, limited, missing, ok } from './finding.ts';

const NATIVE_REMEDY = 'install the optional package koffi (npm ci does it on supported systems)';

/** @param native what calls into the kernel say; undefined for a recorded tree */
export function actionFindings(
  tree: SystemTree,
  permissions: Permissions,
  native: NativeProbe | undefined,
): Finding[] {
  return [
    movePages(tree, permissions, native),
    madvise(permissions, native),
    reclaim(tree),
    kernelSchemes(tree),
  ];
}

function movePages(tree: SystemTree, permissions: Permissions, native: NativeProbe | undefined): Finding {
  const name = 'migrate by move_pages';
  const refused = refusal('action', name, native, native?.movePages);
  if (refused !== undefined) return refused;
  const { nodes } = readTopology(tree);
  if (nodes.length < 2)
    return missing('action', name, 'one memory node', 'nothing can be moved on this machine');
  if (!permissions.has('CAP_SYS_NICE')) {
    return limited('action', name, 'own processes only', 'CAP_SYS_NICE is missing', 'run as root');
  }
  return ok('action', name, native === undefined ? 'as far as files tell' : 'works');
}

function madvise(permissions: Permissions, native: NativeProbe | undefined): Finding {
  const name = 'cold, willneed, collapse';
  const refused = refusal('action', name, native, native?.processMadvise);
  if (refused !== undefined) return refused;
  if (!permissions.has('CAP_SYS_NICE')) {
    return limited('action', name, 'own process only', 'CAP_SYS_NICE is missing', 'run as root');
  }
  return ok('action', name, 'by process_madvise');
}

function refusal(
  area: Finding['area'],
  name: string,
  native: NativeProbe | undefined,
  call: string | undefined,
): Finding | undefined {
  if (native === undefined || call === 'works') return undefined;
  if (native.problem !== undefined) return missing(area, name, native.problem, NATIVE_REMEDY);
  return missing(
    area,
    name,
    `the kernel refuses the call: ${call}`,
    'use another kernel, or less confinement',
  );
}

function reclaim(tree: SystemTree): Finding {
  const name = 'demote by memory.reclaim';
  const controllers = tree.read('/sys/fs/cgroup/cgroup.controllers');
  if (controllers === undefined || !controllers.split(' ').includes('memory')) {
    return missing(
      'action',
      name,
      'no cgroup v2 with a memory controller at /sys/fs/cgroup',
      'mount -t cgroup2 cgroup2 /sys/fs/cgroup; demoting by move_pages works without it',
    );
  }
  if (readTopology(tree).isDemotionEnabled !== true) {
    return limited(
      'action',
      name,
      'memory.reclaim',
      'the kernel does not demote: reclaim would page out',
      'echo true > /sys/kernel/mm/numa/demotion_enabled',
    );
  }
  return ok('action', name, 'memory.reclaim');
}

function kernelSchemes(tree: SystemTree): Finding {
  const name = "schemes by the kernel's DAMON";
  if (!tree.exists('/sys/kernel/mm/damon/admin')) {
    return missing('action', name, 'the kernel has no DAMON_SYSFS', 'use this program to move memory');
  }
  return ok('action', name, 'DAMOS');
}

export function permissionFindings(permissions: Permissions): Finding[] {
  const { missing: lacking, uid } = permissions;
  const who = uid === undefined ? 'user unknown' : uid === 0 ? 'root' : `user ${uid}`;
  if (lacking.length === 0) return [ok('permission', 'capabilities', `${who}, all that is used`)];
  return [
    limited(
      'permission',
      'capabilities',
      who,
      `${lacking.join(', ')} missing`,
      'run as root, or give them to the program; simulating and replaying need none',
    ),
  ];
}
