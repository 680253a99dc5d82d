/** The accuracy lab: every monitor on every field with every seed, as one report. */
import type { FieldSource } from '../../machines/field/access-field.ts';
import type { FieldFaults } from '../../machines/field/field-machine.ts';
import type { PushSetting } from '../../memory/push-setting.ts';
import { RandomStream } from '../../memory/random.ts';
import type { MonitorName } from '../../monitor/create-monitor.ts';
import type { MonitorAttrs } from '../../monitor/monitor.ts';
import type { AccuracyRow, FieldFacts, ReferenceRow } from '../../view/accuracy-table.ts';
import { kernelReference } from './kernel-reference.ts';
import { createRival } from './rivals.ts';
import { type AccuracyRun, runAccuracy } from './run-accuracy.ts';
import { AccuracyScorer } from './score.ts';
import { spreadOf, summarizeRuns } from './summary.ts';

export interface AccuracyOptions {
  readonly fields: readonly FieldSource[];
  readonly monitors: readonly MonitorName[];
  readonly attrs: MonitorAttrs;
  readonly push: PushSetting;
  readonly faults: FieldFaults;
  /** Overrides what fields say; undefined: theirs, or {@link DEFAULT_HOT_PER_S}. */
  readonly hotPerS: number | undefined;
  /** Ascending, in microseconds; at or after the first aggregation. */
  readonly atUs: readonly number[];
  readonly seeds: readonly number[];
  readonly version: string;
  /** `share` of all runs. */
  readonly onProgress?: (label: string, share: number) => void;
  readonly shouldStop?: () => boolean;
  readonly pause?: () => Promise<void> | undefined;
}

/** The `--json` document of `thermocline accuracy`; keys only ever get added. */
export interface AccuracyReport {
  readonly schema: 'thermocline.accuracy/1';
  readonly version: string;
  readonly seeds: readonly number[];
  readonly attrs: MonitorAttrs;
  readonly push: PushSetting;
  readonly faults: FieldFaults;
  readonly fields: readonly FieldFacts[];
  readonly rows: readonly AccuracyRow[];
  /** Numbers measured elsewhere at the same settings. */
  readonly reference: readonly ReferenceRow[];
}

/** About DAMON's 3 of 20 samples at 5 ms: -ln(1 - 0.139) / 5 ms. */
const DEFAULT_HOT_PER_S = 30;

/** @returns undefined if it was stopped */
export async function measureAccuracy(options: AccuracyOptions): Promise<AccuracyReport | undefined> {
  const { fields, monitors, attrs, push, faults, atUs, seeds } = options;
  const rows: AccuracyRow[] = [];
  const facts: FieldFacts[] = [];
  const allRuns = fields.length * monitors.length * seeds.length;
  let done = 0;
  for (const source of fields) {
    const runs = new Map<MonitorName, AccuracyRun[]>(monitors.map((name) => [name, []]));
    const truths: FieldFacts[] = [];
    for (const seed of seeds) {
      const field = source.create(seed);
      const hotPerS = options.hotPerS ?? field.hotPerS ?? DEFAULT_HOT_PER_S;
      const hotBytes = new AccuracyScorer(hotPerS).hotBytes(field.mapAt(0));
      truths.push({ name: source.name, sizeBytes: field.sizeBytes, hotPerS, hotBytes });
      for (const name of monitors) {
        const run = await runAccuracy({
          field,
          monitor: createRival(name, field, attrs, new RandomStream(seed, 'monitor')),
          push,
          faults,
          hotPerS,
          atUs,
          seed,
          onProgress: (share) =>
            options.onProgress?.(`${source.name}, ${name}, seed ${seed}`, (done + share) / allRuns),
          ...(options.shouldStop ? { shouldStop: options.shouldStop } : {}),
          ...(options.pause ? { pause: options.pause } : {}),
        });
        if (run === undefined) return undefined;
        runs.get(name)?.push(run);
        done++;
      }
    }
    for (const [name, each] of runs) rows.push(...summarizeRuns(source.name, name, atUs, each));
    facts.push({
      ...truths[0],
      hotPerS: spreadOf(truths.map((truth) => truth.hotPerS)).median,
      hotBytes: spreadOf(truths.map((truth) => truth.hotBytes)).median,
    });
  }
  const hasFaults = Object.keys(faults).length > 0;
  const asked = new Set(rows.map((row) => `${row.field} ${row.at}`));
  return {
    schema: 'thermocline.accuracy/1',
    version: options.version,
    seeds,
    attrs,
    push,
    faults,
    fields: facts,
    rows,
    reference: hasFaults
      ? []
      : kernelReference(attrs, push, atUs[atUs.length - 1]).filter((row) =>
          asked.has(`${row.field} ${row.at}`),
        ),
  };
}
