/**
 * The runs of a sweep: every tracker with every combination of what it listens to, on every machine and
 * size, with every seed. The plan is a pure function of what was asked for, so that shards on many machines
 * agree about it without talking.
 */

import { createHash } from 'node:crypto';
import type { MachineSpec } from '../../machines/simulated/machine-spec.ts';
import { ThermoError } from '../../memory/error.ts';
import { suggest } from '../../memory/nearest-word.ts';
import { validateAttrs } from '../../monitor/attrs.ts';
import { editSchemes, isEditable, type SchemeEdit } from '../../schemes/edit.ts';
import { loadSchemes } from '../../schemes/load.ts';
import { type Contestant, chooseContestants, schemesOf } from '../compare/contestants.ts';
import type { CompareTask } from '../compare/run-contestant.ts';
import { applySettings } from '../compare/settings.ts';
import { effortOf } from '../compare/simulated-size.ts';
import type { Cell } from './columns.ts';
import type { Change, Choice } from './knobs.ts';
import { checkVariations, type Variation } from './vary.ts';

export interface SweepRun {
  /** Hash of all that determines the result. */
  readonly id: string;
  readonly task: CompareTask;
  /** By column, of what was varied and the tracker listens to. */
  readonly cells: Readonly<Record<string, Cell>>;
  /** The same as it was written, by key. */
  readonly settings: Readonly<Record<string, string>>;
}

export interface SweepOptions {
  /** What all runs share; what is varied replaces it. */
  readonly base: Omit<CompareTask, 'tracker' | 'seed' | 'settings'>;
  /** undefined: all. */
  readonly trackers: readonly string[] | undefined;
  readonly seeds: readonly number[];
  readonly variations: readonly Variation[];
  readonly version: string;
  /** Of the trace, if there is one: its path says nothing about its content. */
  readonly traceDigest?: string;
}

/**
 * In the order of trackers, then of the keys as they were named, then of seeds.
 * @throws ThermoError THERMO_USAGE for what nobody listens to; ThermoErrors for what a scheme file cannot say
 */
export function planSweep(options: SweepOptions): SweepRun[] {
  const { variations, seeds } = options;
  checkVariations(variations);
  const chosen = contestantsOf(options);
  for (const variation of variations) {
    if (!chosen.some((contestant) => listens(contestant, variation, options)))
      throw nobodyListens(variation, chosen, options);
  }
  const runs = chosen.flatMap((contestant) => {
    const heard = variations.filter((variation) => listens(contestant, variation, options));
    return combinations(heard.filter(({ knob }) => knob.key !== 'tracker')).flatMap((turned) => {
      const task = taskOf(contestant, turned, options);
      const cells = Object.assign({}, ...turned.map(({ choice }) => choice.cells)) as Record<string, Cell>;
      const settings = Object.fromEntries(turned.map(({ key, choice }) => [key, choice.text]));
      return seeds.map((seed): SweepRun => {
        const each = { ...task, seed };
        return { id: idOf(each, options), task: each, cells, settings };
      });
    });
  });
  return [...new Map(runs.map((run) => [run.id, run])).values()];
}

/**
 * The runs of one of `count` shards, `shard` counting from 1. All shards together are the plan, no run is
 * in two of them, and each has its part of the long ones.
 */
export function shardOf(runs: readonly SweepRun[], shard: number, count: number): SweepRun[] {
  const byEffort = [...runs].sort(
    (a, b) => effortOf(b.task) - effortOf(a.task) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
  );
  const mine = new Set(byEffort.filter((_, i) => i % count === shard - 1).map(({ id }) => id));
  return runs.filter(({ id }) => mine.has(id));
}

/** What of the environment a run stands in: only runs of one can be compared with its oracle. */
export function environmentOf({ task }: Pick<SweepRun, 'task'>): string {
  return canonical([task.machine, task.sizeBytes ?? null, task.minRatePerS]);
}

function contestantsOf({ trackers, variations }: SweepOptions): readonly Contestant[] {
  const varied = variations.find(({ knob }) => knob.key === 'tracker');
  if (varied === undefined) return chooseContestants(trackers);
  if (trackers !== undefined) {
    throw new ThermoError('THERMO_USAGE', 'trackers are chosen twice', {
      hint: 'say --trackers a,b or --vary tracker=a,b',
    });
  }
  return chooseContestants(varied.choices.map(({ text }) => text));
}

/** A knob of a scheme is heard by those who have the scheme. */
function listens(contestant: Contestant, { knob, choices }: Variation, options: SweepOptions): boolean {
  if (!knob.listens(contestant)) return false;
  const edits = choices[0].change.edits ?? [];
  if (edits.length === 0) return true;
  const { text, file, intervals } = schemesFor(contestant, options);
  const { schemes } = loadSchemes(text, file, intervals);
  return edits.every((edit) => isEditable(schemes, edit));
}

