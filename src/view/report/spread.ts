/** Percentiles and a histogram of something that is spread over bytes. */
import { formatBytes, formatCount, formatSeconds } from '../../memory/units.ts';
import { renderBars } from './series.ts';

/** In the `--json` documents of `thermocline report temperature` and `recency`. */
export interface Spread {
  readonly unit: 'temperature' | 'us';
  readonly snapshots: number;
  readonly szBytes: number;
  /** Of regions of which the record does not tell the age or the rate. */
  readonly unknownBytes: number;
  readonly percentiles: readonly { readonly percent: number; readonly value: number }[];
  readonly histogram: readonly { readonly min: number; readonly max: number; readonly bytes: number }[];
}

export function renderSpread(spread: Spread, isRaw: boolean, width: number): string[] {
  const value = (number: number): string =>
    isRaw
      ? String(number)
      : spread.unit === 'us'
        ? number === 0
          ? '0 s'
          : formatSeconds(number / 1e6)
        : formatCount(number);
  const bytes = (number: number): string => (isRaw ? String(number) : formatBytes(number));
  const name = spread.unit === 'us' ? 'idle' : 'temperature';
  if (spread.percentiles.length === 0) return [`${name}: the record tells no ages`];
  return [
    ...renderBars(
      'bytes %',
      `${name} at most`,
      spread.percentiles.map((each) => [String(each.percent), each.value]),
      value,
      width,
    ),
    '',
    ...renderBars(
      name,
      'bytes',
      spread.histogram.map((each) => [`${value(each.min)}..${value(each.max)}`, each.bytes]),
      bytes,
      width,
    ),
    ...(spread.unknownBytes > 0 ? [`unknown: ${bytes(spread.unknownBytes)}`] : []),
  ];
}
