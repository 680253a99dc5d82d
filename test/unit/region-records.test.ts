import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { deflateSync, inflateSync } from 'node:zlib';
import { fc, test as propTest } from '@fast-check/vitest';
import { afterAll, describe, expect, test } from 'vitest';
import { heatRaster, spanOf } from '../../src/lab/report/heat-raster.ts';
import { memoryCurve, memoryFor } from '../../src/lab/report/memory-for-accesses.ts';
import { selectRecords } from '../../src/lab/report/select.ts';
import { ThermoError } from '../../src/memory/error.ts';
import type { RecordedSnapshot, RegionRecord } from '../../src/memory/region-record.ts';
import { DamoRecordWriter } from '../../src/records/damo-write.ts';
import { RecordWriter } from '../../src/records/record-writer.ts';
import { loadRegions } from '../../src/records/region-input.ts';
import { ZlibBlocks } from '../../src/records/zlib-blocks.ts';
import { arbitraryRecord } from './region-record-arbitraries.ts';

const WORK = mkdtempSync(join(tmpdir(), 'thermocline-records-test-'));
afterAll(() => rmSync(WORK, { recursive: true, force: true }));

async function load(text: string | Buffer, chunk = 1 << 20) {
  const bytes = Buffer.from(text);
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunk) }, (_, i) =>
    bytes.subarray(i * chunk, (i + 1) * chunk),
  );
  return loadRegions({ path: '-', stdin: Readable.from(chunks) });
}

function damoText(records: readonly RegionRecord[]): string {
  let text = '';
  const writer = new DamoRecordWriter((part) => {
    text += part;
  });
  for (const { head, snapshots } of records) for (const snapshot of snapshots) writer.add(head, snapshot);
  writer.finish();
  return text;
}

function zlib(text: string, block: number): Buffer {
  const parts: Uint8Array[] = [];
  const blocks = new ZlibBlocks((bytes) => parts.push(bytes));
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += block) blocks.add(bytes.subarray(at, at + block));
  blocks.finish();
  return Buffer.concat(parts);
}

describe('a record comes back as it was', () => {
  propTest.prop([arbitraryRecord, fc.integer({ min: 1, max: 500 })], { numRuns: 100 })(
    'from the JSON of damo, in any chunks',
    async (record, chunk) => {
      const { records, format, counts } = await load(damoText([record]), chunk);
      expect(format).toBe('damo-json');
      expect(counts).toMatchObject({ unreadable: 0, records: 1, snapshots: record.snapshots.length });
      expect(records).toEqual([record]);
    },
  );

  propTest.prop([arbitraryRecord, fc.integer({ min: 1, max: 5000 })], { numRuns: 50 })(
    'from the zlib stream of damo, which any inflater reads',
    async (record, block) => {
      const text = damoText([record]);
      const bytes = zlib(text, block);
      expect(inflateSync(bytes).toString()).toBe(text);
      expect((await load(bytes)).records).toEqual([record]);
    },
  );

  let directories = 0;
  propTest.prop([arbitraryRecord, arbitraryRecord], { numRuns: 30 })(
    'from our own directory, two heads at a time',
    async (first, second) => {
      const path = join(WORK, `own-${directories++}`);
      const writer = new RecordWriter(path, {});
      for (const { head, snapshots } of [first, second])
        for (const snapshot of snapshots) writer.addSnapshot(head, snapshot);
      writer.finish();
      const { records, format } = await loadRegions({ path, stdin: Readable.from([]) });
      expect(format).toBe('record');
      expect(records).toEqual([first, second]);
    },
  );

  test('also where rates and hits of probes are kept, and in many parts', async () => {
    const path = join(WORK, 'rates');
    let nowMs = 0;
    const writer = new RecordWriter(path, {}, () => {
      nowMs += 4000;
      return nowMs;
    });
    const record = recordOf([
      { regions: [[0, 8192, 3, 1]] },
      { regions: [[0, 4096, 2, 1]] },
      { regions: [] },
    ]);
    const rated = record.snapshots.map((snapshot) => ({
      ...snapshot,
      ...(snapshot.count > 0 ? { ratePerS: Float64Array.of(12.5), probeHits: [[1, 2]] } : {}),
    }));
    for (const snapshot of rated) writer.addSnapshot(record.head, snapshot);
    writer.finish();
    const { records } = await loadRegions({ path, stdin: Readable.from([]) });
    expect(records).toEqual([{ head: record.head, snapshots: rated }]);
  });
});

