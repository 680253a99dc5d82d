/** What the DAMON of a kernel can be asked for, by version (reference damon-kernel section 8). */
import { ThermoError } from '../memory/error.ts';
import type { FilterType, GoalMetric } from '../schemes/vocabulary.ts';

/** Kernel versions as numbers that compare: 6.12 is 6012. */
const SINCE = {
  sysfs: [5, 18],
  filters: [6, 3],
  address_filters: [6, 6],
  apply_interval: [6, 7],
  goals: [6, 8],
  psi_goal: [6, 9],
  young_filter: [6, 10],
  migration: [6, 11],
  allow_filters: [6, 14],
  intervals_goal: [6, 15],
  filter_directories: [6, 15],
  page_kind_filters: [6, 15],
  node_goals: [6, 16],
  dests: [6, 17],
  virtual_migration: [6, 17],
  /** In 6.12 the first window has no quota, in 6.18 it has; between them it was not measured. */
  quota_of_first_window: [6, 18],
  memcg_goals: [6, 19],
  lru_goals: [7, 0],
  max_nr_snapshots: [7, 0],
  goal_tuner: [7, 1],
  eligible_goal: [7, 2],
  fail_charge: [7, 2],
  collapse: [7, 2],
} as const satisfies Record<string, readonly [number, number]>;

export type KernelFeature = keyof typeof SINCE;

export interface KernelVersion {
  readonly major: number;
  readonly minor: number;
}

/** The newest whose interface was read. */
export const NEWEST_KERNEL: KernelVersion = { major: 7, minor: 3 };

/** @throws ThermoError unless it begins with two numbers, as in "6.12" or "6.12.117+deb12-cloud-amd64" */
export function parseKernelVersion(text: string): KernelVersion {
  const match = /^v?(\d+)\.(\d+)/.exec(text.trim());
  if (match === null) {
    throw new ThermoError('THERMO_UNITS_BAD_VALUE', `"${text}" is not a kernel version`, {
      hint: 'expected for example 6.12 or 7.3',
    });
  }
  const version = { major: Number(match[1]), minor: Number(match[2]) };
  if (!hasFeature(version, 'sysfs')) {
    throw new ThermoError('THERMO_UNITS_BAD_VALUE', `Linux ${match[1]}.${match[2]} has no DAMON in sysfs`, {
      hint: 'expected 5.18 or newer; tiering needs 6.11, goals of a node 6.16',
    });
  }
  return version;
}

export function formatKernelVersion({ major, minor }: KernelVersion): string {
  return `${major}.${minor}`;
}

export function hasFeature({ major, minor }: KernelVersion, feature: KernelFeature): boolean {
  const [sinceMajor, sinceMinor] = SINCE[feature];
  return major > sinceMajor || (major === sinceMajor && minor >= sinceMinor);
}

/** "6.15": the first kernel that has it. */
export function sinceVersion(feature: KernelFeature): string {
  return SINCE[feature].join('.');
}

/** What a kernel needs for a filter; undefined: it is none of DAMON's. */
export function featureOfFilter(type: FilterType): KernelFeature | undefined {
  switch (type) {
    case 'anon':
    case 'memcg':
      return 'filters';
    case 'addr':
    case 'target':
      return 'address_filters';
    case 'young':
      return 'young_filter';
    case 'active':
    case 'hugepage_size':
    case 'unmapped':
      return 'page_kind_filters';
    default:
      return undefined;
  }
}

/** What a kernel needs for a goal; undefined: it is none of DAMON's. */
export function featureOfMetric(metric: GoalMetric): KernelFeature | undefined {
  switch (metric) {
    case 'user_input':
      return 'goals';
    case 'some_mem_psi_us':
      return 'psi_goal';
    case 'node_mem_used_bp':
    case 'node_mem_free_bp':
      return 'node_goals';
    case 'node_memcg_used_bp':
    case 'node_memcg_free_bp':
      return 'memcg_goals';
    case 'active_mem_bp':
    case 'inactive_mem_bp':
      return 'lru_goals';
    case 'node_eligible_mem_bp':
      return 'eligible_goal';
    default:
      return undefined;
  }
}
