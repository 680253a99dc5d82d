/**
 * The words of the scheme language, once: actions, goal metrics, tuners and filters, each with what the
 * rest of the program has to know of it. Schema, sentences, compiler, executor and explanations all
 * read them from here. Names are DAMOS's where DAMOS has the thing.
 */

import type { Action, GaugeKind, PageProperty } from '../memory/action.ts';

interface ActionFacts {
  /** Which memory comes first: that of the highest or of the lowest rate; none: no order. */
  readonly order: 'hot' | 'cold' | 'none';
  /** What it does to memory: the place changes, pages leave or enter memory, their rank does, nothing. */
  readonly effect: 'migrates' | 'evicts' | 'fetches' | 'hints' | 'counts';
  /** In a sentence: "moves", "pages out". */
  readonly verb: string;
}

/** Reference section 3.3, in the kernel's order; the scores of 3.3 give the order. */
export const ACTIONS = {
  willneed: { order: 'none', effect: 'fetches', verb: 'brings back' },
  cold: { order: 'cold', effect: 'hints', verb: 'marks as not needed soon' },
  pageout: { order: 'cold', effect: 'evicts', verb: 'pages out' },
  hugepage: { order: 'hot', effect: 'hints', verb: 'asks for huge pages in' },
  nohugepage: { order: 'cold', effect: 'hints', verb: 'refuses huge pages in' },
  collapse: { order: 'hot', effect: 'hints', verb: 'collapses into huge pages' },
  lru_prio: { order: 'hot', effect: 'hints', verb: 'puts first on the LRU lists' },
  lru_deprio: { order: 'cold', effect: 'hints', verb: 'puts last on the LRU lists' },
  migrate_hot: { order: 'hot', effect: 'migrates', verb: 'moves' },
  migrate_cold: { order: 'cold', effect: 'migrates', verb: 'moves' },
  stat: { order: 'hot', effect: 'counts', verb: 'counts' },
} as const satisfies Record<Action, ActionFacts>;

interface MetricFacts {
  /** Unit of target and current value: 1/10000, microseconds per window, bytes per second, none. */
  readonly unit: 'bp' | 'us' | 'bytes/s' | 'number';
  /** What it is measured of: a node or tier, a node and a memory cgroup, the whole machine. */
  readonly of: 'node' | 'memcg' | 'machine';
  /** What the machine must be able to tell for it, besides used and free memory. */
  readonly needs: GaugeKind | 'nothing';
  /** +1: acting more raises it; -1: acting more lowers it. */
  readonly sign: 1 | -1;
  /** state: what was moved stays in the metric; flow: it is about one quota window. */
  readonly kind: 'state' | 'flow';
  /** False: ours, unknown to DAMON. */
  readonly isKernel: boolean;
  readonly description: string;
}

/** Reference section 4.6, and ours. */
export const METRICS = {
  user_input: {
    unit: 'number',
    of: 'machine',
    needs: 'nothing',
    sign: 1,
    kind: 'flow',
    isKernel: true,
    description: 'a number that the user feeds',
  },
  some_mem_psi_us: {
    unit: 'us',
    of: 'machine',
    needs: 'pressure',
    sign: 1,
    kind: 'flow',
    isKernel: true,
    description: 'growth of the memory pressure stall time since the last evaluation',
  },
  node_mem_used_bp: {
    unit: 'bp',
    of: 'node',
    needs: 'nothing',
    sign: 1,
    kind: 'state',
    isKernel: true,
    description: 'used share of a node or tier',
  },
  node_mem_free_bp: {
    unit: 'bp',
    of: 'node',
    needs: 'nothing',
    sign: 1,
    kind: 'state',
    isKernel: true,
    description: 'free share of a node or tier',
  },
  node_memcg_used_bp: {
    unit: 'bp',
    of: 'memcg',
    needs: 'memcg',
    sign: 1,
    kind: 'state',
    isKernel: true,
    description: 'share of a node that a memory cgroup uses',
  },
  node_memcg_free_bp: {
    unit: 'bp',
    of: 'memcg',
    needs: 'memcg',
    sign: 1,
    kind: 'state',
    isKernel: true,
    description: 'share of a node that a memory cgroup does not use',
  },
  active_mem_bp: {
    unit: 'bp',
    of: 'machine',
    needs: 'lru',
    sign: 1,
    kind: 'state',
    isKernel: true,
    description: 'active share of the memory on LRU lists',
  },
  inactive_mem_bp: {
    unit: 'bp',
    of: 'machine',
    needs: 'lru',
    sign: 1,
    kind: 'state',
    isKernel: true,
    description: 'inactive share of the memory on LRU lists',
  },
  node_eligible_mem_bp: {
    unit: 'bp',
    of: 'node',
    needs: 'nothing',
    sign: 1,
    kind: 'state',
    isKernel: true,
    description: 'share of the memory that matches the pattern which lies on a node or tier',
  },
  fast_access_bp: {
    unit: 'bp',
    of: 'machine',
    needs: 'accesses',
    sign: 1,
    kind: 'state',
    isKernel: false,
    description: 'share of the accesses that the fast tier serves',
  },
  slowdown_bp: {
    unit: 'bp',
    of: 'machine',
    needs: 'access_time',
    sign: -1,
    kind: 'state',
    isKernel: false,
    description: 'time that accesses take beyond what they would if all were fast, as a share of that',
  },
  fast_latency_bp: {
    unit: 'bp',
    of: 'machine',
    needs: 'latency',
    sign: 1,
    kind: 'state',
    isKernel: false,
    description:
      'time of an access to the fast tier under its present load, as a share of that to the slower one',
  },
  slow_latency_bp: {
    unit: 'bp',
    of: 'machine',
    needs: 'latency',
    sign: 1,
    kind: 'state',
    isKernel: false,
    description: 'the other way round: the slower tier as a share of the fast one',
  },
  migration_bytes_per_s: {
    unit: 'bytes/s',
    of: 'machine',
    needs: 'nothing',
    sign: 1,
    kind: 'flow',
    isKernel: false,
    description: 'bytes that schemes migrate per second',
  },
  cpu_bp: {
    unit: 'bp',
    of: 'machine',
    needs: 'nothing',
    sign: 1,
    kind: 'flow',
    isKernel: false,
    description: 'share of one CPU that monitoring and schemes take',
  },
} as const satisfies Record<string, MetricFacts>;

