import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { AccessField } from '../../src/machines/field/access-field.ts';
import { builtinField, FIELD_NAMES } from '../../src/machines/field/builtin.ts';
import { FieldMachine, type FieldMachineConfig } from '../../src/machines/field/field-machine.ts';
import { loadField } from '../../src/machines/field/load-field.ts';
import { mulberry32 } from '../../src/machines/field/mulberry32.ts';
import { type FieldArea, RateMap } from '../../src/machines/field/rate-map.ts';
import { createAccessBatch } from '../../src/memory/access-batch.ts';
import { ThermoErrors } from '../../src/memory/error.ts';
import { RandomStream } from '../../src/memory/random.ts';

const CELL = 2 * 2 ** 20;
const PAGE = 4096;

function hotRanges(name: string, seed: number, timeUs = 0, minPerS?: number): [number, number][] {
  const field = builtinField(name).create(seed);
  const ranges: [number, number][] = [];
  field.mapAt(timeUs).forEachHot(minPerS ?? field.hotPerS ?? 30, (start, end) => ranges.push([start, end]));
  return ranges;
}

const sum = (ranges: readonly [number, number][]): number =>
  ranges.reduce((total, [start, end]) => total + end - start, 0);

/** All edges and rates at a moment, as bytes: `toEqual` takes seconds on half a million ranges. */
function bytesOf(field: AccessField, timeUs = 0): Buffer {
  const { start, perS } = field.mapAt(timeUs);
  return Buffer.concat([start, perS].map((array) => Buffer.from(array.buffer)));
}

describe('the fields of the kernel measurements are equal to theirs', () => {
  test('mulberry32 gives the published numbers', () => {
    const draw = mulberry32(1);
    expect([draw(), draw()]).toEqual([0.6270739405881613, 0.002735721180215478]);
  });

  test.each([
    ['onehot', 16_364, 74_829, 2 ** 30],
    ['spots64', 1_052, 144, 2 ** 30],
    ['small256', 82, 192, 2 ** 29],
    ['zipf', 780, 98, 742_391_808],
  ])('%s begins where theirs begins and has as many hot bytes', (name, first, second, bytes) => {
    expect(hotRanges(name, 1)[0][0] / CELL).toBe(first);
    expect(hotRanges(name, 2)[0][0] / CELL).toBe(second);
    for (const seed of [1, 2, 3]) expect(sum(hotRanges(name, seed))).toBe(bytes);
  });

  test.each([
    ['spots64', 1, 246.92893],
    ['spots64', 2, 250.275289],
    ['small256', 1, 392.09403],
    ['small256', 2, 170.791877],
    ['zipf', 1, 135.981528],
    ['zipf', 2, 55.742951],
  ])('the first hot cell of %s %i has its rate', (name, seed, perS) => {
    const map = builtinField(name).create(seed).mapAt(0);
    const [start] = hotRanges(name, seed)[0];
    expect(map.perS[map.locate(start)]).toBeCloseTo(perS, 4);
  });

  test('totals and highest rates are theirs', () => {
    const total = (name: string, seed: number): number => builtinField(name).create(seed).mapAt(0).totalPerS;
    expect(total('spots64', 1) / 1e7).toBeCloseTo(7.67207, 4);
    expect(total('spots64', 2) / 1e7).toBeCloseTo(8.17993, 4);
    expect(total('zipf', 1) / 1e7).toBeCloseTo(8.20419, 4);
    const zipf = builtinField('zipf').create(1).mapAt(0);
    const highest = zipf.perS.indexOf(Math.max(...zipf.perS));
    expect(zipf.perS[highest]).toBeCloseTo(6797.044, 2);
    expect(zipf.start[highest] / CELL).toBe(22_224);
  });

  test('moving begins at their GiB and jumps every 5.44 s', () => {
    expect(hotRanges('moving', 1)).toEqual([[111 * 2 ** 30, 112 * 2 ** 30]]);
    expect(hotRanges('moving', 2)[0][0]).toBe(114 * 2 ** 30);
    expect(hotRanges('moving', 1, 5.44e6 - 1)[0][0]).toBe(111 * 2 ** 30);
    expect(hotRanges('moving', 1, 5.44e6)[0][0]).toBe(112 * 2 ** 30);
    expect(hotRanges('moving', 1, 49 * 5.44e6)[0][0]).toBe(0);
  });
});

