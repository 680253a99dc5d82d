/** Places the names of points beside them so that no two overlap, nor a name and a point. */

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export interface Labelled {
  readonly x: number;
  readonly y: number;
  readonly text: string;
  /** Bold, and with a ring around its point. */
  readonly isBest: boolean;
}

export interface Placement {
  readonly box: Box;
  /** Where the text begins, is centred, or ends at the side of its box that is nearest to the point. */
  readonly anchor: 'start' | 'middle' | 'end';
  /** Where a line leads from the point to its name; undefined: the name stands beside it. */
  readonly leader: readonly [x: number, y: number] | undefined;
}

export const LABEL_HEIGHT = 13;
/**
 * Widths at 11 px in DejaVu Sans, the widest of the fonts that `system-ui` stands for, so that a real text is
 * no wider than its box.
 */
const WIDE = /[mwMW%@]/;
const NARROW = /[iljI.,:|!']/;
const SLIM = /[tfr() -]/;
const BOLD = 1.14;
const PADDING = 3;
const MARK = 6;
const RING = 9;
const GAP = 3;

/** Directions by preference: beside the point, then above and below. */
const DIRECTIONS: readonly (readonly [x: number, y: number])[] = [
  [1, 0],
  [-1, 0],
  [1, -1],
  [-1, -1],
  [1, 1],
  [-1, 1],
  [0, -1],
  [0, 1],
];
const DISTANCES = [0, 10, 20, 32, 46, 62, 80, 100, 125, 150];

/**
 * In the order given, each as near to its point as there is room; the last ones get none where the frame
 * is full. O(n^2).
 * @param obstacles points without a name
 */
export function placeLabels<T extends Labelled>(
  labels: readonly T[],
  frame: Box,
  obstacles: readonly { readonly x: number; readonly y: number }[] = [],
): (T & Placement)[] {
  const taken: Box[] = [
    ...labels.map(({ x, y, isBest }) => around(x, y, isBest ? RING : MARK)),
    ...obstacles.map(({ x, y }) => around(x, y, MARK)),
  ];
  const placed: (T & Placement)[] = [];
  for (const label of labels) {
    const found = firstFree(label, frame, taken);
    if (found === undefined) continue;
    taken.push(found.box);
    placed.push({ ...label, ...found });
  }
  return placed;
}

function firstFree(label: Labelled, frame: Box, taken: readonly Box[]): Placement | undefined {
  const { x, y, isBest } = label;
  const width = widthOf(label.text, isBest);
  const gap = (isBest ? RING : MARK) + GAP;
  for (const distance of DISTANCES) {
    for (const [dx, dy] of DIRECTIONS) {
      const cx = x + dx * (gap + distance + width / 2);
      const cy = y + dy * (gap + distance * 0.7 + LABEL_HEIGHT / 2);
      // Straight above or below, and beside: centred on the point in the other direction.
      const box = {
        left: (dx === 0 ? x : cx) - width / 2,
        right: (dx === 0 ? x : cx) + width / 2,
        top: (dy === 0 ? y : cy) - LABEL_HEIGHT / 2,
        bottom: (dy === 0 ? y : cy) + LABEL_HEIGHT / 2,
      };
      if (!isInside(box, frame) || taken.some((other) => overlap(box, other))) continue;
      const isNear = distance === 0 && (dx === 0 || dy === 0);
      const anchor = dx === 0 ? 'middle' : dx > 0 ? 'start' : 'end';
      return { box, anchor, leader: isNear ? undefined : nearestOf(box, x, y) };
    }
  }
  return undefined;
}

function widthOf(text: string, isBold: boolean): number {
  let sum = 0;
  for (const sign of text)
    sum += WIDE.test(sign) ? 10.8 : NARROW.test(sign) ? 3.7 : SLIM.test(sign) ? 4.7 : 7;
  return sum * (isBold ? BOLD : 1) + PADDING;
}

export function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

function isInside(box: Box, frame: Box): boolean {
  return (
    box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom
  );
}

function around(x: number, y: number, radius: number): Box {
  return { left: x - radius, right: x + radius, top: y - radius, bottom: y + radius };
}

/** Point of a box that is nearest to another. */
function nearestOf({ left, right, top, bottom }: Box, x: number, y: number): readonly [number, number] {
  return [Math.min(right, Math.max(left, x)), Math.min(bottom, Math.max(top, y))];
}
