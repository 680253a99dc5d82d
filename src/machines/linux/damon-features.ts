/**
 * What the kernel's DAMON offers and who uses it, by looking at files; nothing is created for it. Many
 * files appear only with a kdamond, so without one the kernel's configuration is asked.
 */

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { SystemTree } from './system-tree.ts';

export const DAMON_ADMIN = '/sys/kernel/mm/damon/admin/kdamonds';
export const DAMON_STAT = '/sys/module/damon_stat/parameters/enabled';
const TRACING = ['/sys/kernel/tracing', '/sys/kernel/debug/tracing'];

export interface DamonFeatures {
  /** The sysfs interface is there. */
  readonly hasSysfs: boolean;
  readonly isWritable: boolean;
  /** kdamonds that somebody has set up, and those of them that run. */
  readonly nrKdamonds: number;
  readonly nrRunning: number;
  /** DAMON_STAT holds DAMON: no other kdamond can start. */
  readonly isHeldByStat: boolean;
  /** Operations sets; undefined where neither a kdamond nor the configuration tells. */
  readonly operations: readonly string[] | undefined;
  /** The tracing directory that has the event damon_aggregated; undefined without it. */
  readonly tracing: string | undefined;
}

export function readDamonFeatures(tree: SystemTree): DamonFeatures {
  const names = tree.list(DAMON_ADMIN).filter((name) => /^\d+$/.test(name));
  return {
    hasSysfs: tree.exists(DAMON_ADMIN),
    isWritable: tree.isWritable(`${DAMON_ADMIN}/nr_kdamonds`),
    nrKdamonds: tree.readNumber(`${DAMON_ADMIN}/nr_kdamonds`) ?? names.length,
    nrRunning: names.filter((name) => tree.read(`${DAMON_ADMIN}/${name}/state`) === 'on').length,
    isHeldByStat: /^y|^1/i.test(tree.read(DAMON_STAT) ?? ''),
    operations: readOperations(tree, names),
    tracing: TRACING.find((folder) => tree.exists(`${folder}/events/damon/damon_aggregated/enable`)),
  };
}

function readOperations(tree: SystemTree, kdamonds: readonly string[]): string[] | undefined {
  for (const name of kdamonds) {
    const text = tree.read(`${DAMON_ADMIN}/${name}/contexts/0/avail_operations`);
    if (text !== undefined) return text.split(/[\s,]+/);
  }
  const configuration = readKernelConfiguration(tree);
  if (configuration === undefined) return undefined;
  const has = (option: string): boolean => configuration.includes(`\nCONFIG_${option}=y`);
  return [...(has('DAMON_VADDR') ? ['vaddr', 'fvaddr'] : []), ...(has('DAMON_PADDR') ? ['paddr'] : [])];
}

/** The configuration that the kernel was built with; undefined where it is not to be found. */
export function readKernelConfiguration(tree: SystemTree): string | undefined {
  const release = tree.read('/proc/sys/kernel/osrelease');
  const plain = release === undefined ? undefined : tree.read(`/boot/config-${release}`);
  if (plain !== undefined) return `\n${plain}`;
  try {
    return `\n${gunzipSync(readFileSync(tree.path('/proc/config.gz'))).toString('utf8')}`;
  } catch {
    return undefined;
  }
}
