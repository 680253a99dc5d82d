/** Regions for people, laid out by keywords; the styles `detailed` and `boxes` are layouts, too. */
import { formatBytes, formatCount, formatPercent, formatSeconds } from '../../memory/units.ts';
import { foldLine } from '../fold.ts';
import { COLOR_RESET, type ColorDepth, cellColor } from '../palette.ts';
import type { RecordReport, RegionFacts, SnapshotReport } from './facts.ts';
import { renderStrip } from './heat-picture.ts';
import {
  changeLayout,
  fillIn,
  fillInRows,
  type Layout,
  type LayoutChange,
  type LayoutLevel,
} from './keywords.ts';
import { digitOf } from './level.ts';

export interface RegionsTextOptions {
  readonly style: 'detailed' | 'boxes';
  readonly changes: readonly LayoutChange[];
  /** Numbers in bytes, microseconds and parts of one, without units. */
  readonly isRaw: boolean;
  readonly width: number;
  readonly depth: ColorDepth;
}

const LAYOUTS: Readonly<Record<RegionsTextOptions['style'], Layout>> = {
  detailed: {
    'record-head': '',
    'snapshot-head':
      'snapshot <index> of <number of snapshots>, <start time> to <end time>\n<heatmap>\n# temperature <min temperature> to <max temperature>; a column is <column size>\n# intervals: sample <sample interval>, aggregation <aggregation interval> (max access hz: <max hz>)\n',
    region: '<index> addr <start address> size <size> access <access rate> (<access hz>) age <age>',
    'snapshot-tail':
      'total size: <total bytes> in <number of regions> regions\nestimated memory bandwidth, at most: <estimated memory bandwidth>\n',
    'record-tail': '',
  },
  boxes: {
    'record-head': '',
    'snapshot-head': 'snapshot <index> of <number of snapshots>, <start time> to <end time>\n',
    region: '<box> size <size> access <access rate> age <age>',
    'snapshot-tail':
      'a box: length is age, height is size (both log2), colour or digit is access rate\ntotal size: <total bytes>\n',
    'record-tail': '',
  },
};

/** What a terminal narrower than this shows of a region. */
const NARROW = 72;
const NARROW_REGION = '<index> <start address> <size> <access rate> <age>';
const MAX_BOX_LENGTH = 30;
const MAX_BOX_HEIGHT = 5;

interface Numbers {
  bytes(value: number | null): string;
  us(value: number | null): string;
  share(value: number | null): string;
  plain(value: number | null, unit?: string): string;
}

function numbersOf(isRaw: boolean): Numbers {
  const orUnknown = (value: number | null, format: (value: number) => string): string =>
    value === null ? 'unknown' : format(value);
  if (isRaw) {
    const raw = (value: number | null): string => orUnknown(value, String);
    return { bytes: raw, us: raw, share: raw, plain: raw };
  }
  return {
    bytes: (value) => orUnknown(value, formatBytes),
    us: (value) => orUnknown(value, (us) => (us === 0 ? '0 s' : formatSeconds(us / 1e6))),
    share: (value) => orUnknown(value, (share) => formatPercent(share)),
    plain: (value, unit = '') => orUnknown(value, (n) => `${plainOf(n)}${unit}`),
  };
}

/** Whole numbers in full, others to three digits. */
function plainOf(value: number): string {
  return Math.abs(value) >= 1000 || Number.isInteger(value)
    ? formatCount(value)
    : String(Number(value.toPrecision(3)));
}

type RegionValue = (
  region: RegionFacts,
  index: number,
  snapshot: SnapshotReport,
  n: Numbers,
  depth: ColorDepth,
) => string;
type SnapshotValue = (
  snapshot: SnapshotReport,
  record: RecordReport,
  n: Numbers,
  depth: ColorDepth,
) => string;
type RecordValue = (record: RecordReport, n: Numbers) => string;

const REGION_VALUES: Readonly<Record<string, RegionValue>> = {
  index: (_region, index) => String(index),
  'start address': (region, _i, _s, n) => addressOf(region.start, n),
  'end address': (region, _i, _s, n) => addressOf(region.end, n),
  size: (region, _i, _s, n) => n.bytes(region.szBytes),
  'access rate': (region, _i, _s, n) =>
    region.rateShare === null
      ? `${region.nrAccesses} sample${region.nrAccesses === 1 ? '' : 's'}`
      : n.share(region.rateShare),
  'access samples': (region) => String(region.nrAccesses),
  'access hz': (region, _i, _s, n) => n.plain(region.accessHz, ' hz'),
  age: (region, _i, _s, n) => n.us(region.ageUs),
  'idle time': (region, _i, _s, n) => n.us(region.idleUs),
  temperature: (region, _i, _s, n) => n.plain(region.temperature),
  'filters passed bytes': (region, _i, _s, n) => n.bytes(region.szFilterPassed),
  'probe hits': (region) => (region.probeHits ?? []).join(' '),
  box: (region, _i, snapshot, _n, depth) => boxOf(region, snapshot, depth),
};

