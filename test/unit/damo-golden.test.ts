import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { weighedPercentiles } from '../../src/lab/report/distribution.ts';
import { heatAreas, heatRaster } from '../../src/lab/report/heat-raster.ts';
import { seriesOf, workingSetOf } from '../../src/lab/report/over-snapshots.ts';
import { factsOf, totalsOf } from '../../src/lab/report/region-facts.ts';
import { spreadReport } from '../../src/lab/report/spread-report.ts';
import type { RegionRecord } from '../../src/memory/region-record.ts';
import { loadRecord } from '../../src/records/load-record.ts';
import { readTrace } from '../../src/records/trace-input.ts';
import { describeShared, expectedValues, hasSharedData, sharedFile } from './shared-data.ts';

const PERCENTS = [0, 25, 50, 75, 100];

async function load(name: string): Promise<RegionRecord> {
  const { records, warnings } = await loadRecord({ path: sharedFile(name), stdin: Readable.from([]) });
  expect(warnings).toEqual([]);
  expect(records.length).toBe(1);
  return records[0];
}

interface Wss {
  readonly exclude_first: number;
  readonly acc_thres?: number;
  readonly avg: number;
  readonly p0_25_50_75_100: readonly number[];
}

function wss(record: RegionRecord, { exclude_first: skip, acc_thres: minNrAccesses = 1 }: Wss) {
  const series = seriesOf(record, { skip, percentiles: PERCENTS }, (snapshot) =>
    workingSetOf(snapshot, { minNrAccesses, minRegionBytes: 1 }),
  );
  return { avg: series.mean, p0_25_50_75_100: series.percentiles.map(({ value }) => value) };
}

const expected = hasSharedData ? expectedValues() : {};

describeShared('damo 3.3.0 and we say the same of', () => {
  test('the working sets and regions of a recorded process', async () => {
    const want = expected['damo-records/damon.data'];
    const record = await load('damo-records/damon.data');
    expect(record.snapshots.length).toBe(want.snapshots);
    const counts = record.snapshots.map(({ count }) => count);
    expect([Math.min(...counts), Math.max(...counts)]).toEqual(want.regions_per_snapshot_min_max);
    const [first, last] = [record.snapshots[0], record.snapshots[record.snapshots.length - 1]];
    expect([first.startNs, last.endNs].map(Number)).toEqual(want.time_ns);
    expect(heatAreas(record).map(({ start, end }) => [start, end])).toEqual(want.address_ranges);
    for (const key of ['wss_default', 'wss_acc5', 'wss_no_exclude']) {
      expect(wss(record, want[key] as Wss)).toEqual({
        avg: (want[key] as Wss).avg,
        p0_25_50_75_100: (want[key] as Wss).p0_25_50_75_100,
      });
    }
    const regions = want.nr_regions as Wss;
    const series = seriesOf(
      record,
      { skip: regions.exclude_first, percentiles: PERCENTS },
      ({ count }) => count,
    );
    expect(series.mean).toBe(regions.avg);
    expect(series.percentiles.map(({ value }) => value)).toEqual(regions.p0_25_50_75_100);
  });

  test('a trace of damon_aggregated events', async () => {
    const want = expected['damo-records/perf.data.script'];
    const record = await load('damo-records/perf.data.script');
    expect(record.head.targetId).toBe(want.target_id);
    const { snapshots } = record;
    expect([snapshots[0].startNs, snapshots[snapshots.length - 1].endNs].map(Number)).toEqual(want.time_ns);
    expect(snapshots.reduce((sum, { count }) => sum + count, 0)).toBe(want.lines);
    const { avg, p0_25_50_75_100 } = want.wss_default as Wss;
    expect(wss(record, want.wss_default as Wss)).toEqual({ avg, p0_25_50_75_100 });
  });

  test.each(['nofilter', 'anon', 'inactive', 'active'])('the snapshot %s of 64 GB', async (name) => {
    const want = expected[`damo-records/damon.data.snapshot.${name}`];
    const record = await load(`damo-records/damon.data.snapshot.${name}`);
    const [snapshot] = record.snapshots;
    const totals = totalsOf(snapshot);
    expect(totals.nrRegions).toBe(want.regions);
    expect(totals.szBytes).toBe(want.total_bytes);
    if (want.sample_us !== undefined) {
      expect(snapshot).toMatchObject({ sampleUs: want.sample_us, aggrUs: want.aggr_us });
    }
    if (want.estimated_memory_bandwidth_bytes_per_s !== undefined) {
      expect(totals.bandwidthBytesPerS).toBe(want.estimated_memory_bandwidth_bytes_per_s);
    }
    if (want.filter_passed_bytes !== undefined) expect(totals.szFilterPassed).toBe(want.filter_passed_bytes);
    if (want.estimated_memory_bandwidth_filter_passed_bytes_per_s !== undefined) {
      expect(totals.bandwidthFilterPassedBytesPerS).toBe(
        want.estimated_memory_bandwidth_filter_passed_bytes_per_s,
      );
    }
    const check = (kind: 'recency' | 'temperature', values: unknown): void => {
      for (const [key, value] of Object.entries((values ?? {}) as Record<string, number>)) {
        const report = spreadReport(record, kind, [Number(key.slice(1))]);
        expect([key, report.percentiles[0].value]).toEqual([key, value]);
      }
    };
    check('recency', want.idle_time_us);
    check('temperature', want.temperature_default_weights);
  });

  test('whose trace formats hold as many accesses as their makers say', async () => {
    for (const name of ['main-thread', 'worker-thread']) {
      const want = expected[`drmemtrace-sample/${name}.trace.zip`];
      const pages = new Set<number>();
      let stores = 0;
      const parser = await readTrace(
        {
          path: sharedFile(`drmemtrace-sample/${name}.trace.zip`),
          stdin: Readable.from([]),
          format: undefined,
          includeFetches: false,
        },
        (batch) => {
          for (let i = 0; i < batch.count; i++) {
            pages.add(Math.floor(batch.address[i] / 4096));
            stores += batch.isStore[i];
          }
        },
      );
      expect(parser.counts.lines).toBe(want.records);
      expect(parser.counts.accesses - stores).toBe(want.reads);
      expect(stores).toBe(want.writes);
      expect(pages.size).toBe(want.distinct_4k_data_pages);
    }
  });
});

describeShared('where damo 3.3.0 is wrong', () => {
  test('no cell of a heat map is hotter than the hottest sample', async () => {
    const record = await load('damo-records/damon.data');
    const [, area] = heatAreas(record);
    const { cells } = heatRaster(record, { rows: 40, columns: 80, range: area });
    let most = 0;
    for (const { count, nrAccesses } of record.snapshots) {
      for (let i = 0; i < count; i++) most = Math.max(most, nrAccesses[i]);
    }
    expect(Math.max(...cells.filter((cell) => !Number.isNaN(cell)))).toBeLessThanOrEqual(most);
  });

  test('percentiles weigh every byte', async () => {
    const record = await load('damo-records/damon.data.snapshot.nofilter');
    const [snapshot] = record.snapshots;
    const values = Array.from({ length: snapshot.count }, (_, i) => factsOf(snapshot, i)).map((facts) => ({
      value: facts.idleUs ?? 0,
      bytes: facts.szBytes,
    }));
    const [median] = weighedPercentiles(values, [50]);
    const below = values.reduce((sum, { value, bytes }) => sum + (value <= median ? bytes : 0), 0);
    expect(below / totalsOf(snapshot).szBytes).toBeGreaterThanOrEqual(0.5);
  });
});
