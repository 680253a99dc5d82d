/**
 * A scheme as the executor runs it: units resolved, open ends as 0 and Infinity.
 *
 * Access frequency is a rate (accesses per page per second) and age a time, so that a change of the
 * monitoring intervals never changes what a scheme means.
 */
import type { TextPosition } from '../memory/error.ts';
import type { LongScheme } from './schema.ts';

export type SchemeAction = LongScheme['action'];

export interface Bound {
  readonly value: number;
  /** True: the value itself is outside. */
  readonly isOpen: boolean;
}

export interface SchemePattern {
  readonly minSzBytes: Bound;
  readonly maxSzBytes: Bound;
  readonly minRatePerS: Bound;
  readonly maxRatePerS: Bound;
  /** "0 samples" as the maximum: only regions in which no access was seen at all. */
  readonly mustBeIdle: boolean;
  readonly minAgeUs: Bound;
  readonly maxAgeUs: Bound;
}

export interface SchemeQuota {
  /** Bytes tried per window; Infinity for no limit. */
  readonly szBytes: number;
  readonly resetIntervalUs: number;
  /** Regions per round; Infinity for no limit. */
  readonly top: number;
  readonly weights: { readonly sz: number; readonly nrAccesses: number; readonly age: number };
}

export interface Scheme {
  readonly name: string;
  readonly action: SchemeAction;
  readonly pattern: SchemePattern;
  /** Tier or node to move to; undefined for stat. */
  readonly target: string | undefined;
  readonly from: string | undefined;
  /** 0: each aggregation interval. */
  readonly applyIntervalUs: number;
  readonly quota: SchemeQuota;
  /** For errors that only a machine can find. */
  readonly where: {
    readonly scheme: TextPosition;
    readonly action: TextPosition;
    readonly target: TextPosition;
    readonly from: TextPosition;
  };
  /** The long form it came from, for `explain`. */
  readonly longForm: LongScheme;
}

/** True if `value` lies within both bounds. */
export function isWithin(value: number, min: Bound, max: Bound): boolean {
  const aboveMin = min.isOpen ? value > min.value : value >= min.value;
  const belowMax = max.isOpen ? value < max.value : value <= max.value;
  return aboveMin && belowMax;
}
