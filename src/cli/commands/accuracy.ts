/** `thermocline accuracy`: monitors on access-rate fields whose truth is known. */
import { measureAccuracy } from '../../lab/accuracy/measure.ts';
import { FIELD_NAMES } from '../../machines/field/builtin.ts';
import type { FieldFaults } from '../../machines/field/field-machine.ts';
import { ThermoError } from '../../memory/error.ts';
import { SEED_PUSH } from '../../memory/push-setting.ts';
import { formatTimeExact } from '../../memory/units.ts';
import type { MonitorName } from '../../monitor/create-monitor.ts';
import { renderAccuracy } from '../../view/accuracy-table.ts';
import { openFields } from '../field-input.ts';
import { resolveAttrs } from '../monitor-settings.ts';
import type { MonitorOptions } from '../options.ts';
import { Progress } from '../progress.ts';
import type { Terminal } from '../terminal.ts';
import { Turns } from '../turns.ts';
import { VERSION } from '../version.ts';

export interface AccuracyOptions extends MonitorOptions {
  readonly monitor: readonly MonitorName[];
  readonly hot?: number;
  readonly at: readonly number[];
  readonly seeds: number;
  readonly fault?: FieldFaults;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** @returns the exit status */
export async function accuracyCommand(
  names: readonly string[],
  options: AccuracyOptions,
  terminal: Terminal,
): Promise<number> {
  const attrs = resolveAttrs(options, {});
  if (options.at[0] < attrs.aggrUs) {
    throw new ThermoError('THERMO_USAGE', `nothing is known at ${formatTimeExact(options.at[0])} yet`, {
      hint: `expected --at from the first aggregation on, after ${formatTimeExact(attrs.aggrUs)}`,
    });
  }
  const fields = await openFields(names.length > 0 ? names : FIELD_NAMES, terminal);
  const progress = new Progress(terminal, options.quiet === true);
  const turns = new Turns();
  let result: Awaited<ReturnType<typeof measureAccuracy>>;
  try {
    result = await measureAccuracy({
      fields,
      monitors: options.monitor,
      attrs,
      push: options.push ?? SEED_PUSH,
      faults: options.fault ?? {},
      hotPerS: options.hot,
      atUs: options.at,
      seeds: Array.from({ length: options.seeds }, (_, i) => options.seed + i),
      version: VERSION,
      onProgress: (label, share) => progress.update('measuring', share, label),
      shouldStop: terminal.isInterrupted,
      pause: () => turns.pause(),
    });
  } finally {
    progress.end();
  }
  if (result === undefined) return 130;
  const text = options.json
    ? `${JSON.stringify(result, null, 2)}\n`
    : renderAccuracy(result.fields, result.rows, result.reference, terminal.width);
  terminal.stdout.write(text);
  return 0;
}
