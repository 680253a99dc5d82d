/**
 * Kdamonds of ours in the kernel: set up, read back, started, looked at and removed. Those of somebody else are
 * never touched.
 *
 * What was set up stays when this process ends, so it is written down below /run, which a reboot empties as it
 * empties DAMON's tree.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { ThermoError } from '../../memory/error.ts';
import { DAMON_ADMIN, DAMON_STAT, readDamonFeatures } from './damon-features.ts';
import type { SystemTree } from './system-tree.ts';
import { writeSystemFile } from './write-system-file.ts';

const DEPLOYMENT = '/run/thermocline-deployment.json';

/** A file below the kdamonds directory. */
export interface AdminWrite {
  readonly path: string;
  readonly value: string;
}

export interface Deployment {
  /** The scheme file, for people. */
  readonly file: string;
  /** Of the kdamonds, in their order. */
  readonly pids: readonly number[];
  /** Names of the schemes of each. */
  readonly schemes: readonly (readonly string[])[];
  /** DAMON_STAT was switched off for it. */
  readonly stoppedStat: boolean;
}

export const SCHEME_STATS = ['nr_tried', 'sz_tried', 'nr_applied', 'sz_applied', 'qt_exceeds'] as const;
export type SchemeStat = (typeof SCHEME_STATS)[number];
export interface DeployedScheme {
  readonly name: string;
  readonly stats: Readonly<Record<SchemeStat, number>>;
  /** Bytes that the quota allows now; undefined where the kernel does not tell. */
  readonly effectiveBytes: number | undefined;
}

/** @throws ThermoError unless DAMON is there and nobody uses it, DAMON_STAT apart if it may be stopped */
export function checkDamonIsFree(tree: SystemTree, mayStopStat: boolean): void {
  const { hasSysfs, isWritable, nrKdamonds, nrRunning, isHeldByStat } = readDamonFeatures(tree);
  if (!hasSysfs)
    fail('this kernel has no DAMON with a sysfs interface', 'thermocline doctor tells what it has');
  if (!isWritable) fail(`${DAMON_ADMIN} may not be written`, 'run as root');
  if (readDeployment(tree) !== undefined)
    fail('schemes are deployed already', 'take them back first: thermocline undeploy --apply');
  if (nrKdamonds > 0) {
    fail(
      `somebody else has set up ${nrKdamonds} kdamond(s) (${nrRunning} running), and they are not touched`,
      'stop them where they were started (damo stop)',
    );
  }
  if (isHeldByStat && !mayStopStat) {
    fail(
      'DAMON_STAT holds DAMON: no kdamond can start',
      'say --allow damon_stat to switch it off until undeploy',
    );
  }
}

/**
 * Writes, reads back, and starts every kdamond; on any failure the tree is as before.
 * @throws ThermoError with the file and the value that the kernel refused or changed
 */
export function deployDamon(
  tree: SystemTree,
  writes: readonly AdminWrite[],
  { file, schemes }: Pick<Deployment, 'file' | 'schemes'>,
): Deployment {
  const stoppedStat = readDamonFeatures(tree).isHeldByStat;
  // Written down first: a crash in the middle leaves something that undeploy recognises.
  saveDeployment(tree, { file, schemes, pids: [], stoppedStat });
  try {
    if (stoppedStat) writeSystemFile(tree, DAMON_STAT, 'N');
    for (const { path, value } of writes) writeSystemFile(tree, `${DAMON_ADMIN}/${path}`, value);
    verify(tree, writes);
    for (let i = 0; i < schemes.length; i++) writeSystemFile(tree, `${DAMON_ADMIN}/${i}/state`, 'on');
    const pids = schemes.map((_, i) => tree.readNumber(`${DAMON_ADMIN}/${i}/pid`) ?? -1);
    const deployment = { file, schemes, pids, stoppedStat };
    saveDeployment(tree, deployment);
    return deployment;
  } catch (error) {
    removeKdamonds(tree, schemes.length, stoppedStat);
    throw error;
  }
}

/** @throws ThermoError with the first file that does not say what was written */
function verify(tree: SystemTree, writes: readonly AdminWrite[]): void {
  for (const { path, value } of writes) {
    const found = tree.read(`${DAMON_ADMIN}/${path}`);
    if (found === value) continue;
    // A process is kept as itself, and its file shows what it has become.
    if (path.endsWith('/pid_target') && Number(found) > 0) continue;
    fail(
      `${DAMON_ADMIN}/${path} says "${found ?? 'nothing'}" after "${value}" was written`,
      'this kernel understands something else; say --kernel with an older version',
    );
  }
}

