/**
 * A pattern of rates and times as DAMON's counts, which are whole and whose ends both belong to the range
 * (reference damon-kernel section 4.1): the largest range of counts that lies inside.
 */
import type { TextPosition } from '../memory/error.ts';
import { formatEventRate } from '../memory/units.ts';
import type { MonitorAttrs } from '../monitor/monitor.ts';
import type { Bound, SchemePattern } from '../schemes/scheme.ts';
import { samplesOf } from '../schemes/scheme-reader.ts';
import type { ClosedRange } from './model.ts';
import type { SchemeNotes } from './notes.ts';

/** Of a count that came out of a logarithm. */
const SLACK = 1e-9;

export function byteRange({ minSzBytes, maxSzBytes }: SchemePattern): ClosedRange {
  return { min: leastOf(minSzBytes.value, minSzBytes), max: mostOf(maxSzBytes.value, maxSzBytes) };
}

export function ageRange(
  { minAgeUs, maxAgeUs }: SchemePattern,
  aggrUs: number,
  notes: SchemeNotes,
): ClosedRange {
  const range = {
    min: leastOf(minAgeUs.value / aggrUs, minAgeUs),
    max: mostOf(maxAgeUs.value / aggrUs, maxAgeUs),
  };
  if (range.min > range.max)
    notes.refused('no whole number of aggregation intervals lies in its ages', 'make the range wider');
  return range;
}

/**
 * An access in a sample of a page with rate r is seen with probability 1 - exp(-r x sampling interval), so that is
 * the share of the samples.
 */
export function samplesRange(
  { minRatePerS, maxRatePerS, mustBeIdle }: SchemePattern,
  attrs: MonitorAttrs,
  notes: SchemeNotes,
  where: TextPosition,
): ClosedRange {
  const most = samplesOf(attrs);
  const samplesAt = (ratePerS: number): number => most * -Math.expm1((-ratePerS * attrs.sampleUs) / 1e6);
  const min = Math.min(most, leastOf(samplesAt(minRatePerS.value), minRatePerS));
  if (mustBeIdle) return { min: 0, max: 0 };
  const bound = mostOf(samplesAt(maxRatePerS.value), maxRatePerS);
  // All samples are no bound.
  const max = bound >= most ? Number.POSITIVE_INFINITY : bound;
  const exact = samplesAt(minRatePerS.value);
  // A region of one sample per interval is the least that DAMON takes for accessed at all.
  if (min === 1 && exact < 0.5 && minRatePerS.value > 0) {
    const leastPerS = (-Math.log1p(-1 / most) * 1e6) / attrs.sampleUs;
    notes.changed(
      `${formatEventRate(minRatePerS.value)} per page is less than DAMON sees with these intervals: one sample of ${most}, or ${leastPerS.toPrecision(4)}/s, is the least`,
      'longer intervals see lower rates: monitor: {intervals: {sample_us: 100ms, aggr_us: 2s}}',
      where,
    );
  }
  if (min > max) notes.refused('no whole number of samples lies in its rates', 'make the range wider', where);
  return { min, max };
}

function leastOf(count: number, { isOpen }: Bound): number {
  if (!Number.isFinite(count)) return count;
  return isOpen ? Math.floor(count + SLACK) + 1 : Math.max(0, Math.ceil(count - SLACK));
}

function mostOf(count: number, { isOpen }: Bound): number {
  if (!Number.isFinite(count)) return count;
  return isOpen ? Math.ceil(count - SLACK) - 1 : Math.floor(count + SLACK);
}
