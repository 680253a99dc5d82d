/** Precision, recall and F1 in bytes: the one formula of runs and of the accuracy lab. */

/** How well a hot set was found. */
export interface Detection {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** Precision is 1 when nothing was detected, recall when nothing is hot, F1 when neither. */
export function detectionOf(bothBytes: number, detectedBytes: number, hotBytes: number): Detection {
  return {
    precision: detectedBytes > 0 ? bothBytes / detectedBytes : 1,
    recall: hotBytes > 0 ? bothBytes / hotBytes : 1,
    f1: f1Of(bothBytes, detectedBytes, hotBytes),
  };
}

export function f1Of(bothBytes: number, detectedBytes: number, hotBytes: number): number {
  return detectedBytes + hotBytes > 0 ? (2 * bothBytes) / (detectedBytes + hotBytes) : 1;
}