describe('what damo writes', () => {
  const REGION = `{"start": "4,096", "end": "1,052,672", "nr_accesses": {"samples": 5, "percent": null}, "age": {"usec": null, "aggr_intervals": "7"}, "sz_filter_passed": "31.340 MiB"}`;
  const record = (fields: string, region = REGION): string =>
    `[{${fields} "target_id": 18446623435582458880, "snapshots": [{"start_time": "1745091985773302272", "end_time": "1745091985873302272", "regions": [${region}]}]}]`;
  const INTERVALS = `"intervals": {"sample_us": "5,000", "aggr_us": "100 ms", "ops_update_us": "1 s"},`;

  test('is read exactly: large numbers, commas, rounded sizes', async () => {
    const { records } = await load(record(INTERVALS));
    expect(records[0].head).toMatchObject({
      targetId: '18446623435582458880',
      intervals: { sampleUs: 5000, aggrUs: 100_000, opsUpdateUs: 1e6 },
    });
    const [snapshot] = records[0].snapshots;
    expect(snapshot).toMatchObject({ startNs: 1745091985773302272n, aggrUs: 100_000, maxNrAccesses: 20 });
    expect([...snapshot.szFilterPassed]).toEqual([Math.trunc(31.34 * 2 ** 20)]);
    expect([...snapshot.start, ...snapshot.end, ...snapshot.age]).toEqual([4096, 1_052_672, 7]);
  });

  test.each([
    ['before', '', 25, 20],
    ['unknown', undefined, 25, 100],
  ])(
    'percent and microseconds are the same in other words, intervals %s',
    async (_what, after, percent, most) => {
      const region = `{"start": "4096", "end": "8192", "nr_accesses": {"samples": null, "percent": "${percent} %"}, "age": {"usec": "700,000", "aggr_intervals": null}}`;
      const { records } = await load(record(after === undefined ? '' : INTERVALS, region));
      const [snapshot] = records[0].snapshots;
      expect(snapshot.maxNrAccesses).toBe(most);
      expect(snapshot.nrAccesses[0] / most).toBe(0.25);
      expect(snapshot.age[0] * (snapshot.ageUnitUs ?? 0)).toBe(700_000);
    },
  );

  test('intervals that come after the snapshots count as well', async () => {
    const text = `[{"snapshots": [{"start_time": 1, "end_time": 2, "regions": [${REGION}]}], "intervals": {"sample_us": 5000, "aggr_us": 100000, "ops_update_us": 0}}]`;
    const { records } = await load(text, 7);
    expect(records[0].snapshots[0].maxNrAccesses).toBe(20);
  });

  test('the artificial region of a single perf snapshot is no region', async () => {
    const region = `{"start": "0", "end": "0", "nr_accesses": {"samples": -1, "percent": null}, "age": {"usec": null, "aggr_intervals": "-1"}}`;
    const { records, counts } = await load(record(INTERVALS, `${region}, ${REGION}`));
    expect(records[0].snapshots[0].count).toBe(1);
    expect(counts).toMatchObject({ artificial: 1, unreadable: 0 });
  });

  test('what cannot be read is counted, and an address beyond 2^53 left out', async () => {
    const large = REGION.replace('1,052,672', '18,446,744,073,709,551,615');
    const { counts } = await load(record(INTERVALS, `${REGION}, 12, {"start": "x"}, ${large}`));
    expect(counts).toMatchObject({ regions: 1, unreadable: 2, addressesTooLarge: 1 });
  });

  test.each([
    ['{"kdamonds": []}', 'THERMO_RECORD_FORMAT', /no record of damo/],
    ['[{"snapshots": [{"start_time": 1', 'THERMO_TRACE_TRUNCATED', /ends in the middle/],
    ['[]', 'THERMO_RECORD_FORMAT', /no snapshot/],
    ['[{"snapshots": [{"a" 1}]}]', 'THERMO_RECORD_FORMAT', /not in order/],
    ['once upon a time\n', 'THERMO_RECORD_FORMAT', /no record of regions/],
    [deflateSync(record('').repeat(100)).subarray(0, 90), 'THERMO_TRACE_TRUNCATED', /ends too early/],
  ])('%s gives one clear error', async (text, code, message) => {
    const error = await load(text).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ThermoError);
    expect((error as ThermoError).code).toBe(code);
    expect((error as ThermoError).message).toMatch(message);
  });
});

