/** `thermocline export` and `thermocline import`: scheme files to damo and the kernel, and damo's back. */
import { shellLine, toDamoArgs } from '../../kdamonds/damo-args.ts';
import { toDamoJson } from '../../kdamonds/damo-json.ts';
import { damonFacts } from '../../kdamonds/facts.ts';
import { fromDamo } from '../../kdamonds/from-damo.ts';
import { type Exported, exportSchemes } from '../../kdamonds/from-schemes.ts';
import type { KernelVersion } from '../../kdamonds/kernel.ts';
import type { Region } from '../../kdamonds/model.ts';
import type { ExportNote } from '../../kdamonds/notes.ts';
import { sysfsScript, toSysfs } from '../../kdamonds/sysfs.ts';
import { createMachine } from '../../machines/simulated/machine-spec.ts';
import { DEFAULT_ATTRS } from '../../monitor/monitor.ts';
import { explainSchemes } from '../../schemes/explain.ts';
import { loadSchemes } from '../../schemes/load.ts';
import { resolveSchemes } from '../../schemes/resolve.ts';
import { renderProblem } from '../../view/problem.ts';
import { readMachineSpec } from '../machine-input.ts';
import { resolveMonitor } from '../monitor-settings.ts';
import { readSchemes } from '../scheme-input.ts';
import type { Terminal } from '../terminal.ts';
import { readInput } from '../text-input.ts';

export type ExportFormat = 'damo' | 'damon-sysfs' | 'damo-args';

export interface ExportCommandOptions {
  readonly to: ExportFormat;
  readonly kernel: KernelVersion;
  readonly machine: string;
  readonly pid?: number;
  readonly regions?: readonly Region[];
  readonly nodeRegions?: ReadonlyMap<number, readonly Region[]>;
  readonly partial?: boolean;
}

/** @returns the exit status: 1 if a scheme has no counterpart, unless --partial leaves it out */
export async function exportCommand(
  path: string,
  options: ExportCommandOptions,
  terminal: Terminal,
): Promise<number> {
  const loaded = await readSchemes(path, DEFAULT_ATTRS, terminal);
  const { attrs } = resolveMonitor({ seed: 1 }, loaded.monitor, loaded.monitorAt);
  const machine = createMachine(await readMachineSpec(options, terminal), { seed: 1 });
  try {
    const exported = exportSchemes(resolveSchemes(loaded.schemes, damonFacts(machine.nodes)), {
      kernel: options.kernel,
      pid: options.pid,
      nodeRanges: options.nodeRegions ?? new Map(),
      attrs,
      nids: machine.nodes.map(({ nid }) => nid),
    });
    return printExport(withRegions(exported, options.regions), options, terminal);
  } finally {
    machine.close();
  }
}

/** Contexts that watch no memory in particular watch `regions`. */
function withRegions(exported: Exported, regions: readonly Region[] | undefined): Exported {
  if (regions === undefined) return exported;
  const { kdamonds, notes } = exported;
  return {
    ...exported,
    kdamonds: kdamonds.map((kdamond) => ({
      ...kdamond,
      targets: kdamond.targets.map((target) => (target.regions.length > 0 ? target : { ...target, regions })),
    })),
    notes: notes.filter(({ scheme, kind }) => scheme !== undefined || kind !== 'lost'),
  };
}

function printExport(
  { kdamonds, notes }: Exported,
  { to, kernel, partial }: ExportCommandOptions,
  terminal: Terminal,
): number {
  printNotes(notes, terminal);
  const refused = notes.filter(({ kind }) => kind === 'refused');
  if (refused.length > 0 && partial !== true) {
    terminal.stderr.write(
      `thermocline: nothing is written: what is refused has no counterpart in that kernel\n  --partial leaves it out\n`,
    );
    return 1;
  }
  switch (to) {
    case 'damo':
      terminal.stdout.write(`${JSON.stringify(toDamoJson(kdamonds), null, 2)}\n`);
      return 0;
    case 'damo-args':
      terminal.stdout.write(`damo start ${shellLine(toDamoArgs(kdamonds))}\n`);
      return 0;
    case 'damon-sysfs':
      terminal.stdout.write(sysfsScript(toSysfs(kdamonds, kernel)));
      return 0;
  }
}

export function printNotes(notes: readonly ExportNote[], terminal: Terminal): void {
  for (const { kind, scheme, message, hint, where } of notes) {
    const text = scheme === undefined ? message : `${scheme}: ${message}`;
    terminal.stderr.write(renderProblem({ message: text, where, hint }, kind));
  }
}

/** Prints a damo kdamonds file as a scheme file, checked and with what it means in comments. */
export async function importCommand(path: string, terminal: Terminal): Promise<number> {
  const { text, file } = await readInput(path, 'expected a kdamonds file of damo (JSON or YAML)', terminal);
  const imported = fromDamo(text, file);
  for (const note of imported.notes) terminal.stderr.write(`${file}: lost: ${note}\n`);
  terminal.stdout.write(
    explainSchemes(loadSchemes(imported.text, `${file} (as a scheme file)`, DEFAULT_ATTRS)),
  );
  return 0;
}
