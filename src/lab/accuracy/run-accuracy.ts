/** One run of one monitor on one field: scores over time against the truth of each moment. */
import { Engine } from '../../engine/engine.ts';
import type { AccessField } from '../../machines/field/access-field.ts';
import { type FieldFaults, FieldMachine } from '../../machines/field/field-machine.ts';
import type { PushSetting } from '../../memory/push-setting.ts';
import type { Monitor } from '../../monitor/monitor.ts';
import type { Score } from '../../view/accuracy-table.ts';
import { AccuracyScorer } from './score.ts';

export interface AccuracyRunOptions {
  readonly field: AccessField;
  readonly monitor: Monitor;
  readonly push: PushSetting;
  /** Accesses per page per second from which on pages are hot. */
  readonly hotPerS: number;
  /** Ascending; each at or after the first aggregation. */
  readonly atUs: readonly number[];
  readonly seed: number;
  readonly faults?: FieldFaults | undefined;
  /** Called after each aggregation, with the share of the run that is done. */
  readonly onProgress?: (share: number) => void;
  readonly shouldStop?: () => boolean;
  readonly pause?: () => Promise<void> | undefined;
}

/** What holds at a time: the latest finished aggregation, and what was spent until then. */
export interface AccuracyMoment extends Score {
  readonly regions: number;
  readonly spots: number;
  readonly pullChecks: number;
  readonly pushSamples: number;
}

export interface AccuracyRun {
  /** One per time asked for. */
  readonly moments: readonly AccuracyMoment[];
  /** Means over all aggregations up to the last time; what was spent, until then. */
  readonly mean: AccuracyMoment;
  readonly metadataBytes: number;
}

const NOTHING: AccuracyMoment = {
  precision: 0,
  recall: 0,
  f1: 0,
  bestF1: 0,
  hotShare: 0,
  regions: 0,
  spots: 0,
  pullChecks: 0,
  pushSamples: 0,
};

/** @returns undefined if it was stopped */
export async function runAccuracy(options: AccuracyRunOptions): Promise<AccuracyRun | undefined> {
  const { field, monitor, push, atUs, seed, faults } = options;
  const lastUs = atUs[atUs.length - 1];
  const machine = new FieldMachine({
    field,
    push,
    seed,
    // Stopped at the end of an aggregation interval, so that none is cut short.
    durationUs: Number.POSITIVE_INFINITY,
    ...(faults ? { faults } : {}),
  });
  const scorer = new AccuracyScorer(options.hotPerS);
  const moments: AccuracyMoment[] = [];
  const sums: Score[] = [];
  const counts = { regions: 0, spots: 0 };
  let latest = NOTHING;
  let score: Score = NOTHING;
  const engine = new Engine({
    machine,
    monitor,
    schemes: [],
    onAggregated: (timeUs) => {
      score = scorer.score(monitor.regions, monitor.spots, field.mapAt(timeUs));
    },
    onPublished: ({ state }) => {
      const { timeUs, pullChecks, pushSamples } = state;
      while (moments.length < atUs.length && atUs[moments.length] < timeUs) moments.push(latest);
      const regions = monitor.regions.count;
      const spots = monitor.spots.count;
      latest = { ...score, regions, spots, pullChecks, pushSamples };
      if (timeUs <= lastUs) {
        sums.push(score);
        counts.regions += regions;
        counts.spots += spots;
      }
      options.onProgress?.(Math.min(1, timeUs / lastUs));
    },
    shouldStop: () => machine.nowUs() >= lastUs || options.shouldStop?.() === true,
    ...(options.pause ? { pause: options.pause } : {}),
  });
  await engine.run();
  if (machine.nowUs() < lastUs) return undefined;
  while (moments.length < atUs.length) moments.push(latest);
  const mean = (of: (score: Score) => number): number =>
    sums.reduce((sum, each) => sum + of(each), 0) / sums.length;
  const last = moments[moments.length - 1];
  return {
    moments,
    mean: {
      precision: mean((each) => each.precision),
      recall: mean((each) => each.recall),
      f1: mean((each) => each.f1),
      bestF1: mean((each) => each.bestF1),
      hotShare: mean((each) => each.hotShare),
      regions: counts.regions / sums.length,
      spots: counts.spots / sums.length,
      pullChecks: last.pullChecks,
      pushSamples: last.pushSamples,
    },
    metadataBytes: monitor.metadataBytes,
  };
}