const SNAPSHOT_VALUES: Readonly<Record<string, SnapshotValue>> = {
  index: ({ index }) => String(index),
  'number of snapshots': (_snapshot, record) => String(record.nrSnapshots),
  'number of regions': ({ nrRegions }) => String(nrRegions),
  'total bytes': ({ szBytes }, _r, n) => n.bytes(szBytes),
  'start time': (snapshot, record, n) => timeOf(snapshot.startNs, record, n),
  'end time': (snapshot, record, n) => timeOf(snapshot.endNs, record, n),
  'absolute start time': ({ startNs }) => startNs,
  'absolute end time': ({ endNs }) => endNs,
  duration: ({ startNs, endNs }, _r, n) => n.us(Number(BigInt(endNs) - BigInt(startNs)) / 1000),
  heatmap: ({ strips }, _r, _n, depth) => stripText(strips, depth),
  'column size': ({ strips }, _r, n) => {
    const [strip] = strips;
    return n.bytes(strip === undefined ? null : (strip.end - strip.start) / strip.cells.length);
  },
  'min temperature': ({ regions }, _r, n) => n.plain(extreme(regions, Math.min)),
  'max temperature': ({ regions }, _r, n) => n.plain(extreme(regions, Math.max)),
  'sample interval': ({ sampleUs }, _r, n) => n.us(sampleUs),
  'aggregation interval': ({ aggrUs }, _r, n) => n.us(aggrUs),
  'max hz': ({ sampleUs }, _r, n) => n.plain(sampleUs === null ? null : 1e6 / sampleUs, ' hz'),
  'filters passed bytes': ({ szFilterPassed }, _r, n) => n.bytes(szFilterPassed),
  'estimated memory bandwidth': ({ bandwidthBytesPerS }, _r, n) => perSecond(bandwidthBytesPerS, n),
  'filters passed estimated memory bandwidth': ({ bandwidthFilterPassedBytesPerS }, _r, n) =>
    perSecond(bandwidthFilterPassedBytesPerS, n),
  'positive access samples ratio': ({ positiveShare }, _r, n) => n.share(positiveShare),
  'intervals tuning status': ({ positiveShare }, record, n) => {
    const goal = record.head.intervals?.goal;
    return goal && goal.aggrs > 0
      ? `${n.share(positiveShare)} of ${n.share(goal.accessBp / 10_000)} wanted`
      : 'not tuned';
  },
  'damos stats': ({ damosStats }) =>
    damosStats === null
      ? 'unknown'
      : Object.entries(damosStats)
          .map(([key, value]) => `${key} ${value}`)
          .join(', '),
};

const RECORD_VALUES: Readonly<Record<string, RecordValue>> = {
  'kdamond index': ({ head }) => String(head.kdamondIdx ?? 'unknown'),
  'context index': ({ head }) => String(head.contextIdx ?? 'unknown'),
  'scheme index': ({ head }) => String(head.schemeIdx ?? 'unknown'),
  'target id': ({ head }) => head.targetId ?? 'unknown',
  'data source': ({ head }) => head.dataSource ?? 'unknown',
  intervals: ({ head: { intervals } }, n) =>
    intervals === null
      ? 'unknown'
      : `sample ${n.us(intervals.sampleUs)}, aggregation ${n.us(intervals.aggrUs)}, update ${n.us(intervals.opsUpdateUs)}`,
  'intervals goal': ({ head: { intervals } }, n) =>
    intervals?.goal && intervals.goal.aggrs > 0
      ? `${n.share(intervals.goal.accessBp / 10_000)} of accesses, over ${intervals.goal.aggrs} aggregations, ${n.us(intervals.goal.minSampleUs)} to ${n.us(intervals.goal.maxSampleUs)}`
      : 'none',
  'number of snapshots': ({ nrSnapshots }) => String(nrSnapshots),
};

const LAYOUT_KEYWORDS: Readonly<Record<LayoutLevel, readonly string[]>> = {
  'record-head': Object.keys(RECORD_VALUES),
  'snapshot-head': Object.keys(SNAPSHOT_VALUES),
  region: Object.keys(REGION_VALUES),
  'snapshot-tail': Object.keys(SNAPSHOT_VALUES),
  'record-tail': Object.keys(RECORD_VALUES),
};

