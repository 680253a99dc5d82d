/** `thermocline report KIND FILE`: what a record of regions says, as tables, pictures and raw numbers. */
import { DEFAULT_PERCENTILES } from '../../lab/report/distribution.ts';
import { memoryCurve } from '../../lab/report/memory-for-accesses.ts';
import { seriesOf, workingSetOf } from '../../lab/report/over-snapshots.ts';
import type { TemperatureWeights } from '../../lab/report/region-facts.ts';
import { regionReport } from '../../lab/report/region-report.ts';
import { type Bounds, type Selection, selectRecords } from '../../lab/report/select.ts';
import { spreadReport } from '../../lab/report/spread-report.ts';
import { ThermoError } from '../../memory/error.ts';
import { suggest } from '../../memory/nearest-word.ts';
import type { AddressRange } from '../../memory/range.ts';
import type { RegionRecord } from '../../memory/region-record.ts';
import { formatBytes, formatCount, formatSeconds } from '../../memory/units.ts';
import { detectInput } from '../../records/detect.ts';
import { loadRecord } from '../../records/load-record.ts';
import { recordFacts } from '../../records/record-reader.ts';
import type { RegionFormat } from '../../records/region-input.ts';
import { foldLine } from '../../view/fold.ts';
import type { RegionKey } from '../../view/report/facts.ts';
import type { LayoutChange } from '../../view/report/keywords.ts';
import type { HeatScale } from '../../view/report/level.ts';
import { renderMemoryCurve } from '../../view/report/memory-curve.ts';
import { renderRegions } from '../../view/report/regions-text.ts';
import { renderBars, type SnapshotSeries } from '../../view/report/series.ts';
import { renderSpread } from '../../view/report/spread.ts';
import { heatMapReport } from '../heat-report.ts';
import { Progress } from '../progress.ts';
import { REPORT_KINDS, type ReportKind } from '../report-options.ts';
import type { Terminal } from '../terminal.ts';
import { VERSION } from '../version.ts';

