/** `thermocline deploy` and `undeploy`: schemes to the DAMON of this machine's kernel, and back. */

import { type FedGoal, fedGoals } from '../../kdamonds/goals.ts';
import { formatKernelVersion, type KernelVersion, parseKernelVersion } from '../../kdamonds/kernel.ts';
import type { Region } from '../../kdamonds/model.ts';
import { sysfsScript, toSysfs } from '../../kdamonds/sysfs.ts';
import {
  checkDamonIsFree,
  type DeployedScheme,
  type Deployment,
  deployDamon,
  feedGoals,
  isDeploymentRunning,
  readDeployedSchemes,
  readDeployment,
  undeployDamon,
} from '../../machines/linux/damon-admin.ts';
import { nodeMemory } from '../../machines/linux/node-memory.ts';
import { readNodeRanges } from '../../machines/linux/node-ranges.ts';
import { SystemTree } from '../../machines/linux/system-tree.ts';
import { readTopology } from '../../machines/linux/topology.ts';
import { ThermoError } from '../../memory/error.ts';
import { formatBytes } from '../../memory/units.ts';
import type { Allowance } from '../../sources/source-names.ts';
import { renderTable } from '../../view/table.ts';
import { acceptNotes, readKdamonds } from '../kdamonds-input.ts';
import type { Terminal } from '../terminal.ts';

export interface DeployOptions {
  readonly pid?: number;
  /** Left out: that of the running kernel. */
  readonly kernel?: KernelVersion;
  readonly nodeRegions?: ReadonlyMap<number, readonly Region[]>;
  readonly partial?: boolean;
  readonly allow?: readonly Allowance[];
  readonly apply?: boolean;
  readonly tune?: boolean;
  readonly json?: boolean;
}

/** @returns the exit status: 1 if a scheme has no counterpart */
export async function deployCommand(
  path: string,
  options: DeployOptions,
  terminal: Terminal,
): Promise<number> {
  const tree = new SystemTree();
  const kernel = options.kernel ?? parseKernelVersion(tree.read('/proc/sys/kernel/osrelease') ?? '');
  const { nodes } = readTopology(tree);
  const { pid, nodeRegions, partial = false } = options;
  const nids = nodes.map(({ nid }) => nid);
  const target = { kernel, pid, nodeRanges: nodeRegions ?? readNodeRanges(tree, nids) };
  const exported = await readKdamonds(path, nodes, target, terminal);
  const nothing = `nothing is deployed: what is refused has no counterpart in Linux ${formatKernelVersion(kernel)}`;
  if (!acceptNotes(exported, partial, nothing, terminal)) return 1;
  const writes = toSysfs(exported.kdamonds, kernel);
  if (options.apply !== true) {
    terminal.stdout.write(sysfsScript(writes));
    terminal.stderr.write('thermocline: nothing was written; --apply does it, and starts the kdamonds\n');
    return 0;
  }
  checkDamonIsFree(tree, options.allow?.includes('damon_stat') ?? false);
  const deployment = deployDamon(tree, writes, { file: path, schemes: exported.names });
  print(tree, deployment, options, terminal);
  const goals = fedGoals(exported.kdamonds);
  if (goals.length > 0 && options.tune !== true)
    terminal.stderr.write(
      'thermocline: goals that the kernel cannot measure are not fed; say --tune to stay and do it\n',
    );
  if (options.tune === true) await tune(tree, deployment, goals, terminal);
  return 0;
}