/** @throws ThermoError THERMO_USAGE for keywords that there are not */
export function renderRegions(records: readonly RecordReport[], options: RegionsTextOptions): string {
  const { depth, width, style } = options;
  const isNarrow = width < NARROW && style === 'detailed';
  const base = isNarrow ? { ...LAYOUTS.detailed, region: NARROW_REGION } : LAYOUTS[style];
  const layout = changeLayout(base, options.changes, LAYOUT_KEYWORDS);
  // Comments are for people, whose terminals break lines anyhow, but not between words.
  const fold = (text: string): string =>
    text
      .split('\n')
      .flatMap((line) => (line.startsWith('#') || line.includes(': ') ? foldLine(line, width) : [line]))
      .join('\n');
  const n = numbersOf(options.isRaw);
  const text: string[] = [];
  for (const record of records) {
    text.push(lineOf(fillIn(layout['record-head'], (keyword) => RECORD_VALUES[keyword](record, n))));
    for (const snapshot of record.snapshots) {
      const shown = { ...snapshot, strips: fitStrips(snapshot.strips, width) };
      const value = (keyword: string): string => SNAPSHOT_VALUES[keyword](shown, record, n, depth);
      text.push(lineOf(fold(fillIn(layout['snapshot-head'], value))));
      const indexed = snapshot.regions.map((region, index) => ({ region, index }));
      const lines = fillInRows(layout.region, indexed, ({ region, index }, keyword) =>
        REGION_VALUES[keyword](region, index, snapshot, n, depth),
      );
      if (layout.region !== '') text.push(...lines.map(lineOf));
      text.push(lineOf(fold(fillIn(layout['snapshot-tail'], value))));
    }
    text.push(lineOf(fillIn(layout['record-tail'], (keyword) => RECORD_VALUES[keyword](record, n))));
  }
  return text.join('');
}

function lineOf(text: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}\n`;
}

function addressOf(address: number, n: Numbers): string {
  // Raw addresses are numbers like all others.
  return n.bytes(0) === '0' ? String(address) : `0x${address.toString(16)}`;
}

function perSecond(bytes: number | null, n: Numbers): string {
  const text = n.bytes(bytes);
  return bytes === null || n.bytes(0) === '0' ? text : `${text}/s`;
}

/** Since the record began. */
function timeOf(ns: string, record: RecordReport, n: Numbers): string {
  return n.us(Number(BigInt(ns) - BigInt(record.startNs)) / 1000);
}

function extreme(regions: readonly RegionFacts[], of: (a: number, b: number) => number): number | null {
  return regions.reduce<number | null>(
    (best, { temperature }) =>
      temperature === null ? best : best === null ? temperature : of(best, temperature),
    null,
  );
}

function stripText(strips: SnapshotReport['strips'], depth: ColorDepth): string {
  const all = Float64Array.from(strips.flatMap(({ cells }) => cells));
  const text = renderStrip(all, depth);
  if (depth !== 'none' || strips.length < 2) return text;
  let at = 0;
  return strips
    .map(({ cells }) => {
      at += cells.length;
      return text.slice(at - cells.length, at);
    })
    .join(GAP);
}

const GAP = '[...]';

/** Strips of fewer columns, where the terminal has no room for all; each cell the mean of those it stands for. */
function fitStrips(strips: SnapshotReport['strips'], width: number): SnapshotReport['strips'] {
  const columns = strips.reduce((sum, { cells }) => sum + cells.length, 0);
  const room = width - (strips.length - 1) * GAP.length;
  if (columns <= room) return strips;
  return strips.map(({ cells, ...strip }) => {
    const count = Math.max(1, Math.floor((cells.length * room) / columns));
    const means = Array.from({ length: count }, (_, i) => {
      const part = cells.slice(
        Math.floor((i * cells.length) / count),
        Math.floor(((i + 1) * cells.length) / count),
      );
      const known = part.filter((value) => !Number.isNaN(value));
      return known.reduce((sum, value) => sum + value, 0) / known.length;
    });
    return { ...strip, cells: means };
  });
}

/** Length is age, height is size, on log2 scales of what the snapshot shows; digit or colour the access rate. */
function boxOf(region: RegionFacts, snapshot: SnapshotReport, depth: ColorDepth): string {
  const scaled = (value: number, all: readonly number[], most: number): number => {
    const logs = all.map((each) => Math.log2(Math.max(1, each)));
    const [low, high] = [Math.min(...logs), Math.max(...logs)];
    return (
      1 + Math.round(high > low ? ((Math.log2(Math.max(1, value)) - low) / (high - low)) * (most - 1) : 0)
    );
  };
  const { regions } = snapshot;
  const length = scaled(
    region.ageUs ?? 1,
    regions.map(({ ageUs }) => ageUs ?? 1),
    MAX_BOX_LENGTH,
  );
  const height = scaled(
    region.szBytes,
    regions.map(({ szBytes }) => szBytes),
    MAX_BOX_HEIGHT,
  );
  const highest = regions.reduce((max, { nrAccesses }) => Math.max(max, nrAccesses), 0);
  const level = highest > 0 ? region.nrAccesses / highest : 0;
  const body =
    depth === 'none'
      ? digitOf(level).repeat(length)
      : `${cellColor(level, depth)}${'█'.repeat(length)}${COLOR_RESET}`;
  const line = `|${body}|`;
  return Array.from({ length: height }, () => line).join('\n');
}
