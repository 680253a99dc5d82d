/** Rows as a comparison at two sizes has them, for the picture and the page. */

import type { CompareLine } from '../../src/view/compare-columns.ts';
import type { PageRow } from '../../src/view/compare-page.ts';
import type { CostPlot } from '../../src/view/plot/cost-plot.ts';
import type { Family } from '../../src/view/plot/style.ts';

type Example = readonly [
  label: string,
  family: Family,
  share: number | null,
  bytes: number | null,
  cpu: number | null,
];

// biome-ignore format: one line per tracker.
const SMALL: readonly Example[] = [
  ['static', 'baseline', 0.636, 0, 0],
  ['oracle', 'baseline', 0.999, 0, 0],
  ['hemem', 'per page', 0.946, 1_944_000, 0.01],
  ['hybridtier', 'per page', 0.947, 31_381_824, 0.0897],
  ['klruscand', 'per page', 0.972, 16_973_824, 0.077],
  ['kpromoted-intended', 'per page', 0.757, 3_253_568, 0.0372],
  ['kpromoted-posted', 'per page', 0.895, 2_766_464, 0.0402],
  ['kscand-intended', 'per page', 0.768, 33_554_624, 0.0156],
  ['memtis', 'per page', 0.982, 33_177_600, 0.0883],
  ['numab2', 'per page', 0.89, 64, 0.0425],
  ['pghot-default', 'per page', 0.82, 3_981_312, 0.0396],
  ['pghot-precise', 'per page', 0.78, 15_925_248, 0.0386],
  ['damon-tiering', 'per region', 0.615, 64_000, 0.00197],
  ['evidence', 'per region', 0.999, 327_661, 0.00999],
  ['grid', 'per region', 0.996, 327_680, 0.0438],
];

// biome-ignore format: one line per tracker.
const LARGE: readonly Example[] = [
  ['static', 'baseline', 0.635, 0, 0],
  ['oracle', 'baseline', 0.968, 0, 0],
  ['memtis', 'per page', null, 34_359_738_368, null],
  ['pghot-default', 'per page', null, 1_649_267_441, null],
  ['pghot-precise', 'per page', null, 6_597_069_766, null],
  ['kpromoted-posted', 'per page', null, null, null],
  ['evidence', 'per region', 0.939, 327_661, 0.00999],
];

const SCENES = [
  ['full-dram, 16 GiB', SMALL],
  ['full-dram, 16 TiB', LARGE],
] as const;

const plot: CostPlot = {
  title: 'What tracking costs, and what it gains',
  subtitle: 'modelled; one seed',
  scenes: SCENES.map(([title, examples]) => ({
    title,
    points: examples.map(([label, family, fastTierShare, metadataBytes, cpuShare]) => ({
      label,
      family,
      fastTierShare,
      metadataBytes,
      cpuShare,
    })),
  })),
};

const lineOf = ([label, , share, bytes, cpu]: Example): CompareLine => ({
  tracker: label,
  completionSeconds: 300 / (share ?? 1),
  threads: [],
  fastTierShare: share ?? 0,
  efficiency: share,
  hotSet: { precision: 0.5, recall: 0.25 },
  detection: { most: null },
  promotedBytes: 2 ** 30,
  demotedBytes: 2 ** 29,
  wastedBytes: 0,
  pingPongBytes: 0,
  metadataBytes: bytes ?? 0,
  cpu: { applicationSeconds: 0, backgroundSeconds: (cpu ?? 0) * 300, migrationSeconds: 1 },
  counters: { pgpromote_success: 1234 },
  spread: {},
});

const rows: readonly PageRow[] = SCENES.flatMap(([scene, examples]) =>
  examples.map((example) => ({
    scene,
    label: example[0],
    what: `a tracker that is called ${example[0]}`,
    line: example[2] === null ? null : lineOf(example),
    metadataBytes: example[3],
    note: example[2] === null ? 'not simulated at 16.0 TiB' : null,
  })),
);

export const examplePage = { plot, rows };
