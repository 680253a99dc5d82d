/** What a scheme has done so far. */
import type { Failure } from '../memory/action.ts';

/** Counted after filters, in bytes unless the name begins with nr (reference section 4.10). */
export interface SchemeStats {
  nrTried: number;
  szTried: number;
  /** Parts and bytes on which the action took effect. */
  nrApplied: number;
  szApplied: number;
  szFailed: number;
  /** szFailed by reason. */
  readonly szFailedBy: Record<Failure, number>;
  /** Migrated, but not to where it should. */
  szElsewhere: number;
  /** Made way in exchange for what was promoted. */
  szExchanged: number;
  /** Left where it was, as no exchange was worth it; of the last round. */
  szNotWorth: number;
  /** Left out by filters. */
  szFilteredOut: number;
  /** Windows with more to do than the quota allowed. */
  nrQuotaExceeded: number;
  nrSnapshots: number;
  /** Of regions and spots that matched the pattern in the last round. */
  szMatched: number;
  /** Time of one CPU that acting took. */
  cpuUs: number;
}

export function newStats(): SchemeStats {
  return {
    nrTried: 0,
    szTried: 0,
    nrApplied: 0,
    szApplied: 0,
    szFailed: 0,
    szFailedBy: { destination_full: 0, not_mapped: 0, busy: 0 },
    szElsewhere: 0,
    szExchanged: 0,
    szNotWorth: 0,
    szFilteredOut: 0,
    nrQuotaExceeded: 0,
    nrSnapshots: 0,
    szMatched: 0,
    cpuUs: 0,
  };
}
