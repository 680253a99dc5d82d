/** Tags of requests carry their runner and quota window, as results come back in later windows. */

const SEQUENCES = 2 ** 24;

export function writeTag(id: number, sequence: number): number {
  return id * SEQUENCES + (sequence % SEQUENCES);
}

/** The inverse of {@link writeTag}. */
export function readTag(tag: number): { readonly id: number; readonly sequence: number } {
  return { id: Math.floor(tag / SEQUENCES), sequence: tag % SEQUENCES };
}
