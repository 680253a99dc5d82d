/** `thermocline check` and `thermocline explain`: what is wrong with a scheme file, and what it means. */
import { createPreset } from '../../machines/simulated/presets.ts';
import { ThermoError, ThermoErrors } from '../../memory/error.ts';
import { validateAttrs } from '../../monitor/attrs.ts';
import { DEFAULT_ATTRS } from '../../monitor/monitor.ts';
import { describeScheme, explainSchemes } from '../../schemes/explain.ts';
import type { LoadedSchemes } from '../../schemes/load.ts';
import { resolveSchemes } from '../../schemes/resolve.ts';
import { resolveMonitor } from '../monitor-settings.ts';
import { readSchemes } from '../scheme-input.ts';
import type { Terminal } from '../terminal.ts';

export interface CheckOptions {
  readonly machine: string;
  readonly json?: boolean;
}

/** @returns the exit status: 1 if a problem was found */
export async function checkCommand(path: string, options: CheckOptions, terminal: Terminal): Promise<number> {
  let loaded: LoadedSchemes;
  try {
    loaded = await readSchemes(path, DEFAULT_ATTRS, terminal);
    validateAttrs(resolveMonitor({ seed: 1 }, loaded.monitor).attrs);
    resolveSchemes(loaded.schemes, createPreset(options.machine, { seed: 1 }));
  } catch (error) {
    const problems = problemsOf(error);
    if (!options.json || problems === undefined) throw error;
    terminal.stdout.write(`${JSON.stringify(checkReport(path, problems, []), null, 2)}\n`);
    return 1;
  }
  if (options.json) {
    const names = loaded.schemes.map((scheme) => scheme.name);
    terminal.stdout.write(`${JSON.stringify(checkReport(path, [], names), null, 2)}\n`);
    return 0;
  }
  const count = loaded.schemes.length;
  terminal.stdout.write(`${path}: ${count} scheme${count === 1 ? '' : 's'}, no problems\n`);
  for (const scheme of loaded.schemes) terminal.stdout.write(`  ${scheme.name}: ${describeScheme(scheme)}\n`);
  return 0;
}

/** Mistakes in what was checked; undefined for anything else. */
function problemsOf(error: unknown): readonly ThermoError[] | undefined {
  if (error instanceof ThermoErrors) return error.errors;
  const isMistake = error instanceof ThermoError && error.code === 'THERMO_MONITOR_CONFIG';
  return isMistake ? [error] : undefined;
}

function checkReport(file: string, errors: readonly ThermoError[], schemes: readonly string[]): object {
  return {
    schema: 'thermocline.check/1',
    file,
    ok: errors.length === 0,
    problems: errors.map(({ code, message, hint, where }) => ({
      code,
      line: where?.line ?? null,
      column: where?.column ?? null,
      message,
      hint: hint ?? null,
    })),
    schemes,
  };
}

export async function explainCommand(path: string, terminal: Terminal): Promise<number> {
  const loaded = await readSchemes(path, DEFAULT_ATTRS, terminal);
  terminal.stdout.write(explainSchemes(loaded));
  return 0;
}