/** Measures what the kernel cannot, until interrupted or until somebody else takes the kdamonds away. */
async function tune(
  tree: SystemTree,
  deployment: Deployment,
  goals: readonly FedGoal[],
  terminal: Terminal,
): Promise<void> {
  let isOver = false;
  let wake = (): void => {};
  const stop = (): void => {
    isOver = true;
    wake();
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const periodMs = Math.min(...goals.map(({ resetIntervalMs }) => resetIntervalMs), 1000);
  try {
    while (!isOver && isDeploymentRunning(tree, deployment)) {
      const values = goals.map(({ path, metric, nid }) => {
        const { totalBytes, freeBytes } = nodeMemory(tree, nid);
        const bytes = metric === 'node_mem_free_bp' ? freeBytes : totalBytes - freeBytes;
        return { path, value: String(Math.round((bytes / totalBytes) * 10000)) };
      });
      feedGoals(tree, values, deployment.pids.length);
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, periodMs);
      });
    }
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
  terminal.stderr.write(
    'thermocline: no longer feeding goals; the schemes stay: thermocline undeploy --apply\n',
  );
}

const COLUMNS = ['scheme', 'tried', 'applied', 'qt_exceeds', 'quota now'].map((title, i) => ({
  title,
  align: i === 0 ? ('left' as const) : ('right' as const),
}));

export interface DeployedOptions {
  readonly apply?: boolean;
  readonly json?: boolean;
}

/** What is deployed, and what it has done. */
export function deployedCommand(options: DeployedOptions, terminal: Terminal): number {
  const tree = new SystemTree();
  const deployment = readDeployment(tree);
  if (deployment === undefined) {
    if (options.json === true)
      terminal.stdout.write(`${JSON.stringify(report(undefined, [], tree), null, 2)}\n`);
    else terminal.stdout.write('nothing is deployed\n');
    return 0;
  }
  print(tree, deployment, options, terminal);
  return 0;
}

/** @returns the exit status: 0 also where nothing was deployed */
export function undeployCommand({ apply }: DeployedOptions, terminal: Terminal): number {
  const tree = new SystemTree();
  const deployment = readDeployment(tree);
  if (deployment === undefined) {
    terminal.stdout.write('nothing is deployed\n');
    return 0;
  }
  if (apply !== true) {
    terminal.stdout.write(`would remove ${deployment.pids.length} kdamond(s) of ${deployment.file}\n`);
    terminal.stderr.write('thermocline: nothing was written; --apply does it\n');
    return 0;
  }
  undeployDamon(tree, deployment);
  terminal.stdout.write(`removed ${deployment.pids.length} kdamond(s) of ${deployment.file}\n`);
  return 0;
}

function print(
  tree: SystemTree,
  deployment: Deployment,
  { json }: DeployedOptions,
  terminal: Terminal,
): void {
  if (!isDeploymentRunning(tree, deployment))
    throw new ThermoError('THERMO_MACHINE_CONFIG', `the schemes of ${deployment.file} do not run any more`, {
      hint: 'somebody has stopped them, or their process has ended; thermocline undeploy --apply clears up',
    });
  const schemes = readDeployedSchemes(tree, deployment);
  if (json === true) {
    terminal.stdout.write(`${JSON.stringify(report(deployment, schemes, tree), null, 2)}\n`);
    return;
  }
  const rows = schemes.map(({ name, stats, effectiveBytes }) => [
    name,
    formatBytes(stats.sz_tried),
    formatBytes(stats.sz_applied),
    String(stats.qt_exceeds),
    effectiveBytes === undefined ? '-' : formatBytes(effectiveBytes),
  ]);
  terminal.stdout.write(`${renderTable(COLUMNS, rows).join('\n')}\n`);
}

function report(
  deployment: Deployment | undefined,
  schemes: readonly DeployedScheme[],
  tree: SystemTree,
): object {
  const { nodes } = readTopology(tree);
  return {
    schema: 'thermocline.deployed/1',
    file: deployment?.file ?? null,
    pids: deployment?.pids ?? [],
    schemes: schemes.map(({ name, stats, effectiveBytes }) => ({
      name,
      ...stats,
      effective_bytes: effectiveBytes ?? null,
    })),
    nodes: nodes.map(({ nid }) => ({ nid, ...nodeMemory(tree, nid) })),
  };
}