/** undefined: nothing of ours is deployed. */
export function readDeployment(tree: SystemTree): Deployment | undefined {
  try {
    return JSON.parse(readFileSync(tree.path(DEPLOYMENT), 'utf8')) as Deployment;
  } catch {
    return undefined;
  }
}

/** True while the kdamonds that run are the ones that were deployed. */
export function isDeploymentRunning(tree: SystemTree, { pids }: Deployment): boolean {
  return (
    pids.length > 0 &&
    tree.readNumber(`${DAMON_ADMIN}/nr_kdamonds`) === pids.length &&
    pids.every((pid, i) => tree.readNumber(`${DAMON_ADMIN}/${i}/pid`) === pid)
  );
}

/** Statistics of each scheme, after asking the kernel to refresh them. */
export function readDeployedSchemes(tree: SystemTree, { schemes }: Deployment): DeployedScheme[] {
  return schemes.flatMap((names, k) => {
    const at = `${DAMON_ADMIN}/${k}`;
    writeSystemFile(tree, `${at}/state`, 'update_schemes_stats');
    const has = tree.exists(`${at}/contexts/0/schemes/0/quotas/effective_bytes`);
    if (has) writeSystemFile(tree, `${at}/state`, 'update_schemes_effective_quotas');
    return names.map((name, s) => {
      const scheme = `${at}/contexts/0/schemes/${s}`;
      const stats = Object.fromEntries(
        SCHEME_STATS.map((stat) => [stat, tree.readNumber(`${scheme}/stats/${stat}`) ?? 0]),
        // The keys are those of the list.
      ) as Record<SchemeStat, number>;
      return { name, stats, effectiveBytes: tree.readNumber(`${scheme}/quotas/effective_bytes`) };
    });
  });
}

/** Feeds goals of users: values by path, then one commit per kdamond. */
export function feedGoals(tree: SystemTree, values: readonly AdminWrite[], nrKdamonds: number): void {
  for (const { path, value } of values) writeSystemFile(tree, `${DAMON_ADMIN}/${path}`, value);
  for (let i = 0; i < nrKdamonds; i++)
    writeSystemFile(tree, `${DAMON_ADMIN}/${i}/state`, 'commit_schemes_quota_goals');
}

/**
 * Takes what was deployed back.
 * @throws ThermoError if what runs now is somebody else's
 */
export function undeployDamon(tree: SystemTree, deployment: Deployment): void {
  const nr = tree.readNumber(`${DAMON_ADMIN}/nr_kdamonds`) ?? 0;
  if (nr > 0 && deployment.pids.length > 0 && !isDeploymentRunning(tree, deployment)) {
    fail(
      'the kdamonds that are set up now are not the ones that were deployed, and they are not touched',
      `if they are yours, stop them; then remove ${DEPLOYMENT}`,
    );
  }
  removeKdamonds(tree, nr, deployment.stoppedStat);
}

function removeKdamonds(tree: SystemTree, nr: number, stoppedStat: boolean): void {
  for (let i = 0; i < nr; i++) {
    if (tree.read(`${DAMON_ADMIN}/${i}/state`) === 'on')
      writeSystemFile(tree, `${DAMON_ADMIN}/${i}/state`, 'off');
  }
  if (tree.exists(`${DAMON_ADMIN}/nr_kdamonds`)) writeSystemFile(tree, `${DAMON_ADMIN}/nr_kdamonds`, '0');
  if (stoppedStat) writeSystemFile(tree, DAMON_STAT, 'Y');
  rmSync(tree.path(DEPLOYMENT), { force: true });
}

function saveDeployment(tree: SystemTree, deployment: Deployment): void {
  try {
    writeFileSync(tree.path(DEPLOYMENT), `${JSON.stringify(deployment)}\n`);
  } catch (error) {
    throw new ThermoError('THERMO_FILE_UNWRITABLE', `${DEPLOYMENT}: cannot be written`, {
      hint: 'what is changed in the kernel is written down there first; run as root',
      cause: error,
    });
  }
}

function fail(message: string, hint: string): never {
  throw new ThermoError('THERMO_MACHINE_CONFIG', message, { hint });
}
