/** `thermocline doctor`: what this machine offers to run schemes on it, and what is missing. */
import { examine } from '../../machines/linux/doctor/doctor.ts';
import type { Finding } from '../../machines/linux/doctor/finding.ts';
import { probeNative } from '../../machines/linux/native/probe.ts';
import { SystemTree } from '../../machines/linux/system-tree.ts';
import { ThermoError } from '../../memory/error.ts';
import { renderDoctor } from '../../view/doctor-table.ts';
import type { Terminal } from '../terminal.ts';
import { VERSION } from '../version.ts';

export interface DoctorOptions {
  readonly json?: boolean;
  /** Recorded tree of another machine. */
  readonly root?: string;
}

/** The `--json` document. */
export interface DoctorReport {
  readonly schema: 'thermocline.doctor/1';
  readonly version: string;
  readonly root: string;
  readonly findings: readonly Finding[];
}

/** @returns the exit status: what is missing is a fact, not a failure */
export async function doctorCommand(options: DoctorOptions, terminal: Terminal): Promise<number> {
  const tree = new SystemTree(options.root);
  if (!tree.exists('/proc') || !tree.exists('/sys')) {
    throw new ThermoError('THERMO_MACHINE_CONFIG', `${tree.root} has no /proc and /sys`, {
      hint: 'expected a Linux machine, or --root with a recorded tree of one',
    });
  }
  const findings = examine(tree, tree.isLive ? probeNative() : undefined);
  const report: DoctorReport = {
    schema: 'thermocline.doctor/1',
    version: VERSION,
    root: tree.root,
    findings,
  };
  terminal.stdout.write(
    options.json ? `${JSON.stringify(report, null, 2)}\n` : renderDoctor(findings, terminal.width),
  );
  return 0;
}
