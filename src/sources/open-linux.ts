/** Puts a live machine together: its description, the process to watch, sources, and who moves memory. */
import type { AccessSource } from '../machines/linux/access-source.ts';
import { DryMover, type PlannedAction } from '../machines/linux/dry-mover.ts';
import { LinuxMachine } from '../machines/linux/linux-machine.ts';
import { MoveThread } from '../machines/linux/move-thread.ts';
import { LinuxMover } from '../machines/linux/mover.ts';
import { PageCalls } from '../machines/linux/native/page-calls.ts';
import { PageNodes } from '../machines/linux/page-nodes.ts';
import { readMappings, readProcess } from '../machines/linux/process-memory.ts';
import { SystemTree } from '../machines/linux/system-tree.ts';
import { readTopology } from '../machines/linux/topology.ts';
import { recover, UndoLedger } from '../machines/linux/undo-ledger.ts';
import { ThermoError } from '../memory/error.ts';
import { parseTimeUs } from '../memory/units.ts';
import { ClearRefsSource } from './clear-refs-source.ts';
import { DamonSource } from './damon-source.ts';
import { FaultSource } from './fault-source.ts';
import { PageIdleSource } from './page-idle-source.ts';
import { PerfSource } from './perf-source.ts';
import { type Allowance, parsePerfVariant, type SourceChoice } from './source-names.ts';

export interface OpenLinuxOptions {
  readonly pid: number;
  readonly sources: readonly SourceChoice[];
  readonly allow: readonly Allowance[];
  /** Without it nothing moves, and `tell` hears what would. */
  readonly apply: boolean;
  readonly tell: (planned: PlannedAction) => void;
  readonly sampleUs: number;
  readonly aggrUs: number;
  readonly minNrRegions: number;
  readonly maxNrRegions: number;
}

export interface OpenedLinux {
  readonly machine: LinuxMachine;
  readonly sources: readonly AccessSource[];
  /** undefined in a dry run. */
  readonly mover: LinuxMover | undefined;
  readonly tree: SystemTree;
  /** What earlier processes had left behind, and was taken back. */
  readonly recovered: readonly string[];
  /** Takes back everything that was only ours; safe to call twice, and in an exit handler. */
  close(): void;
}

/** @throws ThermoError when the process, a source or a permission is missing; nothing stays changed then */
export function openLinux(options: OpenLinuxOptions): OpenedLinux {
  const tree = new SystemTree();
  const process = readProcess(tree, options.pid);
  const { nodes } = readTopology(tree);
  if (nodes.length === 0) {
    throw new ThermoError('THERMO_MACHINE_CONFIG', 'sysfs shows no memory node', {
      hint: 'expected Linux with /sys mounted; thermocline doctor tells more',
    });
  }
  const calls = new PageCalls();
  const recovered = recover(tree);
  const ledger = new UndoLedger(tree);
  const clockUs = (): number => Number(globalThis.process.hrtime.bigint() / 1000n);
  const pageNodes = new PageNodes(options.pid, calls, () => readMappings(tree, options.pid), clockUs);
  const mover = options.apply ? new LinuxMover(options.pid, pageNodes, new MoveThread()) : undefined;
  const sources = options.sources.map((choice) => createSource(choice, options, tree, ledger, clockUs));
  const actor = mover ?? new DryMover(pageNodes, options.tell);
  const machine = new LinuxMachine({ tree, process, nodes, sources, pageNodes, actor, clockUs });
  const close = (): void => {
    machine.close();
    ledger.undo();
  };
  try {
    for (const source of sources) source.start();
  } catch (error) {
    close();
    throw error;
  }
  return { machine, sources, mover, tree, recovered, close };
}

function createSource(
  { name, variant }: SourceChoice,
  options: OpenLinuxOptions,
  tree: SystemTree,
  ledger: UndoLedger,
  clockUs: () => number,
): AccessSource {
  const { pid, allow, sampleUs, aggrUs, minNrRegions, maxNrRegions } = options;
  if (name === 'damon') {
    return new DamonSource({
      tree,
      ledger,
      target: { pid },
      sampleUs,
      aggrUs,
      minNrRegions,
      maxNrRegions,
      mayStopStat: allow.includes('damon_stat'),
      ...(variant === 'trace' || variant === 'sysfs' ? { way: variant } : {}),
    });
  }
  if (name === 'perf')
    return new PerfSource({ pid, ...parsePerfVariant(variant), stdin: process.stdin, nowUs: clockUs });
  if (name === 'page_idle') return new PageIdleSource({ tree, pid });
  if (name === 'clear_refs') return new ClearRefsSource({ tree, pid, sampleUs, nowUs: clockUs });
  return new FaultSource({
    tree,
    ledger,
    pid,
    ...(variant === undefined ? {} : { windowUs: parseTimeUs(variant) }),
    maySetBalancing: allow.includes('numa_balancing'),
    nowUs: clockUs,
  });
}
