/**
 * Measured numbers of the kernel's own DAMON on the fields `onehot` to `moving`: the core of Linux 7.3
 * run in user space on simulated time (measurements of the DAMON core, sections 4.1, 5.1, 5.5). 5 ms /
 * 100 ms, 10 to 1000 regions, seeds 1..5, medians; hot means nr_accesses >= 3 of 20. They were measured
 * elsewhere and are only shown beside ours.
 */

import type { PushSetting } from '../../memory/push-setting.ts';
import { DEFAULT_ATTRS, type MonitorAttrs } from '../../monitor/monitor.ts';
import type { ReferenceRow } from '../../view/accuracy-table.ts';

/** Samples per second at which the kernel's push crediting was measured. */
export const KERNEL_PUSH_PER_S = 5876;

type Measured = readonly [
  at: string,
  precision: number,
  recall: number,
  f1: number,
  f1Min: number,
  f1Max: number,
  bestF1: number,
  hotShare: number,
  regions: number,
];

/** Section 4.1: by pull, up to one check per region and interval. */
const PULL: Readonly<Record<string, readonly Measured[]>> = {
  onehot: [
    ['0.5s', 0.145, 0.946, 0.254, 0, 0.843, 0.365, 0.223, 22],
    ['1s', 0.909, 0.999, 0.946, 0.904, 0.989, 0.946, 0.935, 28],
    ['2s', 1, 0.999, 0.999, 0.966, 1, 0.999, 0.999, 39],
    ['5s', 1, 0.999, 0.999, 0.966, 1, 0.999, 0.999, 61],
    ['10s', 1, 0.999, 0.999, 0.973, 1, 0.999, 0.999, 74],
    ['20s', 1, 0.999, 0.999, 0.973, 1, 0.999, 0.999, 78],
    ['60s', 1, 0.999, 0.999, 0.992, 1, 0.999, 0.999, 76],
    ['300s', 1, 1, 1, 0.992, 1, 1, 1, 77],
  ],
  spots64: [
    ['0.5s', 0, 0, 0, 0, 0, 0.017, 0.018, 25],
    ['1s', 0, 0, 0, 0, 0.02, 0.018, 0.017, 27],
    ['2s', 0.151, 0.004, 0.008, 0, 0.044, 0.014, 0.018, 30],
    ['5s', 1, 0.015, 0.03, 0.008, 0.059, 0.03, 0.021, 40],
    ['10s', 1, 0.015, 0.03, 0.008, 0.059, 0.03, 0.021, 43],
    ['20s', 1, 0.023, 0.044, 0.03, 0.059, 0.044, 0.032, 57],
    ['60s', 1, 0.023, 0.044, 0.03, 0.059, 0.044, 0.032, 90],
    ['300s', 1, 0.041, 0.078, 0.06, 0.115, 0.078, 0.043, 116],
  ],
  small256: [
    ['0.5s', 0, 0, 0, 0, 0, 0.006, 0.003, 22],
    ['1s', 0, 0, 0, 0, 0.007, 0.005, 0.003, 25],
    ['2s', 0, 0, 0, 0, 0.007, 0.006, 0.003, 27],
    ['5s', 0, 0, 0, 0, 0.007, 0.006, 0.004, 31],
    ['10s', 0, 0, 0, 0, 0.007, 0.006, 0.004, 30],
    ['20s', 0.998, 0.002, 0.004, 0, 0.007, 0.004, 0.006, 31],
    ['60s', 1, 0.003, 0.006, 0.002, 0.007, 0.006, 0.006, 32],
    ['300s', 1, 0.003, 0.006, 0.002, 0.007, 0.006, 0.006, 32],
  ],
  zipf: [
    ['0.5s', 0, 0, 0, 0, 0, 0.01, 0.009, 21],
    ['1s', 0, 0, 0, 0, 0, 0.009, 0.009, 27],
    ['2s', 0, 0, 0, 0, 0.006, 0.009, 0.009, 32],
    ['5s', 0, 0, 0, 0, 0.011, 0.009, 0.012, 34],
    ['10s', 0.999, 0.005, 0.01, 0, 0.011, 0.011, 0.02, 35],
    ['20s', 0.999, 0.006, 0.011, 0.01, 0.022, 0.011, 0.023, 36],
    ['60s', 1, 0.006, 0.011, 0.011, 0.022, 0.011, 0.02, 36],
    ['300s', 1, 0.01, 0.02, 0.01, 0.022, 0.02, 0.03, 50],
  ],
};

