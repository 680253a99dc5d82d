/** `thermocline export` and `thermocline import`: scheme files to damo and the kernel, and damo's back. */
import { shellLine, toDamoArgs } from '../../kdamonds/damo-args.ts';
import { toDamoJson } from '../../kdamonds/damo-json.ts';
import { fromDamo } from '../../kdamonds/from-damo.ts';
import type { KernelVersion } from '../../kdamonds/kernel.ts';
import type { Region } from '../../kdamonds/model.ts';
import { sysfsScript, toSysfs } from '../../kdamonds/sysfs.ts';
import { createMachine } from '../../machines/simulated/machine-spec.ts';
import { DEFAULT_ATTRS } from '../../monitor/monitor.ts';
import { explainSchemes } from '../../schemes/explain.ts';
import { loadSchemes } from '../../schemes/load.ts';
import { acceptNotes, readKdamonds } from '../kdamonds-input.ts';
import { readMachineSpec } from '../machine-input.ts';
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
  const { to, kernel, pid, regions, nodeRegions = new Map(), partial = false } = options;
  const machine = createMachine(await readMachineSpec(options, terminal), { seed: 1 });
  const { nodes } = machine;
  machine.close();
  const target = { kernel, pid, regions, nodeRanges: nodeRegions };
  const exported = await readKdamonds(path, nodes, target, terminal);
  const nothing = 'nothing is written: what is refused has no counterpart in that kernel';
  if (!acceptNotes(exported, partial, nothing, terminal)) return 1;
  const { kdamonds } = exported;
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
