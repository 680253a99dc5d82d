/**
 * What the engine shows of itself: one immer state, changed once per aggregation interval by named
 * recipes. Every change is a list of patches; dashboard, recorder and undo follow that one stream.
 * Regions and samples are not in here, only the reference to the latest {@link RegionSnapshot}.
 */
import { applyPatches, enablePatches, type Patch, produceWithPatches, setAutoFreeze } from 'immer';
import type { Failure } from '../memory/action.ts';
import type { MonitorAttrs } from '../monitor/monitor.ts';
import type { EvidenceQuality } from '../monitor/quality.ts';
import type { ResolvedScheme } from '../schemes/resolve.ts';
import type { SchemeStats } from '../schemes/scheme-stats.ts';
import type { RegionSnapshot } from './snapshot.ts';

enablePatches();
setAutoFreeze(true);

export interface SchemeState extends Readonly<Omit<SchemeStats, 'szFailedBy'>> {
  readonly name: string;
  readonly action: string;
  readonly szFailedBy: Readonly<Record<Failure, number>>;
  readonly chargedBytes: number;
  /** What the present window allows; null for no limit. */
  readonly effectiveBytes: number | null;
  /** False while its watermarks let it rest. */
  readonly isActive: boolean;
}

/** What a user may change while the engine runs. */
export interface Configuration {
  readonly schemes: readonly ResolvedScheme[];
  readonly attrs: MonitorAttrs;
}

export interface EngineState {
  /** As it was given; `attrs` below shows what tuning has made of it. */
  readonly configuration: Configuration;
  /** Those under which the snapshot was measured; tuned intervals show in the next one. */
  readonly attrs: MonitorAttrs;
  readonly monitor: string;
  readonly timeUs: number;
  readonly aggregations: number;
  readonly nrRegions: number;
  readonly pullChecks: number;
  readonly pushSamples: number;
  readonly droppedSamples: number;
  /** Share of one CPU that checks and samples cost in the last window of a second or more. */
  readonly monitoringCpuShare: number;
  /** How good the evidence behind the rates is; null for monitors that do not know. */
  readonly evidence: EvidenceQuality | null;
  /** True while every scheme rests by its watermarks: nothing is monitored. */
  readonly isResting: boolean;
  readonly schemes: readonly SchemeState[];
  /** By nid. */
  readonly freeBytes: readonly number[];
  readonly snapshot: RegionSnapshot | undefined;
}

export interface StateChange {
  readonly state: EngineState;
  /** The change without the snapshot, which travels as the object itself. */
  readonly patches: readonly Patch[];
  readonly inversePatches: readonly Patch[];
}

/** Runs a recipe on the state; the snapshot is left out of the patches. */
export function changeState(state: EngineState, recipe: (draft: Mutable<EngineState>) => void): StateChange {
  const [next, patches, inversePatches] = produceWithPatches(state, (draft) => {
    recipe(draft as Mutable<EngineState>);
  });
  const isPlain = (patch: Patch): boolean => patch.path[0] !== 'snapshot';
  return { state: next, patches: patches.filter(isPlain), inversePatches: inversePatches.filter(isPlain) };
}

/**
 * The configuration before a change, by the change's inverse patches: what an undo brings back. What was
 * counted and measured since stays.
 */
export function configurationBefore(state: EngineState, inversePatches: readonly Patch[]): Configuration {
  const patches = inversePatches.filter((patch) => patch.path[0] === 'configuration');
  return applyPatches(state, patches).configuration;
}

/** Immer drafts are writable all the way down, but for the snapshot. */
export type Mutable<T> = T extends RegionSnapshot
  ? T
  : T extends readonly (infer U)[]
    ? Mutable<U>[]
    : T extends object
      ? { -readonly [K in keyof T]: Mutable<T[K]> }
      : T;