describe('the other built-in fields', () => {
  test('are what they say', () => {
    expect(sum(hotRanges('fine', 1))).toBe(2048 * 65536);
    expect(hotRanges('fine', 1).some(([start]) => start % 65536 !== 0)).toBe(true);
    expect(sum(hotRanges('huge', 1))).toBe(2 ** 30);
    expect(builtinField('huge').create(1).sizeBytes).toBe(2 ** 44);
    const pages = (160 * 2 ** 30) / PAGE;
    expect(sum(hotRanges('sparse', 1)) / PAGE / pages).toBeCloseTo(0.01, 4);
    expect(builtinField('tlb').create(1).mapAt(0).hasTlb).toBe(true);
  });

  test('phases grows, splits and dies', () => {
    const bytes = (timeS: number): number => sum(hotRanges('phases', 1, timeS * 1e6)) / 2 ** 30;
    expect([0, 1.73, 15.56, 15.57, 20, 21, 42, 42.7, 56.67, 56.68, 300].map(bytes)).toEqual([
      0.5, 1, 4.5, 5, 5, 5, 5, 4.375, 1.25, 0.625, 0.625,
    ]);
    expect(hotRanges('phases', 1, 21e6)).toHaveLength(8);
  });

  test('of equal seed are equal, of different seeds different', () => {
    for (const name of FIELD_NAMES) {
      const { create } = builtinField(name);
      const first = bytesOf(create(7));
      expect(bytesOf(create(7)).equals(first)).toBe(true);
      expect(bytesOf(create(8)).equals(first)).toBe(false);
    }
  });

  test('an unknown one is refused with the nearest name', () => {
    expect(() => builtinField('sprase')).toThrow(/no field "sprase"/);
    expect(() => builtinField('toString')).toThrow(/no field/);
  });
});

describe('a rate map', () => {
  const areas: FieldArea[] = [
    { start: 8 * PAGE, end: 24 * PAGE, perS: 10 },
    { start: 16 * PAGE, end: 32 * PAGE, perS: 20, nid: 1, storeShare: 1 },
  ];

  test('adds up areas that overlap, on top of the background', () => {
    const map = new RateMap(64 * PAGE, 1, areas);
    expect(Array.from(map.start, (at) => at / PAGE)).toEqual([0, 8, 16, 24, 32, 64]);
    expect([...map.perS]).toEqual([1, 11, 31, 21, 1]);
    expect([...map.nid]).toEqual([0, 0, 1, 1, 0]);
    expect(map.totalPerS).toBe(8 + 88 + 248 + 168 + 32);
    for (let page = 0; page < 64; page++) {
      const piece = map.locate(page * PAGE + 17);
      expect(map.start[piece]).toBeLessThanOrEqual(page * PAGE);
      expect(map.start[piece + 1]).toBeGreaterThan(page * PAGE);
    }
  });

  test('refuses areas outside the field', () => {
    expect(() => new RateMap(16 * PAGE, 0, areas)).toThrow(/area/);
    expect(() => new RateMap(64 * PAGE, 0, [{ start: 1, end: PAGE, perS: 1 }])).toThrow(/page-aligned/);
  });

  test('draws pages in proportion to their rates', () => {
    const map = new RateMap(64 * PAGE, 1, areas);
    const random = new RandomStream(1, 'test');
    const counts = new Float64Array(64);
    const draws = 200_000;
    for (let i = 0; i < draws; i++) counts[map.drawPage(map.drawPiece(random), random) / PAGE]++;
    for (let page = 0; page < 64; page++) {
      const expected = (draws * map.perS[map.locate(page * PAGE)]) / map.totalPerS;
      expect(Math.abs(counts[page] - expected)).toBeLessThan(5 * Math.sqrt(expected));
    }
  });
});

