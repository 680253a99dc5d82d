/**
 * Accessed-bit checks that somebody else planned, by area: how many of the random pages of an area that
 * were looked at had been accessed within a sampling interval.
 *
 * The kernel's DAMON counts so. It answers no question about a page of ours, so its counts go to the
 * monitor as the trials and hits that they are. To let it answer planned checks by chance (hit with the
 * area's share) would feed the same few looks in again and again as if they were new evidence.
 */
export interface AreaChecks {
  /** Number of valid areas. */
  count: number;
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** Pages looked at, each at random within the area, and those of them that had been accessed. */
  readonly trials: Float64Array;
  readonly hits: Float64Array;
  /** Areas that were lost since the batch before (ring full). */
  dropped: number;
}

export function createAreaChecks(capacity: number): AreaChecks {
  return {
    count: 0,
    start: new Float64Array(capacity),
    end: new Float64Array(capacity),
    trials: new Float64Array(capacity),
    hits: new Float64Array(capacity),
    dropped: 0,
  };
}

export function clearAreaChecks(batch: AreaChecks): void {
  batch.count = 0;
  batch.dropped = 0;
}

/** Appends one area, or counts it as dropped when the batch is full. */
export function addArea(batch: AreaChecks, start: number, end: number, trials: number, hits: number): void {
  const i = batch.count;
  if (i === batch.start.length) {
    batch.dropped++;
    return;
  }
  batch.start[i] = start;
  batch.end[i] = end;
  batch.trials[i] = trials;
  batch.hits[i] = hits;
  batch.count = i + 1;
}
