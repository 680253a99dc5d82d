/**
 * How kscand adapts to what it finds (mm/kscand.c kscand_update_mmslot_info; reference tiering-systems
 * section 4): X accessed pages of slow memory in the last scan of a process, Y in this one, decayed.
 *
 *   X = 0, Y = 0   period x 1.15, size / 2
 *   X = 0, Y > 0   period / 8,    size = maximum
 *   X > 0, Y = 0   period x 8,    size as it is
 *   X > 0, Y > 0   period x 0.85, size x 2
 */

const MIB = 2 ** 20;

export interface ScanPace {
  readonly periodMs: number;
  readonly sizeBytes: number;
  /** X of the next scan. */
  readonly found: number;
}

export const KSCAND_START: ScanPace = { periodMs: 2_000, sizeBytes: 1024 * MIB, found: 0 };

/** KSCAND_SCAN_PERIOD_MIN and _MAX, KSCAND_SCAN_SIZE_MIN and _MAX. */
const PERIOD_MS = { min: 600, max: 5_000 };
const SIZE_BYTES = { min: 256 * MIB, max: 4096 * MIB };
/** KSCAND_IGNORE_SCAN_THR. */
const IGNORED = 256;
/** 1 << SCAN_DECAY_SHIFT. */
const DECAY = 16;

/** @param found accessed pages of slow memory in the scan that has ended */
export function adaptedPace(pace: ScanPace, found: number): ScanPace {
  const decayed = Math.floor(pace.found / DECAY) + found;
  const now = decayed < IGNORED ? 0 : decayed;
  let { periodMs, sizeBytes } = pace;
  if (pace.found === 0 && now === 0) {
    periodMs = Math.floor((periodMs * 115) / 100);
    sizeBytes /= 2;
  } else if (pace.found > 0 && now > 0) {
    periodMs = Math.floor((periodMs * 85) / 100);
    sizeBytes *= 2;
  } else if (pace.found > 0) periodMs *= 8;
  else {
    periodMs = Math.floor(periodMs / 8);
    sizeBytes = SIZE_BYTES.max;
  }
  return {
    periodMs: Math.min(PERIOD_MS.max, Math.max(PERIOD_MS.min, periodMs)),
    sizeBytes: Math.min(SIZE_BYTES.max, Math.max(SIZE_BYTES.min, sizeBytes)),
    found: now,
  };
}
