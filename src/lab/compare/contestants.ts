/**
 * Who takes part in a comparison: baselines, the per-page systems, and monitors with schemes. One scheme
 * file for all workloads; no setting depends on the machine.
 */
import { ThermoError } from '../../memory/error.ts';
import { suggest } from '../../memory/nearest-word.ts';
import type { RandomStream } from '../../memory/random.ts';
import { createMonitor } from '../../monitor/create-monitor.ts';
import { GridMonitor } from '../../monitor/grid-monitor.ts';
import { DEFAULT_INTERVALS_GOAL } from '../../monitor/interval-tuner.ts';
import { DEFAULT_ATTRS, type Monitor, type MonitorAttrs } from '../../monitor/monitor.ts';
import { TRACKERS, type TrackerEntry } from '../../trackers/registry.ts';

/**
 * What the monitors run, unless a file is given: whatever is used goes up, hottest first, as long as
 * something idle can go down. A higher threshold leaves warm memory on CXL although DRAM holds idle memory.
 */
export const DEFAULT_SCHEMES = `version: 1
schemes:
  - promote hot>1/s to DRAM quota 2G/s exchange 2x
  - demote cold>10s from DRAM to CXL quota 2G/s goal DRAM free 0.2%
`;

/**
 * The kernel's sample of self-tuned tiering (mtier.c, reference tiering-systems section 6.1): 200 MiB per
 * second, weights 0/100/100, intervals tuned to 4 %. Differences: one context over all memory instead of
 * one per node, as addresses here are those of the workload; the scheme's source node takes its place.
 */
export const MTIER_SCHEMES = `version: 1
schemes:
  - name: promote
    action: migrate_hot
    from: CXL
    target: DRAM
    access_pattern: {nr_accesses: {min: 1 samples}}
    apply_interval_us: 1s
    quotas:
      sz_bytes: 200 MiB
      reset_interval_ms: 1s
      prioritize: damon
      weights: {sz_permil: 0, nr_accesses_permil: 100, age_permil: 100}
      goals: [{metric: node_mem_used_bp, target: DRAM, target_value: 9970}]
      goal_tuner: consist
    filters: [{filter_type: young, matching: true, allow: true}]
  - name: demote
    action: migrate_cold
    from: DRAM
    target: CXL
    access_pattern: {nr_accesses: {max: 0 samples}}
    apply_interval_us: 1s
    quotas:
      sz_bytes: 200 MiB
      reset_interval_ms: 1s
      prioritize: damon
      weights: {sz_permil: 0, nr_accesses_permil: 100, age_permil: 100}
      goals: [{metric: node_mem_free_bp, target: DRAM, target_value: 50}]
      goal_tuner: consist
    filters: [{filter_type: young, matching: true, allow: false}]
`;

export type Contestant = { readonly name: string; readonly what: string } & (
  | { readonly kind: 'baseline'; readonly placement: 'as it is' | 'all fast' | 'all slow' }
  | { readonly kind: 'oracle' }
  | ({ readonly kind: 'tracker' } & Pick<TrackerEntry, 'create' | 'samples' | 'footprint'>)
  | {
      readonly kind: 'monitor';
      /** Which of the settings that not every monitor has make a difference to it. */
      readonly has: { readonly regions: boolean; readonly rates: boolean; readonly weights: boolean };
      readonly create: (attrs: MonitorAttrs, random: RandomStream) => Monitor;
      /** False: it takes no samples. */
      readonly usesSamples: boolean;
      readonly attrs: MonitorAttrs;
      readonly overheadShare: number | undefined;
      /** Text of a scheme file; undefined: that of the comparison. */
      readonly schemes: string | undefined;
    }
);

/** Of 1, 2, 5 and 10 s the best for the sweeps and for hot areas that change every minute. */
const GRID_HALF_LIFE_S = 1;

const BASELINES: readonly Contestant[] = [
  { name: 'all-fast', what: 'everything in the fast tier', kind: 'baseline', placement: 'all fast' },
  { name: 'all-slow', what: 'everything in the slow tier', kind: 'baseline', placement: 'all slow' },
  { name: 'static', what: 'nothing is moved but by kswapd', kind: 'baseline', placement: 'as it is' },
  { name: 'oracle', what: 'clairvoyant, limited by the migration bandwidth', kind: 'oracle' },
];

const MONITORS: readonly Contestant[] = [
  {
    name: 'damon-tiering',
    what: "the faithful DAMON monitor with the kernel's sample of self-tuned tiering",
    kind: 'monitor',
    create: (attrs, random) => createMonitor('damon', attrs, random),
    usesSamples: false,
    attrs: { ...DEFAULT_ATTRS, intervalsGoal: DEFAULT_INTERVALS_GOAL },
    overheadShare: undefined,
    has: { regions: true, rates: false, weights: false },
    schemes: MTIER_SCHEMES,
  },
  {
    name: 'evidence',
    what: 'evidence regions, push and pull fused',
    kind: 'monitor',
    create: (attrs, random) => createMonitor('evidence', attrs, random),
    usesSamples: true,
    attrs: DEFAULT_ATTRS,
    overheadShare: 0.01,
    has: { regions: true, rates: true, weights: true },
    schemes: undefined,
  },
  {
    name: 'grid',
    what: 'a fixed grid of counters in as many bytes as the evidence regions, at its best half-life',
    kind: 'monitor',
    create: (attrs, random) => new GridMonitor(attrs, random, { halfLifeS: GRID_HALF_LIFE_S }),
    usesSamples: true,
    // Five times longer than the others': a cell sees too little in less.
    attrs: { ...DEFAULT_ATTRS, aggrUs: 500_000 },
    has: { regions: false, rates: true, weights: false },
    overheadShare: undefined,
    schemes: undefined,
  },
];

/** All that can be named, baselines first. */
export function contestants(): readonly Contestant[] {
  const trackers = Object.entries(TRACKERS).map(
    ([name, { is, ...entry }]): Contestant => ({ name, what: is, kind: 'tracker', ...entry }),
  );
  return [...BASELINES, ...trackers, ...MONITORS];
}

/** The scheme file that a contestant runs, if it runs any, and the intervals that hold in it. */
export function schemesOf(
  contestant: Contestant,
  given: { readonly text: string; readonly file: string } | undefined,
): { readonly text: string; readonly file: string; readonly intervals: MonitorAttrs } {
  const intervals = contestant.kind === 'monitor' ? contestant.attrs : DEFAULT_ATTRS;
  const own = contestant.kind === 'monitor' ? contestant.schemes : undefined;
  if (own !== undefined) return { text: own, file: contestant.name, intervals };
  return { ...(given ?? { text: DEFAULT_SCHEMES, file: 'built in' }), intervals };
}

/** @throws ThermoError THERMO_USAGE for names that nobody has */
export function chooseContestants(names: readonly string[] | undefined): readonly Contestant[] {
  const all = contestants();
  if (names === undefined) return all;
  return names.map((name) => {
    const found = all.find((each) => each.name === name);
    if (found !== undefined) return found;
    throw new ThermoError('THERMO_USAGE', `there is no tracker "${name}"`, {
      hint: suggest(
        name,
        all.map((each) => each.name),
        'trackers',
      ),
    });
  });
}