export interface ReportCommandOptions {
  readonly size?: Bounds;
  readonly rate?: Bounds;
  readonly age?: Bounds;
  readonly temperature?: Bounds;
  readonly address?: readonly AddressRange[];
  readonly snapshots?: Bounds;
  readonly during?: Bounds;
  readonly snapshotSize?: Bounds;
  readonly target?: string;
  readonly weights?: TemperatureWeights;
  readonly from?: RegionFormat;
  readonly style: 'detailed' | 'boxes';
  readonly sort: RegionKey;
  readonly descending?: boolean;
  readonly merge: boolean;
  readonly format?: readonly LayoutChange[];
  readonly skip: number;
  readonly minAccesses: number;
  readonly minSize: number;
  readonly byTime?: boolean;
  readonly percentiles?: readonly number[];
  readonly shares: readonly number[];
  readonly rows?: number;
  readonly columns?: number;
  readonly timeAxis?: 'down' | 'across';
  readonly scale?: HeatScale;
  readonly area: 'hottest' | 'all';
  readonly picture?: string;
  readonly scheme?: string;
  readonly raw?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** What a kind of report makes of a record: the part of the JSON document, and the lines for people. */
export interface Reported {
  readonly json: unknown;
  readonly text: string;
}

export interface ReportContext {
  readonly options: ReportCommandOptions;
  readonly terminal: Terminal;
  /** Without what was selected. */
  readonly whole: readonly RegionRecord[];
  readonly file: string;
}

type Reporter = (record: RegionRecord, context: ReportContext) => Reported | Promise<Reported>;

const REPORTERS: Readonly<Record<ReportKind, Reporter>> = {
  regions: (record, { options, terminal, whole }) => {
    const { weights, sort, descending, merge, style, format = [], raw = false } = options;
    const from = whole.find(({ head }) => head === record.head) ?? record;
    const report = regionReport(record, from, {
      sort,
      descending: descending === true,
      merge,
      ...(weights === undefined ? {} : { weights }),
    });
    const { width, colorDepth } = terminal;
    const text = renderRegions([report], { style, changes: format, isRaw: raw, width, depth: colorDepth });
    return { json: report, text };
  },
  heatmap: heatMapReport,
  wss: (record, { options, terminal }) => {
    const { skip, minAccesses, minSize, percentiles = WSS_PERCENTILES } = options;
    const limits = { minNrAccesses: minAccesses, minRegionBytes: minSize };
    const series = seriesOf(record, { skip, percentiles }, (snapshot) => workingSetOf(snapshot, limits));
    return { json: series, text: seriesText('working set', series, options, terminal, formatBytes) };
  },
  'nr-regions': (record, { options, terminal }) => {
    const { skip, percentiles = WSS_PERCENTILES } = options;
    const series = seriesOf(record, { skip, percentiles }, ({ count }) => count);
    return { json: series, text: seriesText('regions', series, options, terminal, formatCount) };
  },
  temperature: (record, context) => spread(record, 'temperature', context),
  recency: (record, context) => spread(record, 'recency', context),
  'memory-for-accesses': (record, { options, terminal }) => {
    const curve = memoryCurve(record, options.shares);
    return { json: curve, text: linesOf(renderMemoryCurve(curve, options.raw === true, terminal.width)) };
  },
  holistic: async (record, context) => {
    const parts: [string, ReportKind][] = [
      ['heat over time', 'heatmap'],
      ['working set', 'wss'],
      ['regions', 'nr-regions'],
      ['temperature of the bytes, at the end', 'temperature'],
      ['time since the last access, at the end', 'recency'],
      ['memory that serves the accesses', 'memory-for-accesses'],
    ];
    const json: Record<string, unknown> = {};
    let text = '';
    const last = { ...record, snapshots: record.snapshots.slice(-1) };
    for (const [title, kind] of parts) {
      const reported = await REPORTERS[kind](LAST_ONLY.has(kind) ? last : record, context);
      json[kind] = reported.json;
      text += `${text === '' ? '' : '\n'}${title}\n\n${reported.text}`;
    }
    return { json, text };
  },
  'what-if': async (record, context) => {
    const { whatIfReport } = await import('../what-if.ts');
    return whatIfReport(record, context);
  },
};

const WSS_PERCENTILES: readonly number[] = [0, 25, 50, 75, 100];
/** Kinds that are about one snapshot, the last one unless others are asked for. */
const LAST_ONLY: ReadonlySet<ReportKind> = new Set(['regions', 'temperature', 'recency']);
const LAST: Bounds = { min: -1, max: Number.POSITIVE_INFINITY };

/** @returns the exit status */
export async function reportCommand(
  kind: string,
  file: string,
  options: ReportCommandOptions,
  terminal: Terminal,
): Promise<number> {
  const known = REPORT_KINDS.find((each) => each === kind);
  if (known === undefined) {
    throw new ThermoError('THERMO_USAGE', `there is no report "${kind}"`, {
      hint: suggest(kind, REPORT_KINDS, 'reports'),
    });
  }
  const progress = new Progress(terminal, options.quiet === true);
  const detected = await detectInput({ path: file, stdin: terminal.stdin }, options.from);
  if (detected.kind === 'accesses') {
    throw new ThermoError('THERMO_RECORD_FORMAT', `${file} holds accesses, and reports are about regions`, {
      hint: `replay it first: thermocline run SCHEMES --trace ${file} --record DIR`,
    });
  }
  const loaded = await loadRecord({
    path: detected.path,
    stdin: detected.stdin,
    format: detected.format,
    onProgress: (share) => progress.update('reading', share, file),
    shouldStop: terminal.isInterrupted,
  }).finally(() => progress.end());
  if (terminal.isInterrupted()) return 130;
  const selected = selectRecords(loaded.records, selectionOf(known, options));
  if (selected.length === 0) {
    throw new ThermoError('THERMO_USAGE', `nothing of ${file} is left by what was asked for`, {
      hint: `it has ${loaded.records.map(({ snapshots }) => snapshots.length).join(' and ')} snapshots`,
    });
  }
  const context = { options, terminal, whole: loaded.records, file };
  const reports: { record: RegionRecord; reported: Reported }[] = [];
  for (const record of selected) reports.push({ record, reported: await REPORTERS[known](record, context) });
  for (const warning of loaded.warnings) terminal.stderr.write(`warning: ${warning}\n`);
  if (options.json === true) {
    const document = {
      schema: 'thermocline.report/1',
      kind: known,
      version: VERSION,
      file,
      format: loaded.format,
      // Of our own record: machine, workload, the command that wrote it.
      facts: loaded.format === 'record' ? recordFacts(file) : {},
      warnings: loaded.warnings,
      records: reports.map(({ record, reported }) => ({ head: record.head, report: reported.json })),
    };
    terminal.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
    return 0;
  }
  for (const { record, reported } of reports) {
    if (reports.length > 1) terminal.stdout.write(`${nameOf(record)}\n`);
    terminal.stdout.write(reported.text);
  }
  return 0;
}

function selectionOf(kind: ReportKind, options: ReportCommandOptions): Selection {
  const { size, rate, age, temperature, address, snapshots, during, snapshotSize, target, weights } = options;
  const which = snapshots ?? (LAST_ONLY.has(kind) && during === undefined ? LAST : undefined);
  return {
    ...(size && { sizeBytes: size }),
    ...(rate && { rateShare: rate }),
    ...(age && { ageUs: age }),
    ...(temperature && { temperature }),
    ...(address && { addresses: address }),
    ...(which && { snapshots: which }),
    ...(during && { timeUs: during }),
    ...(snapshotSize && { snapshotBytes: snapshotSize }),
    ...(target !== undefined && { target }),
    ...(weights && { weights }),
  };
}

function nameOf({ head }: RegionRecord): string {
  const part = (name: string, value: string | number | null): string =>
    value === null ? '' : `${name} ${value}`;
  const parts = [
    part('kdamond', head.kdamondIdx),
    part('context', head.contextIdx),
    part('scheme', head.schemeIdx),
    part('target', head.targetId),
  ].filter((text) => text !== '');
  return `# ${parts.join(', ') || 'record'}`;
}

function spread(
  record: RegionRecord,
  kind: 'temperature' | 'recency',
  { options, terminal }: ReportContext,
): Reported {
  const { percentiles = DEFAULT_PERCENTILES, weights, raw = false } = options;
  const report = spreadReport(record, kind, percentiles, weights);
  return { json: report, text: linesOf(renderSpread(report, raw, terminal.width)) };
}

function seriesText(
  name: string,
  series: SnapshotSeries,
  options: ReportCommandOptions,
  terminal: Terminal,
  format: (value: number) => string,
): string {
  const value = options.raw === true ? String : format;
  const rows: (readonly [string, number])[] =
    options.byTime === true
      ? series.values.map((each) => [
          options.raw === true ? String(each.timeUs) : formatSeconds(each.timeUs / 1e6),
          each.value,
        ])
      : series.percentiles.map((each) => [String(each.percent), each.value]);
  return linesOf([
    ...renderBars(options.byTime === true ? 'time' : 'percentile', name, rows, value, terminal.width),
    ...foldLine(
      `mean ${value(series.mean)} of ${formatCount(series.snapshots)} snapshots; the first ${formatCount(series.skipped)} do not count`,
      terminal.width,
    ),
  ]);
}

function linesOf(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
