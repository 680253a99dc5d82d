/** Memory of control groups (v2). */
import type { SystemTree } from './system-tree.ts';

const MOUNT = '/sys/fs/cgroup';

/** Bytes of anonymous memory and of files of a group on a node; 0 where there is no such group. */
export function cgroupNodeBytes(tree: SystemTree, path: string, nid: number): number {
  let bytes = 0;
  for (const line of (tree.read(`${MOUNT}/${path}/memory.numa_stat`) ?? '').split('\n')) {
    if (!/^(anon|file) /.test(line)) continue;
    bytes += Number(new RegExp(` N${nid}=(\\d+)`).exec(line)?.[1] ?? 0);
  }
  return bytes;
}