describe('a field machine', () => {
  const still = (perS: number): AccessField =>
    new AccessField({
      name: 'test',
      sizeBytes: 1024 * PAGE,
      backgroundPerS: 0,
      areasAt: () => [{ start: 0, end: 512 * PAGE, perS, nid: 3, storeShare: 0.25 }],
    });
  const machine = (config: Partial<FieldMachineConfig>): FieldMachine =>
    new FieldMachine({
      field: still(100),
      push: { kind: 'rate', perS: 10_000 },
      durationUs: 10e6,
      seed: 1,
      ...config,
    });
  const addresses = Float64Array.from({ length: 1024 }, (_, page) => page * PAGE);

  /** Share of hits among the pages of the area, over `rounds` intervals of `us`. */
  function hitShareOf(target: FieldMachine, us: number, rounds: number, pages = 512): number {
    const hits = new Uint8Array(1024);
    let count = 0;
    for (let round = 0; round < rounds; round++) {
      target.preparePull(addresses, 1024);
      target.advance(us);
      target.readPull(hits);
      for (let page = 0; page < pages; page++) count += hits[page];
      expect(hits.subarray(pages).some((hit) => hit === 1)).toBe(false);
    }
    return count / (rounds * pages);
  }

  function drain(target: FieldMachine, us: number) {
    const batch = createAccessBatch(65536);
    target.advance(us);
    target.drainPush(batch);
    return batch;
  }

  test('finds a page accessed with probability 1 - exp(-rate x time)', () => {
    expect(hitShareOf(machine({}), 5000, 40)).toBeCloseTo(1 - Math.exp(-0.5), 1.9);
  });

  test('takes samples at the rate asked for, and says what they stand for', () => {
    const batch = drain(machine({}), 1e6);
    expect(Math.abs(batch.count - 10_000)).toBeLessThan(500);
    // 51,200 accesses per second: one of 5.12 is a sample.
    expect(batch.exposureS).toBeCloseTo(10_000 / 51_200, 9);
    expect(new Set(batch.nid.subarray(0, batch.count))).toEqual(new Set([3]));
    const stores = batch.isStore.subarray(0, batch.count).reduce((total, each) => total + each, 0);
    expect(stores / batch.count).toBeCloseTo(0.25, 1.5);
    expect(Math.max(...batch.address.subarray(0, batch.count))).toBe(511 * PAGE);
  });

  test('takes each N-th access where a period is set, and none where push is off', () => {
    const batch = drain(machine({ push: { kind: 'period', accesses: 100 } }), 1e6);
    expect(batch.exposureS).toBeCloseTo(0.01, 9);
    expect(Math.abs(batch.count - 512)).toBeLessThan(120);
    expect(drain(machine({ push: { kind: 'off' } }), 1e6).count).toBe(0);
  });

  test('follows a field that changes inside an interval', () => {
    const field = new AccessField({
      name: 'test',
      sizeBytes: 1024 * PAGE,
      backgroundPerS: 0,
      areasAt: (us) => (us < 4000 ? [{ start: 0, end: 512 * PAGE, perS: 250 }] : []),
      nextChangeUs: (us) => (us < 4000 ? 4000 : Number.POSITIVE_INFINITY),
    });
    const target = machine({ field });
    expect(hitShareOf(target, 5000, 1)).toBeCloseTo(1 - Math.exp(-1), 1);
    expect(hitShareOf(target, 5000, 1)).toBe(0);
    expect(target.nowUs()).toBe(10_000);
  });

  test('does not set the A bit of a page in the TLB again', () => {
    const field = new AccessField({
      name: 'test',
      sizeBytes: 1024 * PAGE,
      backgroundPerS: 0,
      areasAt: () => [{ start: 0, end: 512 * PAGE, perS: 1000, isTlb: true }],
    });
    const target = machine({ field });
    expect(hitShareOf(target, 5000, 1)).toBeGreaterThan(0.95);
    expect(hitShareOf(target, 5000, 3)).toBe(0);
  });

  test('loses a source, drops samples and lies about its rate when told to', () => {
    const blind = machine({ faults: { pullBlindAtUs: 5000 } });
    expect(hitShareOf(blind, 5000, 1)).toBeGreaterThan(0.2);
    expect(hitShareOf(blind, 5000, 5)).toBe(0);

    const lost = machine({ faults: { pushLostAtUs: 5e5 } });
    expect(drain(lost, 1e6).exposureS).toBeCloseTo(5000 / 51_200, 9);
    expect(drain(lost, 1e6)).toMatchObject({ count: 0, exposureS: 0 });

    const dropping = drain(machine({ faults: { dropShare: 0.5 } }), 1e6);
    expect(dropping.count / (dropping.count + dropping.dropped)).toBeCloseTo(0.5, 1);

    const biased = machine({ faults: { pushBias: { atUs: 1e6, factor: 0.5 } } });
    const before = drain(biased, 1e6);
    const after = drain(biased, 1e6);
    expect(after.count / before.count).toBeCloseTo(0.5, 1);
    expect(after.exposureS).toBeCloseTo(before.exposureS, 9);
  });

  test('does the same twice with the same seed', () => {
    const addressesOf = (seed: number): number[] => {
      const batch = drain(machine({ seed }), 1e5);
      return [...batch.address.subarray(0, batch.count)];
    };
    expect(addressesOf(1)).toEqual(addressesOf(1));
    expect(addressesOf(2)).not.toEqual(addressesOf(1));
  });
});