/** Section 5.1: by push alone, "[RFC PATCH 0/6] mm/damon: hardware-sampled access reports". */
const PUSH_RFC: Readonly<Record<string, readonly Measured[]>> = {
  onehot: [
    ['0.5s', 0.289, 1, 0.449, 0.354, 0.635, 0.566, 0.395, 22],
    ['1s', 0.91, 0.995, 0.95, 0.832, 0.997, 0.962, 0.939, 28],
    ['2s', 0.863, 0.933, 0.905, 0.457, 0.953, 0.929, 0.882, 36],
    ['5s', 0.323, 0.541, 0.477, 0.043, 0.657, 0.804, 0.681, 118],
    ['10s', 0.977, 0.403, 0.536, 0.032, 0.697, 0.738, 0.645, 300],
    ['20s', 0.955, 0.477, 0.633, 0.342, 0.679, 0.776, 0.655, 447],
    ['60s', 0.465, 0.202, 0.254, 0.073, 0.568, 0.472, 0.309, 510],
    ['300s', 0.949, 0.42, 0.528, 0.29, 0.66, 0.783, 0.7, 562],
  ],
  spots64: [
    ['0.5s', 0.008, 0.984, 0.016, 0.015, 0.017, 0.017, 0.009, 44],
    ['1s', 0.022, 0.954, 0.043, 0.037, 0.053, 0.063, 0.019, 110],
    ['2s', 0.03, 0.709, 0.059, 0.048, 0.075, 0.086, 0.043, 196],
    ['5s', 0.026, 0.771, 0.051, 0.042, 0.082, 0.076, 0.051, 271],
    ['10s', 0.033, 0.736, 0.062, 0.048, 0.084, 0.119, 0.128, 297],
    ['20s', 0.034, 0.778, 0.066, 0.046, 0.077, 0.09, 0.05, 310],
    ['60s', 0.029, 0.723, 0.057, 0.053, 0.07, 0.077, 0.044, 320],
    ['300s', 0.028, 0.823, 0.054, 0.042, 0.068, 0.077, 0.08, 324],
  ],
  small256: [
    ['0.5s', 0.003, 0.893, 0.006, 0.006, 0.006, 0.006, 0.003, 42],
    ['1s', 0.004, 0.602, 0.007, 0.007, 0.007, 0.007, 0.004, 135],
    ['2s', 0.006, 0.452, 0.011, 0.008, 0.021, 0.012, 0.01, 334],
    ['5s', 0.006, 0.349, 0.013, 0.008, 0.016, 0.013, 0.003, 610],
    ['10s', 0.008, 0.34, 0.015, 0.009, 0.02, 0.016, 0.006, 745],
    ['20s', 0.007, 0.352, 0.013, 0.009, 0.016, 0.013, 0.009, 757],
    ['60s', 0.007, 0.411, 0.013, 0.009, 0.015, 0.015, 0.005, 805],
    ['300s', 0.008, 0.332, 0.015, 0.008, 0.017, 0.017, 0.006, 819],
  ],
  zipf: [
    ['0.5s', 0.004, 0.858, 0.009, 0.009, 0.009, 0.011, 0.071, 43],
    ['1s', 0.005, 0.655, 0.01, 0.009, 0.011, 0.022, 0.217, 115],
    ['2s', 0.005, 0.553, 0.01, 0.009, 0.01, 0.014, 0.095, 186],
    ['5s', 0.005, 0.521, 0.01, 0.01, 0.011, 0.011, 0.006, 273],
    ['10s', 0.005, 0.507, 0.01, 0.008, 0.011, 0.011, 0.049, 327],
    ['20s', 0.005, 0.54, 0.01, 0.009, 0.013, 0.011, 0.021, 335],
    ['60s', 0.005, 0.591, 0.01, 0.009, 0.011, 0.011, 0.011, 373],
    ['300s', 0.005, 0.501, 0.011, 0.01, 0.011, 0.012, 0.05, 390],
  ],
};

const NAMES = { pull: 'kernel 7.3 (measured)', push: 'kernel push (measured)' } as const;

/** Section 5.5: time-averaged over 60 s, which is all that was measured of `moving`. */
const MOVING: readonly ReferenceRow[] = [
  {
    field: 'moving',
    monitor: NAMES.pull,
    at: 'mean',
    f1: { median: 0.943, min: 0.931, max: 0.946 },
    bestF1: 0.949,
    regions: 68,
  },
  {
    field: 'moving',
    monitor: NAMES.push,
    at: 'mean',
    f1: { median: 0.722, min: 0.662, max: 0.75 },
    bestF1: 0.872,
    regions: 91,
  },
];

/** Over which {@link MOVING} was averaged. */
const MOVING_US = 60e6;

/**
 * The rows that were measured at these settings; none at others. The limit of regions played no part.
 *
 * @param lastUs time over which means are taken
 */
export function kernelReference(attrs: MonitorAttrs, push: PushSetting, lastUs: number): ReferenceRow[] {
  const { sampleUs, aggrUs } = DEFAULT_ATTRS;
  if (attrs.sampleUs !== sampleUs || attrs.aggrUs !== aggrUs || attrs.intervalsGoal) return [];
  const isSamePush = push.kind === 'rate' && push.perS === KERNEL_PUSH_PER_S;
  return [
    ...toRows(PULL, NAMES.pull),
    ...(isSamePush ? toRows(PUSH_RFC, NAMES.push) : []),
    ...MOVING.filter((row) => lastUs === MOVING_US && (row.monitor === NAMES.pull || isSamePush)),
  ];
}

function toRows(table: Readonly<Record<string, readonly Measured[]>>, monitor: string): ReferenceRow[] {
  return Object.entries(table).flatMap(([field, measured]) =>
    measured.map(([at, precision, recall, median, min, max, bestF1, hotShare, regions]) => ({
      field,
      monitor,
      at,
      f1: { median, min, max },
      precision,
      recall,
      bestF1,
      hotShare,
      regions,
    })),
  );
}