export type GoalMetric = keyof typeof METRICS;

/** How a quota follows its goals: our own first, then the kernel's. */
export const TUNERS = {
  settle: 'learns how much a byte moves the metric, and asks for the bytes that are missing',
  consist: "DAMON's: looks for a steady quota by doubling and shrinking",
  temporal: "DAMON's: everything until the goal is met, then nothing",
} as const;

export type GoalTuner = keyof typeof TUNERS;

interface FilterFacts {
  /** core: decided for whole ranges before anything is tried; page: asked of the machine page by page. */
  readonly level: 'core' | 'page';
  readonly parameter: 'none' | 'path' | 'sizes' | 'addresses' | 'target' | 'place' | 'share';
  readonly isKernel: boolean;
  readonly description: string;
}

/** Reference section 4.8, and ours. */
export const FILTERS = {
  addr: { level: 'core', parameter: 'addresses', isKernel: true, description: 'memory of an address range' },
  target: {
    level: 'core',
    parameter: 'target',
    isKernel: true,
    description: 'memory of a target by its index',
  },
  accessing_node: {
    level: 'core',
    parameter: 'place',
    isKernel: false,
    description: 'memory that the CPUs of a node access most',
  },
  store_share: {
    level: 'core',
    parameter: 'share',
    isKernel: false,
    description: 'memory of whose accesses a share within bounds are stores',
  },
  anon: { level: 'page', parameter: 'none', isKernel: true, description: 'anonymous pages' },
  active: { level: 'page', parameter: 'none', isKernel: true, description: 'pages on an active LRU list' },
  memcg: { level: 'page', parameter: 'path', isKernel: true, description: 'pages of a memory cgroup' },
  young: {
    level: 'page',
    parameter: 'none',
    isKernel: true,
    description: 'pages accessed since the last look; looking makes them old',
  },
  hugepage_size: {
    level: 'page',
    parameter: 'sizes',
    isKernel: true,
    description: 'pages that are part of a huge page of a size within bounds',
  },
  unmapped: { level: 'page', parameter: 'none', isKernel: true, description: 'pages that no process maps' },
  node: { level: 'page', parameter: 'place', isKernel: false, description: 'pages on a node' },
  tier: { level: 'page', parameter: 'place', isKernel: false, description: 'pages on a tier' },
} as const satisfies Record<string, FilterFacts>;

export type FilterType = keyof typeof FILTERS;
/** True for the filters that a machine must be able to answer. */
export function isPageProperty(type: FilterType): type is FilterType & PageProperty {
  return FILTERS[type].level === 'page' && FILTERS[type].parameter !== 'place';
}

/** The keys of one of the tables above, as their own type. */
export function wordsOf<T extends object>(table: T): readonly (keyof T & string)[] {
  // Object.keys of a constant table gives exactly its keys.
  return Object.keys(table) as (keyof T & string)[];
}