describe('events of DAMON', () => {
  const line = (us: number, regions: number, range: string, rest: string, target = 7): string =>
    `       kdamond.0  4452 [000] 100.${String(us).padStart(6, '0')}: damon:damon_aggregated: target_id=${target} nr_regions=${regions} ${range}: ${rest}\n`;

  test('are snapshots of as many lines as they say, of each target, with and without ages', async () => {
    const text = [
      line(100_000, 2, '0-4096', '5 1'),
      line(100_001, 1, '4096-8192', '1 2', 8),
      line(100_002, 2, '4096-8192', '0 3'),
      'what is this\n',
      line(200_000, 1, '0-8192', '2'),
      line(310_000, 1, '0-8192', '2'),
    ].join('');
    const { records, counts, format } = await load(text, 11);
    expect(format).toBe('damon-trace');
    expect(counts).toMatchObject({ snapshots: 4, regions: 5, unreadable: 1, firstUnreadableLine: 4 });
    const [first, second] = records.find(({ head }) => head.targetId === '7')?.snapshots ?? [];
    // The first one is as long as the others on average.
    expect([first.startNs, first.endNs]).toEqual([99_995_000_000n, 100_100_000_000n]);
    expect([second.startNs, second.endNs]).toEqual([100_100_000_000n, 100_200_000_000n]);
    expect([...first.nrAccesses, ...first.age]).toEqual([5, 0, 1, 3]);
    expect(second.age[0]).toBeNaN();
  });

  test('of schemes tell what was tried', async () => {
    const tried = (us: number, range: string): string =>
      ` kdamond.0 1 [000] 5.${us}: damon:damos_before_apply: ctx_idx=0 scheme_idx=1 target_idx=0 nr_regions=9 ${range}: 3 4\n`;
    const { records } = await load(
      `${tried(100_000, '0-4096')}${tried(100_001, '8192-12288')}${tried(200_000, '0-4096')}`,
    );
    expect(records[0].head).toMatchObject({ contextIdx: 0, schemeIdx: 1, targetId: '0' });
    expect(records[0].snapshots.map(({ count }) => count)).toEqual([2, 1]);
  });

  test('of tuning say how long sampling takes from then on', async () => {
    const text = ` kdamond.0 1 [000] 5.000000: damon:damon_monitor_intervals_tune: sample_us=7000\n${line(1, 1, '0-4096', '1 1')}`;
    expect((await load(text)).records[0].snapshots[0].sampleUs).toBe(7000);
  });
});

describe('dumps of memtierd', () => {
  test('of its tracker: each process a target, each scan a snapshot', async () => {
    const { records, format, counts } =
      await load(`          timestamp       pid             addr    pages     accs   writes
 1660000000000000000       11     7f0000200000      512      128        0
 1660000000000000000       11     7f0000000000      512        0      512
 1660000002000000000       11     7f0000000000      512        1        0
 1660000002000000000       12     7f0000000000      512        1        0
a b c
`);
    expect(format).toBe('memtierd');
    expect(counts).toMatchObject({ snapshots: 3, unreadable: 1, firstUnreadableLine: 6 });
    const [first, second] = records[0].snapshots;
    expect([...first.start]).toEqual([0x7f0000000000, 0x7f0000200000]);
    expect([...first.nrAccesses]).toEqual([1, 0.25]);
    expect(second).toMatchObject({ startNs: 1660000000000000000n, aggrUs: 2e6, maxNrAccesses: 1 });
  });

  test('of its heat forecaster', async () => {
    const { records } =
      await load(`table: heat forecast 1660000000000000000 pid addr size heat created updated
12345 7f0000000000 2097152 0.250000000 1659999990000000000 1660000000000000000
table: heat forecast 1660000005000000000 pid addr size heat created updated
12345 7f0000000000 2097152 0.500000000 1659999990000000000 1660000005000000000
`);
    expect(records[0].head.targetId).toBe('12345');
    expect(records[0].snapshots.map(({ nrAccesses }) => nrAccesses[0])).toEqual([0.25, 0.5]);
  });
});

type Row = readonly [start: number, end: number, nrAccesses: number, age: number];

/** Snapshots of a second each, ten samples in it. */
function recordOf(snapshots: readonly { readonly regions: readonly Row[] }[]): RegionRecord {
  const column = (rows: readonly Row[], i: number): Float64Array => Float64Array.from(rows, (row) => row[i]);
  return {
    head: {
      kdamondIdx: 0,
      contextIdx: 0,
      schemeIdx: null,
      targetId: null,
      intervals: null,
      schemeFilters: [],
      dataSource: null,
    },
    snapshots: snapshots.map(
      ({ regions }, i): RecordedSnapshot => ({
        startNs: BigInt(i) * 1_000_000_000n,
        endNs: BigInt(i + 1) * 1_000_000_000n,
        count: regions.length,
        start: column(regions, 0),
        end: column(regions, 1),
        nrAccesses: column(regions, 2),
        age: column(regions, 3),
        szFilterPassed: new Float64Array(regions.length).fill(Number.NaN),
        sampleUs: 100_000,
        aggrUs: 1e6,
        ageUnitUs: 1e6,
        maxNrAccesses: 10,
        totalBytes: null,
        damosStats: null,
      }),
    ),
  };
}

