/** Percentiles and histograms of values that weigh, as bytes do. */

/** Percentiles that damo shows. */
export const DEFAULT_PERCENTILES: readonly number[] = [0, 1, 25, 50, 75, 99, 100];

export interface Weighed {
  readonly value: number;
  readonly bytes: number;
}

/** The value below or at which so many percent of the bytes lie; empty if there are no bytes. */
export function weighedPercentiles(values: readonly Weighed[], percents: readonly number[]): number[] {
  const sorted = values.filter(({ bytes }) => bytes > 0).sort((a, b) => a.value - b.value);
  const total = sorted.reduce((sum, { bytes }) => sum + bytes, 0);
  if (sorted.length === 0) return [];
  return percents.map((percent) => {
    const wanted = (percent / 100) * total;
    let sum = 0;
    for (const { value, bytes } of sorted) {
      sum += bytes;
      if (sum >= wanted && sum > 0) return value;
    }
    return sorted[sorted.length - 1].value;
  });
}

export interface Bucket {
  readonly min: number;
  /** The first value of the next bucket. */
  readonly max: number;
  readonly bytes: number;
}

/** Buckets of equal width, as damo's: width ceil((max + 1 - min) / count). */
export function histogram(values: readonly Weighed[], count = 10): Bucket[] {
  if (values.length === 0) return [];
  const min = values.reduce((least, { value }) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const max = values.reduce((most, { value }) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const width = Math.ceil((max + 1 - min) / count);
  const bytes = new Float64Array(count);
  for (const each of values) bytes[Math.floor((each.value - min) / width)] += each.bytes;
  return Array.from(bytes, (sum, i) => ({ min: min + i * width, max: min + (i + 1) * width, bytes: sum }));
}

/** Of numbers that count once each: index int(p / 100 x n), at most the last. */
export function plainPercentiles(values: readonly number[], percents: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return [];
  return percents.map(
    (percent) => sorted[Math.min(sorted.length - 1, Math.floor((percent / 100) * sorted.length))],
  );
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
