/** What promotions were worth: for how long memory was held that was used more than what left for it. */
import { describe, expect, test } from 'vitest';
import { NO_REGIONS } from '../../src/monitor/monitor.ts';
import { Leavers } from '../../src/schemes/leavers.ts';
import { Payoff } from '../../src/schemes/payoff.ts';
import { UnitTable } from '../../src/schemes/unit-table.ts';
import { regionsOf } from './scheme-fakes.ts';

const PAGE = 4096;
const RULE = { ratio: 2, paybackUs: 60e6 };
const YOUNG_US = 0.1e6;
const OLD_US = 20e6;

/** Regions of one page each, with these rates. */
function tableOf(rates: readonly number[]): UnitTable {
  const table = new UnitTable();
  table.fill(regionsOf(rates.map((rate, i) => ({ start: i * PAGE, end: (i + 1) * PAGE, rate }))), NO_REGIONS);
  return table;
}

/** A second per round: page 0 is promoted again and again at 100 accesses per second. */
function learnt(
  seconds: number,
  rateAt: (second: number) => number,
  isThere: (second: number) => boolean,
  ageUs = YOUNG_US,
): Payoff {
  const payoff = new Payoff(RULE);
  for (let s = 0; s < seconds; s++) {
    payoff.follow(s * 1e6, tableOf([rateAt(s)]), () => isThere(s));
    payoff.note(s * 1e6, 0, PAGE, 100, ageUs);
  }
  return payoff;
}

describe('what a promotion was worth', () => {
  test('is trusted to be the whole payback time until enough of them have told', () => {
    expect(
      learnt(
        1,
        () => 0,
        () => true,
      ).heldS(YOUNG_US),
    ).toBe(60);
    expect(
      learnt(
        8,
        () => 0,
        () => true,
      ).heldS(YOUNG_US),
    ).toBe(60);
    expect(
      learnt(
        120,
        () => 0,
        () => true,
      ).heldS(YOUNG_US),
    ).toBe(0);
  });

  test('is the whole time for memory that stays as hot as it was', () => {
    expect(
      learnt(
        120,
        () => 100,
        () => true,
      ).heldS(YOUNG_US),
    ).toBeCloseTo(60, 0);
  });

  test('is half of it for memory that is half as hot from then on', () => {
    expect(
      learnt(
        120,
        () => 50,
        () => true,
      ).heldS(YOUNG_US),
    ).toBeCloseTo(30, 0);
  });

  test('is little for memory that is driven out soon, however hot it was', () => {
    // Of ten seconds three in the fast tier, and used in these alone.
    const isInside = (s: number): boolean => s % 10 < 3;
    const heldS = learnt(200, (s) => (isInside(s) ? 100 : 0), isInside).heldS(YOUNG_US);
    expect(heldS).toBeGreaterThan(0);
    expect(heldS).toBeLessThan(4);
  });

  test('is nothing for memory that drives out what is used as much', () => {
    expect(
      learnt(
        200,
        () => 100,
        (s) => s % 10 < 3,
      ).heldS(YOUNG_US),
    ).toBe(0);
  });

  test('is told apart by age', () => {
    const payoff = learnt(
      120,
      () => 0,
      () => true,
      OLD_US,
    );
    expect([payoff.heldS(YOUNG_US), payoff.heldS(OLD_US)]).toEqual([60, 0]);
  });

  test('is tried a few times a second where it is nothing', () => {
    const payoff = learnt(
      120,
      () => 0,
      () => true,
    );
    let trials = 0;
    while (payoff.takeTrial(YOUNG_US)) trials++;
    expect(trials).toBe(4);
    payoff.follow(120e6, tableOf([0]), () => true);
    expect(payoff.takeTrial(YOUNG_US)).toBe(true);
  });
});

describe('what a tier loses', () => {
  /** Two pages; page 0 leaves after a second and, if ever, comes back. */
  function lostPerS(rate: number, backAfterS: number): number {
    const leavers = new Leavers(60e6);
    let lost = 0;
    for (let s = 0; s < 40; s++) {
      const isThere = (address: number): boolean => address >= PAGE || s < 1 || s >= backAfterS;
      lost = leavers.follow(s * 1e6, s === 0 ? 0 : 1e6, tableOf([rate, 1000]), isThere);
    }
    return lost;
  }

  test('is how often memory is used that has left it', () => {
    expect(lostPerS(7, Number.POSITIVE_INFINITY)).toBeCloseTo(7, 0);
    expect(lostPerS(0, Number.POSITIVE_INFINITY)).toBe(0);
  });

  test('is less for memory that has come back', () => {
    expect(lostPerS(7, 11)).toBeLessThan(3);
  });

  test('is nothing where nothing is watched', () => {
    expect(new Leavers(1e6).follow(0, 0, tableOf([]), () => true)).toBe(0);
  });
});
