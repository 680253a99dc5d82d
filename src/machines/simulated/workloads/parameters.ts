/** What can be set of a named workload, and what all of them share. */
import { PAGE_SIZE, roundDown } from '../../../memory/range.ts';
import type { Room } from '../hardware.ts';
import type { Area, Workload, WorkThread } from '../workload.ts';

export type Distribution = 'hashed' | 'latest';
export const DISTRIBUTIONS: readonly Distribution[] = ['hashed', 'latest'];

export interface Parameters {
  readonly sizeBytes: number;
  /** Modelled time if all memory were fast, s. */
  readonly lastsS: number;
  readonly threads: number;
  readonly loadShare: number;
  /** Share of the memory that is hot, and of the accesses that go there. */
  readonly hotShare: number;
  readonly hotAccesses: number;
  /** Popularity 1/rank^exponent. */
  readonly exponent: number;
  readonly objectBytes: number;
  readonly distribution: Distribution;
  readonly insertBytesPerS: number;
  readonly fanout: number;
  /** Share of the memory that is exchanged between hot and cold each minute. */
  readonly churnShare: number;
  /** Share of the fast node's bandwidth that others take. */
  readonly intensity: number;
  readonly iterations: number;
}

export type ParameterName = keyof Parameters;

/** What a parameter is where neither the user nor the workload says otherwise. */
const COMMON: Omit<Parameters, 'sizeBytes'> = {
  lastsS: 300,
  threads: 16,
  loadShare: 0.7,
  hotShare: 1 / 8,
  hotAccesses: 0.9,
  exponent: 0.99,
  objectBytes: 1024,
  distribution: 'hashed',
  insertBytesPerS: 64 * 2 ** 20,
  fanout: 16,
  churnShare: 0,
  intensity: 0.9,
  iterations: 10,
};

/** Parameters that every workload has. */
export const COMMON_NAMES: readonly ParameterName[] = ['sizeBytes', 'lastsS', 'threads', 'loadShare'];

/** Share of the slow memory that a workload fills, beside all of the fast. */
const SLOW_SHARE = 0.4;

/** Smallest workload: areas of less than a few pages would not be uniform. */
export const LEAST_BYTES = 256 * 2 ** 20;

export interface WorkloadModel {
  /** For a list of workloads. */
  readonly summary: string;
  /** What can be set beside {@link COMMON_NAMES}. */
  readonly takes: readonly ParameterName[];
  readonly defaults?: Partial<Parameters>;
  /** True: its point is bandwidth, so that the machine follows load whatever else it does. */
  readonly followsLoad?: boolean;
  build(parameters: Parameters, room: Room): Workload;
}

/** Of a machine without slow memory the rest is left to its watermarks. */
const ONLY_SHARE = 0.9;

/** All of the fast memory and 40 % of the slow, so that the fast tier never holds everything. */
export function defaultSizeBytes({ fastBytes, slowBytes }: Room): number {
  if (slowBytes === 0) return roundDown(ONLY_SHARE * fastBytes, 2 ** 21);
  return roundDown(fastBytes + SLOW_SHARE * slowBytes, 2 ** 21);
}

export function completed(model: WorkloadModel, given: Partial<Parameters>, room: Room): Parameters {
  return { sizeBytes: defaultSizeBytes(room), ...COMMON, ...model.defaults, ...given };
}

/** A part of the memory in whole pages. */
export function pagesOf(bytes: number): number {
  return Math.max(PAGE_SIZE, roundDown(bytes, PAGE_SIZE));
}

export interface WorkerOptions {
  readonly name: string;
  /** Phases of equal numbers of accesses. */
  readonly steps?: number;
  readonly inFlight?: number;
  readonly computeNs?: number;
  readonly threads?: number;
  readonly areas: (step: number) => readonly Area[];
}

/**
 * Closed threads in step that end after a fixed number of accesses: as many as take `lastsS` if all
 * memory is fast.
 */
export function workers(parameters: Parameters, room: Room, options: WorkerOptions): WorkThread {
  const { steps = 1, inFlight = 1, computeNs = 0, threads = parameters.threads, areas } = options;
  const nsPerAccess = room.fastNs / inFlight + computeNs;
  const accesses = (parameters.lastsS * 1e9 * threads) / nsPerAccess / steps;
  return {
    name: options.name,
    nid: room.fastNid,
    loadShare: parameters.loadShare,
    pace: { kind: 'closed' },
    count: threads,
    inFlight,
    computeNs,
    phaseCount: steps,
    phase: (step) => ({ accesses, areas: areas(step) }),
  };
}

/** The areas, as shares of what they sum up to; those without accesses are left out. */
export function normalised(areas: readonly Area[]): readonly Area[] {
  const used = areas.filter(({ start, end, share }) => end > start && share > 0);
  const sum = used.reduce((total, { share }) => total + share, 0);
  return used.map((area) => ({ ...area, share: area.share / sum }));
}

/** Parts of one area with the same rate everywhere: what is left of it without the holes, which are sorted. */
export function around(
  start: number,
  end: number,
  holes: readonly { readonly start: number; readonly end: number }[],
  share: number,
): Area[] {
  const parts: [number, number][] = [];
  let at = start;
  for (const hole of [...holes, { start: end, end }]) {
    if (hole.start > at) parts.push([at, hole.start]);
    at = Math.max(at, hole.end);
  }
  const bytes = parts.reduce((sum, [from, to]) => sum + to - from, 0);
  return parts.map(([from, to]) => ({ start: from, end: to, share: (share * (to - from)) / bytes }));
}

/** A workload of one piece of memory that ends with its threads. */
export function closedWorkload(name: string, sizeBytes: number, threads: readonly WorkThread[]): Workload {
  return { name, ranges: [{ start: 0, end: sizeBytes }], threads, durationUs: Number.POSITIVE_INFINITY };
}
