/** Tags of requests carry their runner, quota window and purpose, as results come back in later windows. */

const SEQUENCES = 2 ** 24;

export interface RequestTag {
  readonly id: number;
  readonly sequence: number;
  /** True: the memory makes way for what the scheme is about. */
  readonly makesWay: boolean;
}

export function writeTag({ id, sequence, makesWay }: RequestTag): number {
  return (2 * id + (makesWay ? 1 : 0)) * SEQUENCES + (sequence % SEQUENCES);
}

/** The inverse of {@link writeTag}. */
export function readTag(tag: number): RequestTag {
  const who = Math.floor(tag / SEQUENCES);
  return { id: who >> 1, sequence: tag % SEQUENCES, makesWay: (who & 1) === 1 };
}
