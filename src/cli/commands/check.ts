/** `thermocline check` and `thermocline explain`: what is wrong with a scheme file, and what it means. */
import { createMachine } from '../../machines/simulated/machine-spec.ts';
import { ThermoError, ThermoErrors } from '../../memory/error.ts';
import { DEFAULT_ATTRS } from '../../monitor/monitor.ts';
import { describeInLines } from '../../schemes/describe.ts';
import { explainSchemes } from '../../schemes/explain.ts';
import type { LoadedSchemes } from '../../schemes/load.ts';
import { resolveSchemes } from '../../schemes/resolve.ts';
import { findWarnings, type SchemeWarning } from '../../schemes/warnings.ts';
import { renderProblem } from '../../view/problem.ts';
import { inOrderOfText } from '../../yaml/read-yaml.ts';
import { readMachineSpec } from '../machine-input.ts';
import { resolveMonitor } from '../monitor-settings.ts';
import { readSchemes, readSchemesAndProblems } from '../scheme-input.ts';
import type { Terminal } from '../terminal.ts';

export interface CheckOptions {
  readonly machine: string;
  readonly json?: boolean;
  readonly strict?: boolean;
}

interface Findings {
  readonly loaded: LoadedSchemes;
  readonly problems: readonly ThermoError[];
  readonly warnings: readonly SchemeWarning[];
}

/** @returns the exit status: 1 if a problem was found, or with --strict a warning */
export async function checkCommand(path: string, options: CheckOptions, terminal: Terminal): Promise<number> {
  const findings = await inspect(path, options, terminal);
  const { loaded, problems, warnings } = findings;
  const status = problems.length > 0 || (options.strict === true && warnings.length > 0) ? 1 : 0;
  if (options.json) {
    terminal.stdout.write(`${JSON.stringify(checkReport(path, findings), null, 2)}\n`);
    return status;
  }
  if (problems.length > 0) throw new ThermoErrors(problems);
  for (const warning of warnings) terminal.stderr.write(renderProblem(warning, 'warning'));
  const parts = [
    count(loaded.schemes.length, 'scheme'),
    'no problems',
    ...(warnings.length > 0 ? [count(warnings.length, 'warning')] : []),
  ];
  terminal.stdout.write(`${path}: ${parts.join(', ')}\n`);
  for (const scheme of loaded.schemes) {
    const lines = describeInLines(scheme, terminal.width - 4, `${scheme.name}: `);
    terminal.stdout.write(`  ${lines.join('\n    ')}\n`);
  }
  return status;
}

/** Everything that can be found without running: in the file, in its monitoring, on the machine. */
async function inspect(path: string, options: CheckOptions, terminal: Terminal): Promise<Findings> {
  const problems: ThermoError[] = [];
  const machine = createMachine(await readMachineSpec(options, terminal), { seed: 1 });
  try {
    const loaded = await readSchemesAndProblems(path, DEFAULT_ATTRS, terminal, problems);
    const monitor = attempt(problems, () => resolveMonitor({ seed: 1 }, loaded.monitor, loaded.monitorAt));
    const schemes = attempt(problems, () => resolveSchemes(loaded.schemes, machine));
    const isSound = problems.length === 0 && schemes !== undefined && monitor !== undefined;
    const warnings = isSound
      ? findWarnings(schemes, {
          machine,
          attrs: monitor.attrs,
          freeBytes: new Map(machine.nodes.map(({ nid }) => [nid, machine.gauge(nid).freeBytes])),
          // Modelled machines have a kswapd that demotes.
          reclaims: machine.kind === 'simulated',
        })
      : [];
    return { loaded, problems: inOrderOfText(problems), warnings: inOrderOfText(warnings) };
  } finally {
    machine.close();
  }
}

/** Mistakes in what is checked go to `problems`. */
function attempt<T>(problems: ThermoError[], action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (error instanceof ThermoErrors) problems.push(...error.errors);
    else if (error instanceof ThermoError) problems.push(error);
    else throw error;
    return undefined;
  }
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

function checkReport(file: string, { loaded, problems, warnings }: Findings): object {
  const ok = problems.length === 0;
  return {
    schema: 'thermocline.check/1',
    file,
    ok,
    problems: problems.map(({ code, message, hint, where }) => ({
      code,
      line: where?.line ?? null,
      column: where?.column ?? null,
      message,
      hint: hint ?? null,
    })),
    schemes: ok ? loaded.schemes.map((scheme) => scheme.name) : [],
    warnings: warnings.map(({ code, message, why, hint, where }) => ({
      code,
      line: where.line,
      column: where.column,
      message,
      why,
      hint,
    })),
  };
}

export async function explainCommand(path: string, terminal: Terminal): Promise<number> {
  const loaded = await readSchemes(path, DEFAULT_ATTRS, terminal);
  terminal.stdout.write(explainSchemes(loaded));
  return 0;
}