function nobodyListens(
  { knob, choices }: Variation,
  chosen: readonly Contestant[],
  options: SweepOptions,
): ThermoError {
  const listeners = chosen.filter((contestant) => knob.listens(contestant));
  const scheme = choices[0].change.edits?.[0]?.scheme;
  if (listeners.length > 0 && scheme !== undefined) {
    const names = listeners.flatMap((contestant) => {
      const { text, file, intervals } = schemesFor(contestant, options);
      return loadSchemes(text, file, intervals).schemes.map(({ name }) => name);
    });
    return new ThermoError('THERMO_USAGE', `--vary ${knob.key}: there is no scheme "${scheme}"`, {
      hint: suggest(scheme, [...new Set(names)], 'schemes'),
    });
  }
  const able = chooseContestants(undefined).filter((contestant) => knob.listens(contestant));
  return new ThermoError('THERMO_USAGE', `none of the trackers has a "${knob.key}" that could be varied`, {
    hint: `these have one: ${able.map(({ name }) => name).join(', ')}`,
  });
}

interface Turned {
  readonly key: string;
  readonly choice: Choice;
}

/** The cross product; one empty combination of nothing. */
function combinations(variations: readonly Variation[]): (readonly Turned[])[] {
  return variations.reduce<(readonly Turned[])[]>(
    (all, { knob, choices }) =>
      all.flatMap((turned) => choices.map((choice) => [...turned, { key: knob.key, choice }])),
    [[]],
  );
}

function taskOf(
  contestant: Contestant,
  turned: readonly Turned[],
  options: SweepOptions,
): Omit<CompareTask, 'seed'> {
  const {
    settings,
    edits = [],
    machine,
    workload,
    ...own
  } = merge(turned.map(({ choice }) => choice.change));
  const schemes = edits.length === 0 ? undefined : editedSchemes(contestant, edits, turned, options);
  const all = { ...settings, ...(schemes === undefined ? {} : { schemes }) };
  const changed = applySettings(contestant, all);
  // A mistake is told before anything runs.
  if (changed.kind === 'monitor') validateAttrs(changed.attrs);
  return {
    ...options.base,
    ...own,
    machine: machineOf(options.base.machine, machine, workload),
    tracker: contestant.name,
    ...(Object.keys(all).length === 0 ? {} : { settings: all }),
  };
}

/** A preset by its name keeps the workload that was asked for. */
function machineOf(base: MachineSpec, machine?: string, workload?: string): MachineSpec {
  const on = workload ?? base.workload;
  return {
    ...(machine === undefined ? base : { machine }),
    ...(on === undefined ? {} : { workload: on }),
  };
}

/** All at once; no two keys change the same. */
function merge(changes: readonly Change[]): Change {
  const edits = changes.flatMap((change) => change.edits ?? []);
  const settings = changes.flatMap((change) => change.settings ?? []);
  const attrs = settings.flatMap((each) => each.attrs ?? []);
  return {
    ...Object.assign({}, ...changes),
    ...(edits.length === 0 ? {} : { edits }),
    ...(settings.length === 0
      ? {}
      : {
          settings: {
            ...Object.assign({}, ...settings),
            ...(attrs.length === 0 ? {} : { attrs: Object.assign({}, ...attrs) }),
          },
        }),
  };
}

function schemesFor(contestant: Contestant, { base }: SweepOptions) {
  return schemesOf(contestant, base.schemes);
}

/** Read back, so that a value which the schema refuses is refused in the schema's words. */
function editedSchemes(
  contestant: Contestant,
  edits: readonly SchemeEdit[],
  turned: readonly Turned[],
  options: SweepOptions,
): string {
  const { text, file, intervals } = schemesFor(contestant, options);
  const edited = editSchemes(text, file, edits, intervals);
  const said = turned.filter(({ choice }) => choice.change.edits !== undefined);
  loadSchemes(
    edited,
    `--vary ${said.map(({ key, choice }) => `${key}=${choice.text}`).join(' ')}`,
    intervals,
  );
  return edited;
}

function idOf(task: CompareTask, { version, traceDigest }: SweepOptions): string {
  const { trace, schemes, ...rest } = task;
  const identity = {
    version,
    ...rest,
    // Names of files say nothing about what is in them.
    ...(schemes === undefined ? {} : { schemes: schemes.text }),
    ...(trace === undefined ? {} : { trace: { ...trace, path: traceDigest } }),
  };
  return createHash('sha256').update(canonical(identity)).digest('hex').slice(0, 24);
}

/** JSON with the keys of all maps in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
