/**
 * What can be done to memory and asked about it: the words that machines and schemes share. Actions are
 * DAMOS's (reference section 3.3), page properties those of its page-level filters (section 4.8).
 */

export type Action =
  | 'willneed'
  | 'cold'
  | 'pageout'
  | 'hugepage'
  | 'nohugepage'
  | 'collapse'
  | 'lru_prio'
  | 'lru_deprio'
  | 'migrate_hot'
  | 'migrate_cold'
  | 'stat';

/**
 * What became of memory that was acted on. `already_there`: nothing was to do, neither success nor
 * failure. `elsewhere`: migrated, but not to the node asked for (kernels before 7.3 fall back). The
 * rest failed: no room at the target; nothing mapped there, or paged out; in use by somebody who would
 * have to be waited for.
 */
export type ActionOutcome =
  | 'applied'
  | 'already_there'
  | 'elsewhere'
  | 'destination_full'
  | 'not_mapped'
  | 'busy';

/** Outcomes that count as failures, in the order in which they are reported. */
export const FAILURES = [
  'destination_full',
  'not_mapped',
  'busy',
] as const satisfies readonly ActionOutcome[];
export type Failure = (typeof FAILURES)[number];

/** Memory to act on; `[start, end)` is page-aligned. */
export interface ActionRequest {
  readonly action: Exclude<Action, 'stat'>;
  readonly start: number;
  readonly end: number;
  /** Of a migration; -1 for other actions. */
  readonly targetNid: number;
  /** Returned with the result. */
  readonly tag: number;
}

/** Placement of memory that was paged out and has not come back. */
export const PAGED_OUT = 65534;

/** What a machine may know about a single page. */
export type PageProperty = 'anon' | 'active' | 'memcg' | 'young' | 'hugepage_size' | 'unmapped';

export interface PageQuery {
  readonly property: PageProperty;
  /** memcg: the cgroup. */
  readonly path?: string;
  /** hugepage_size: bytes, both ends in. */
  readonly min?: number;
  readonly max?: number;
}

/** Numbers of a whole machine that goals and watermarks are about; those it cannot tell are NaN. */
export interface SystemGauge {
  /** Time since the start in which at least one thread waited for memory, us (PSI "some"). */
  readonly someMemPsiUs: number;
  /** Bytes on active and inactive LRU lists. */
  readonly activeBytes: number;
  readonly inactiveBytes: number;
  /** Accesses that missed the caches since the start, and those that the fast tier served. */
  readonly accesses: number;
  readonly fastAccesses: number;
  /** Time that accesses took since the start, and would have taken if all had been fast, s. */
  readonly accessS: number;
  readonly allFastS: number;
  /** Time of an access to the fast tier and to the nearest slower one at the present load, ns. */
  readonly fastNs: number;
  readonly slowNs: number;
}

/** Groups of {@link SystemGauge} values, and bytes by memory cgroup, that a machine can tell. */
export type GaugeKind = 'pressure' | 'lru' | 'accesses' | 'access_time' | 'latency' | 'memcg';

export interface NodeGauge {
  readonly nid: number;
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** Of these, what the system keeps for itself: promotions leave it alone. */
  readonly reserveBytes: number;
}
