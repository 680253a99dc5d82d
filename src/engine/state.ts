/**
 * What the engine shows of itself: one immer state, changed once per aggregation interval by named
 * recipes. Every change is a list of patches; dashboard, recorder and undo follow that one stream.
 * Regions and samples are not in here, only the reference to the latest {@link RegionSnapshot}.
 */
import { enablePatches, type Patch, produceWithPatches, setAutoFreeze } from 'immer';
import type { MonitorAttrs } from '../monitor/monitor.ts';
import type { EvidenceQuality } from '../monitor/quality.ts';
import type { RegionSnapshot } from './snapshot.ts';

enablePatches();
setAutoFreeze(true);

export interface SchemeState {
  readonly name: string;
  readonly action: string;
  readonly nrTried: number;
  readonly szTried: number;
  readonly szApplied: number;
  readonly szFailed: number;
  readonly nrQuotaExceeded: number;
  readonly chargedBytes: number;
}

export interface EngineState {
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

/** Immer drafts are writable all the way down, but for the snapshot. */
export type Mutable<T> = T extends RegionSnapshot
  ? T
  : T extends readonly (infer U)[]
    ? Mutable<U>[]
    : T extends object
      ? { -readonly [K in keyof T]: Mutable<T[K]> }
      : T;