describe('field files', () => {
  const path = (name: string): string => fileURLToPath(new URL(`../../fields/${name}`, import.meta.url));
  const load = (text: string) => loadField(text, 'field.yaml');
  const head = 'name: x\nsize: 1 GiB\n';

  test.each(['onehot', 'spots64', 'moving', 'sparse'])('fields/%s.yaml is the built-in field', (name) => {
    const source = loadField(readFileSync(path(`${name}.yaml`), 'utf8'), name);
    expect(source.name).toBe(name);
    for (const seed of [1, 2]) {
      const [file, own] = [source.create(seed), builtinField(name).create(seed)];
      expect(file.hotPerS).toBe(own.hotPerS);
      for (const timeUs of [0, 6e6]) {
        expect(bytesOf(file, timeUs).equals(bytesOf(own, timeUs))).toBe(true);
      }
    }
  });

  test('areas come, cool and grow with the phases', () => {
    const field = load(readFileSync(path('web-cache.yaml'), 'utf8')).create(1);
    const rateAt = (address: number, timeS: number): number => {
      const map = field.mapAt(timeS * 1e6);
      return map.perS[map.locate(address)];
    };
    const batch = 12.5 * 2 ** 30;
    expect(rateAt(batch, 5.38) - rateAt(batch, 5.36)).toBeCloseTo(150, 6);
    expect(rateAt(batch, 8.53)).toBe(rateAt(batch, 0));
    const heap = 2 * 2 ** 30 + 300 * 2 ** 20;
    expect(rateAt(heap, 3.22) - rateAt(heap, 3.2)).toBeCloseTo(200, 6);
    expect([0, 3e6, 4e6, 8e6, 9e6].map((us) => field.nextChangeUs(us))).toEqual([
      3.21e6,
      3.21e6,
      5.37e6,
      8.52e6,
      Number.POSITIVE_INFINITY,
    ]);
  });

  test.each<[string, string, string]>([
    [
      'an unknown key',
      `${head}ares: 1\nareas:\n  - { at: 0, size: 4 KiB, rate: 1/s }\n`,
      '3:1: unknown key "ares"',
    ],
    [
      'a missing key',
      'name: x\nareas:\n  - { at: 0, size: 4 KiB, rate: 1/s }\n',
      '1:1: the file lacks the key "size"',
    ],
    ['no area', `${head}areas: []\n`, '3:8: areas:'],
    [
      'an area without a place',
      `${head}areas:\n  - { size: 1 MiB, rate: 1/s }\n`,
      '4:5: an area needs a place',
    ],
    [
      'an area beyond the end',
      `${head}areas:\n  - { at: 1 GiB, size: 4 KiB, rate: 1/s }\n`,
      '4:24: the area ends at',
    ],
    ['a broken page', `${head}areas:\n  - { at: 0, size: 5000, rate: 1/s }\n`, '4:20: size: 4.88 KiB'],
    ['a bare rate', `${head}areas:\n  - { at: 0, size: 4 KiB, rate: 3 }\n`, '4:33: rate: "3" is not a rate'],
    [
      'a falling range',
      `${head}areas:\n  - { placement: anywhere, size: 4 KiB, rate: 3/s..2/s }\n`,
      'not a range',
    ],
    [
      'keys of another kind',
      `${head}areas:\n  - { at: 0, count: 2, size: 4 KiB, rate: 3/s }\n`,
      '4:21: count: has no meaning',
    ],
    [
      'slots that are too small',
      `${head}areas:\n  - { placement: one-per-slot, count: 600, size: 2 MiB, rate: 3/s }\n`,
      'does not fit',
    ],
    [
      'an unknown placement',
      `${head}areas:\n  - { placement: page, share: 1%, rate: 3/s }\n`,
      '4:18: placement: "page" is not known',
    ],
    [
      'a phase of no area',
      `${head}areas:\n  - { name: a, at: 0, size: 4 KiB, rate: 3/s }\nphases:\n  - { at: 1s, area: b, rate: off }\n`,
      '6:21: there is no area "b"',
    ],
    [
      'a phase without effect',
      `${head}areas:\n  - { name: a, at: 0, size: 4 KiB, rate: 3/s }\nphases:\n  - { at: 1s, area: a }\n`,
      '6:5: this phase changes nothing',
    ],
    [
      'an area that moves and grows',
      `${head}areas:\n  - { name: a, at: 0, size: 4 KiB, rate: 3/s, moves: every 1s }\nphases:\n  - { at: 1s, area: a, size: 8 KiB }\n`,
      '6:30: size: an area that moves',
    ],
    [
      'a time that is none',
      `${head}areas:\n  - { at: 0, size: 4 KiB, rate: 3/s, moves: 5s }\n`,
      'moves: "5s" is not understood',
    ],
    ['hot at nothing', `${head}hot: off\nareas:\n  - { at: 0, size: 4 KiB, rate: 3/s }\n`, '3:6: hot:'],
    [
      'a field of no size',
      'name: x\nsize: 0\nareas:\n  - { placement: pages, share: 1%, rate: 3/s }\n',
      '2:7: size: a field cannot',
    ],
    ['no YAML', 'name: [x\n', 'not valid YAML'],
    ['nothing', '', 'the file is empty'],
  ])('%s is refused with line and column', (_, text, expected) => {
    expect(() => load(text)).toThrow(ThermoErrors);
    expect(() => load(text)).toThrow(expected);
  });
});
