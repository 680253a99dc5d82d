/** Who can be bettered by nobody: the front of cost against gain. */

export interface Offer {
  readonly cost: number;
  readonly gain: number;
}

/**
 * Those for which no other costs at most as much and gains at least as much, one of them strictly; by rising
 * cost. Equals are all in it. O(n log n).
 */
export function paretoFront<T extends Offer>(offers: readonly T[]): T[] {
  const sorted = [...offers].sort((a, b) => a.cost - b.cost || b.gain - a.gain);
  const front: T[] = [];
  for (const offer of sorted) {
    const last = front.at(-1);
    const isBetter = last === undefined || offer.gain > last.gain;
    const isEqual = last !== undefined && offer.gain === last.gain && offer.cost === last.cost;
    if (isBetter || isEqual) front.push(offer);
  }
  return front;
}
