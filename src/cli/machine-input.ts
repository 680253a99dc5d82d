/** Finds the machine that `--machine` and `--workload` ask for. */
import type { FastSize } from '../machines/replayed/replayed-machine.ts';
import type { MachineSpec } from '../machines/simulated/machine-spec.ts';
import type { AddressKind } from '../records/access-parser.ts';
import type { InputFormat } from '../records/detect.ts';
import type { Terminal } from './terminal.ts';
import { isFileName, readInput } from './text-input.ts';

export interface MachineOptions {
  readonly machine: string;
  readonly workload?: string;
}

/** What `run` and `compare` run on: a simulated machine, or a trace with the options of its replay. */
export interface TargetOptions extends MachineOptions {
  readonly size?: number;
  readonly trace?: string;
  readonly format?: InputFormat;
  readonly fast: FastSize;
  readonly ips?: number;
  readonly fetches?: boolean;
  readonly address?: AddressKind;
  readonly pid?: number;
  readonly fields?: readonly string[];
}

/** A name with a dot or a slash is a machine file, `-` one on standard input. */
export async function readMachineSpec(
  { machine, workload }: MachineOptions,
  terminal: Terminal,
): Promise<MachineSpec> {
  const on = workload === undefined ? {} : { workload };
  if (!isFileName(machine)) return { machine, ...on };
  const { text, file } = await readInput(machine, 'expected a machine file (docs/machines.md)', terminal);
  return { machine: file, text, ...on };
}