describe('heat over time and address', () => {
  test('age paints the past of a single snapshot', () => {
    const record = recordOf([{ regions: [[0, 4096, 5, 4]] }]);
    expect(spanOf(record)).toEqual({ start: -3e6, end: 1e6 });
    const { cells } = heatRaster(record, { rows: 4, columns: 1, range: { start: 0, end: 4096 } });
    expect([...cells]).toEqual([5, 5, 5, 5]);
  });

  test('but not what the snapshot before has seen: nothing counts twice', () => {
    const record = recordOf([{ regions: [[0, 4096, 0, 0]] }, { regions: [[0, 4096, 5, 100]] }]);
    const { cells } = heatRaster(record, { rows: 2, columns: 1, range: { start: 0, end: 4096 } });
    expect([...cells]).toEqual([0, 5]);
  });

  test('cells that nobody saw are not known, those seen in part are as hot as what was seen', () => {
    const record = recordOf([{ regions: [[4096, 8192, 4, 0]] }]);
    const { cells } = heatRaster(record, { rows: 1, columns: 4, range: { start: 0, end: 4 * 4096 } });
    expect([...cells]).toEqual([Number.NaN, 4, Number.NaN, Number.NaN]);
    const wide = heatRaster(record, { rows: 1, columns: 1, range: { start: 0, end: 4 * 4096 } });
    expect([...wide.cells]).toEqual([4]);
  });

  propTest.prop([arbitraryRecord, fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 })], {
    numRuns: 100,
  })('is never above the highest count, nor below the lowest', (record, rows, columns) => {
    const all = record.snapshots.flatMap(({ nrAccesses, aggrUs }) =>
      Array.from(nrAccesses, (n) => (aggrUs === null ? n : n / (aggrUs / 1e6))),
    );
    const range = { start: 0x7f00_0000_0000, end: 0x7f00_4000_0000 };
    for (const cell of heatRaster(record, { rows, columns, range }).cells) {
      if (Number.isNaN(cell)) continue;
      expect(cell).toBeLessThanOrEqual(Math.max(...all) * (1 + 1e-9));
      expect(cell).toBeGreaterThanOrEqual(Math.min(...all) * (1 - 1e-9));
    }
  });
});

describe('memory that serves accesses', () => {
  test('takes the hottest first and cuts the last', () => {
    const [snapshot] = recordOf([
      {
        regions: [
          [0, 1000, 1, 0],
          [1000, 2000, 9, 0],
          [2000, 9000, 0, 0],
        ],
      },
    ]).snapshots;
    expect(memoryFor(snapshot, [0, 0.45, 0.9, 0.95, 1])).toEqual([0, 500, 1000, 1500, 2000]);
  });

  test('a record in which nothing was accessed needs none', () => {
    const record = recordOf([{ regions: [[0, 1000, 0, 0]] }]);
    expect(memoryCurve(record, [50])).toMatchObject({ snapshots: 0 });
  });

  propTest.prop([arbitraryRecord], { numRuns: 100 })(
    'grows with the share, and stays within what there is',
    (record) => {
      const { curve, totalBytes } = memoryCurve(record, [50, 100]);
      for (let i = 1; i < curve.length; i++)
        expect(curve[i].bytes).toBeGreaterThanOrEqual(curve[i - 1].bytes);
      expect(curve[curve.length - 1].bytes).toBeLessThanOrEqual(totalBytes + 1);
    },
  );
});

describe('a selection', () => {
  const record = recordOf([
    {
      regions: [
        [0, 4096, 0, 30],
        [4096, 12288, 5, 2],
      ],
    },
    { regions: [[0, 12288, 10, 0]] },
  ]);
  const regionsLeft = (selection: Parameters<typeof selectRecords>[1]): number[][] =>
    selectRecords([record], selection).flatMap(({ snapshots }) =>
      snapshots.map(({ start, end }) => Array.from(start, (from, i) => end[i] - from)),
    );

  test.each([
    ['by size, at the limit', { sizeBytes: { min: 8192, max: 12288 } }, [[8192], [12288]]],
    ['by rate', { rateShare: { min: 0.5, max: 0.9 } }, [[8192], []]],
    ['by age', { ageUs: { min: 30e6, max: 30e6 } }, [[4096], []]],
    ['by temperature', { temperature: { min: Number.NEGATIVE_INFINITY, max: 0 } }, [[4096], []]],
    ['by address, cut to it', { addresses: [{ start: 2048, end: 6144 }] }, [[2048, 2048], [4096]]],
    ['by number from the end', { snapshots: { min: -1, max: Number.POSITIVE_INFINITY } }, [[12288]]],
    ['by time', { timeUs: { min: 0, max: 1e6 } }, [[4096, 8192]]],
    ['by size of the snapshot', { snapshotBytes: { min: 12289, max: 99999 } }, []],
    ['by target', { target: 'other' }, []],
  ])('%s', (_how, selection, expected) => {
    expect(regionsLeft(selection)).toEqual(expected);
  });
});
