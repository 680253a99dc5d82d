/** From runs of several seeds to the rows of the report: medians and spreads. */
import type { AccuracyRow, Spread } from '../../view/accuracy-table.ts';
import type { AccuracyMoment, AccuracyRun } from './run-accuracy.ts';

/** Rows of one field and monitor: one per time, then the mean over time. `runs`: one per seed. */
export function summarizeRuns(
  field: string,
  monitor: string,
  atUs: readonly number[],
  runs: readonly AccuracyRun[],
): AccuracyRow[] {
  const row = (at: string, moments: readonly AccuracyMoment[]): AccuracyRow => {
    const spread = (of: (moment: AccuracyMoment) => number): Spread => spreadOf(moments.map(of));
    return {
      field,
      monitor,
      at,
      f1: spread((each) => each.f1),
      precision: spread((each) => each.precision),
      recall: spread((each) => each.recall),
      bestF1: spread((each) => each.bestF1),
      hotShare: spread((each) => each.hotShare),
      regions: spread((each) => each.regions).median,
      spots: spread((each) => each.spots).median,
      pullChecks: spread((each) => each.pullChecks).median,
      pushSamples: spread((each) => each.pushSamples).median,
      metadataBytes: Math.max(...runs.map((run) => run.metadataBytes)),
    };
  };
  return [
    ...atUs.map((us, i) =>
      row(
        `${us / 1e6}s`,
        runs.map((run) => run.moments[i]),
      ),
    ),
    row(
      'mean',
      runs.map((run) => run.mean),
    ),
  ];
}

/** Median (of an even number: mean of the middle two) and ends. @param values at least one */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  return { median, min: sorted[0], max: sorted[sorted.length - 1] };
}
