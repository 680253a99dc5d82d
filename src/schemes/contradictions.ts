/** Schemes that undo each other: the same memory, moved to and fro. */
import type { MemoryNode } from '../memory/tier.ts';
import type { ResolvedScheme } from './resolve.ts';
import type { Bound, SchemePattern } from './scheme.ts';

export interface Contradiction {
  readonly first: ResolvedScheme;
  readonly second: ResolvedScheme;
}

/** Every pair of migrations whose patterns meet and that move between the same nodes in opposite ways. */
export function findContradictions(
  schemes: readonly ResolvedScheme[],
  nodes: readonly MemoryNode[],
): Contradiction[] {
  const found: Contradiction[] = [];
  schemes.forEach((second, i) => {
    for (const first of schemes.slice(0, i)) {
      // Goals bring both to rest, if they leave a gap.
      const isTuned = first.scheme.quota.goals.length > 0 || second.scheme.quota.goals.length > 0;
      const meets = doMeet(first.scheme.pattern, second.scheme.pattern);
      if (!isTuned && meets && isOpposite(first, second, nodes)) found.push({ first, second });
    }
  });
  return found;
}

/** Some node gives memory to another by the one scheme and gets it back by the other. */
function isOpposite(first: ResolvedScheme, second: ResolvedScheme, nodes: readonly MemoryNode[]): boolean {
  const isMoved = ({ dests, fromNids }: ResolvedScheme, from: number, to: number): boolean =>
    dests.length === 1 &&
    !dests[0].isAccessing &&
    dests[0].nids.includes(to) &&
    !dests[0].nids.includes(from) &&
    (fromNids === undefined || fromNids.includes(from));
  return nodes.some(({ nid: a }) =>
    nodes.some(({ nid: b }) => a !== b && isMoved(first, a, b) && isMoved(second, b, a)),
  );
}

function doMeet(a: SchemePattern, b: SchemePattern): boolean {
  return (
    doOverlap(a.minRatePerS, a.maxRatePerS, b.minRatePerS, b.maxRatePerS) &&
    doOverlap(a.minAgeUs, a.maxAgeUs, b.minAgeUs, b.maxAgeUs) &&
    doOverlap(a.minSzBytes, a.maxSzBytes, b.minSzBytes, b.maxSzBytes)
  );
}

/** True if some value lies within both pairs of bounds. */
function doOverlap(minA: Bound, maxA: Bound, minB: Bound, maxB: Bound): boolean {
  return isBelow(minA, maxB) && isBelow(minB, maxA);
}

function isBelow(min: Bound, max: Bound): boolean {
  return min.value < max.value || (min.value === max.value && !min.isOpen && !max.isOpen);
}
