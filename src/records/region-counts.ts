/** What was read of a record of regions, and what could not be. */

export interface RegionCounts {
  lines: number;
  records: number;
  snapshots: number;
  regions: number;
  /** Lines or parts that are nothing of the format. */
  unreadable: number;
  /** Number of the first such line, 0 if none or where there are no lines. */
  firstUnreadableLine: number;
  /** Regions beyond 2^53, which are left out. */
  addressesTooLarge: number;
  /** Regions that damo made up, which are left out. */
  artificial: number;
}

export function emptyRegionCounts(): RegionCounts {
  return {
    lines: 0,
    records: 0,
    snapshots: 0,
    regions: 0,
    unreadable: 0,
    firstUnreadableLine: 0,
    addressesTooLarge: 0,
    artificial: 0,
  };
}

export function noteUnreadableRegion(counts: RegionCounts): void {
  counts.unreadable++;
  if (counts.firstUnreadableLine === 0) counts.firstUnreadableLine = counts.lines;
}
