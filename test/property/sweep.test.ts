import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { KNOBS, type Knob } from '../../src/lab/sweep/knobs.ts';
import { planSweep, shardOf } from '../../src/lab/sweep/plan.ts';
import { formatVary, parseVary } from '../../src/lab/sweep/vary.ts';
import { LABEL_HEIGHT, overlap, placeLabels } from '../../src/view/plot/labels.ts';
import { type Offer, paretoFront } from '../../src/view/plot/pareto.ts';

const quantities = KNOBS.filter(({ range }) => range !== undefined);
const knobs = fc.constantFrom(...quantities);

const planOf = (vary: readonly string[], seeds: readonly number[], trackers?: readonly string[]) =>
  planSweep({
    base: { machine: { machine: 'full-dram' }, minRatePerS: 57.5 },
    trackers,
    seeds,
    variations: vary.map(parseVary),
    version: '1',
  });

const VARY = [
  'quota=128M/s..1G/s',
  'max-regions=100,1000',
  'size=16G,100G',
  'push=off,5876/s',
  'hot=1/s,50/s',
];
const someVary = fc
  .subarray(VARY)
  .chain((chosen) => fc.shuffledSubarray(chosen, { minLength: chosen.length }));

describe('--vary', () => {
  const textOf = (knob: Knob, number: number): string =>
    knob.range?.format(number * (knob.range.step ?? 1)) ?? '';

  test.prop([knobs, fc.uniqueArray(fc.integer({ min: 1, max: 1e6 }), { minLength: 1, maxLength: 8 })])(
    'what is printed of values reads back to the same values',
    (knob, numbers) => {
      const variation = parseVary(`${knob.key}=${numbers.map((each) => textOf(knob, each)).join(',')}`);
      const again = parseVary(formatVary(variation));
      expect(again.choices).toEqual(variation.choices);
      expect(formatVary(again)).toBe(formatVary(variation));
    },
  );

  test.prop([
    knobs,
    fc.integer({ min: 1, max: 1000 }),
    fc.integer({ min: 1, max: 1000 }),
    fc.integer({ min: 2, max: 20 }),
  ])('a range begins with its first value, ends with its last, and rises', (knob, a, b, steps) => {
    const [from, to] = [Math.min(a, b), Math.max(a, b)].map((each) => textOf(knob, each));
    for (const text of [`${from}..${to}`, `${from}..${to}/${steps}`]) {
      const texts = parseVary(`${knob.key}=${text}`).choices.map((choice) => choice.text);
      expect([texts[0], texts.at(-1)]).toEqual([knob.read(from).text, knob.read(to).text]);
      const values = texts.map((each) => knob.range?.parse(each) ?? Number.NaN);
      expect(values).toEqual([...values].sort((x, y) => x - y));
    }
  });

  test.prop([fc.string({ maxLength: 40 })])('no text at all breaks the reader', (text) => {
    try {
      parseVary(text);
    } catch (error) {
      expect((error as { code?: string }).code).toMatch(/^THERMO_/);
    }
  });
});

describe('the plan of a sweep', () => {
  test.prop([
    someVary,
    fc.uniqueArray(fc.nat(99), { minLength: 1, maxLength: 4 }),
    fc.integer({ min: 1, max: 40 }),
  ])(
    'is divided by shards: none has what another has, and together they are the whole',
    (vary, seeds, count) => {
      const whole = planOf(vary, seeds);
      const shards = Array.from({ length: count }, (_, i) => shardOf(whole, i + 1, count));
      const ids = shards.flat().map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      expect([...ids].sort()).toEqual(whole.map(({ id }) => id).sort());
      const sizes = shards.map((shard) => shard.length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    },
  );

  test.prop([
    someVary,
    fc.shuffledSubarray(['evidence', 'grid', 'static', 'oracle', 'pghot-default'], { minLength: 5 }),
  ])('has the same runs, and the same shards, in whatever order its parts are named', (vary, trackers) => {
    const ids = (runs: readonly { readonly id: string }[]): string[] => runs.map(({ id }) => id).sort();
    const [one, other] = [
      planOf(vary, [1, 2], trackers),
      planOf([...vary].reverse(), [2, 1], [...trackers].sort()),
    ];
    expect(ids(one)).toEqual(ids(other));
    expect(ids(shardOf(one, 2, 3))).toEqual(ids(shardOf(other, 2, 3)));
  });
});

describe('the Pareto front', () => {
  const offers = fc.array(fc.record({ cost: fc.nat(12), gain: fc.nat(12) }), { maxLength: 60 });
  const naive = (all: readonly Offer[]): Offer[] =>
    all.filter(
      (one) =>
        !all.some(
          (other) =>
            other.cost <= one.cost &&
            other.gain >= one.gain &&
            (other.cost < one.cost || other.gain > one.gain),
        ),
    );

  test.prop([offers])('is what nobody betters, as its definition says', (all) => {
    expect(new Set(paretoFront(all))).toEqual(new Set(naive(all)));
    expect(paretoFront(all).length).toBe(naive(all).length);
  });
});

describe('names in a plot', () => {
  const frame = { left: 0, top: 0, right: 400, bottom: 300 };
  const points = fc.array(
    fc.record({
      x: fc.integer({ min: 10, max: 390 }),
      y: fc.integer({ min: 10, max: 290 }),
      text: fc.string({ minLength: 1, maxLength: 18 }),
      isBest: fc.boolean(),
    }),
    { maxLength: 40 },
  );

  test.prop([points])('overlap neither each other nor a point, and stay in the frame', (all) => {
    const placed = placeLabels(all, frame);
    placed.forEach(({ box }, i) => {
      expect(box.bottom - box.top).toBeCloseTo(LABEL_HEIGHT, 9);
      expect(box.left >= 0 && box.right <= 400 && box.top >= 0 && box.bottom <= 300).toBe(true);
      for (const other of placed.slice(i + 1)) expect(overlap(box, other.box)).toBe(false);
      for (const { x, y } of all) {
        expect(x > box.left && x < box.right && y > box.top && y < box.bottom).toBe(false);
      }
    });
    if (all.length <= 5) expect(placed.length).toBe(all.length);
  });
});
