import { fc, test as propertyTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { RegionSnapshot } from '../../src/engine/snapshot.ts';
import { AccuracyScorer } from '../../src/lab/accuracy/score.ts';
import { HotSetScore } from '../../src/lab/hot-set-score.ts';
import { RateMap } from '../../src/machines/field/rate-map.ts';
import type { Truth } from '../../src/machines/machine.ts';
import { NO_REGIONS } from '../../src/monitor/monitor.ts';
import { ratedPages as regionsOf } from './rated-pages.ts';

const PAGE = 4096;

function truthOf(map: RateMap): Truth {
  return {
    forEachHot: (minRate, visit) => map.forEachHot(minRate, visit),
    totals: () => ({ accesses: 0, fastAccesses: 0 }),
    completionSeconds: () => 0,
    baseline: () => ({ staticSeconds: 0, allFastSeconds: 0, staticFastTierShare: 0 }),
  };
}

describe('the hot set of a run', () => {
  const map = new RateMap(100 * PAGE, 1, [{ start: 10 * PAGE, end: 14 * PAGE, perS: 100 }]);
  const regions = regionsOf([
    [0, 50, 8],
    [50, 100, 1],
  ]);

  test('is found by spots inside a region that is too cool on the whole', () => {
    const score = new HotSetScore(truthOf(map), 30);
    score.add(regions, NO_REGIONS);
    expect(score.result()).toEqual({ precision: 1, recall: 0, f1: 0 });
    score.add(regions, regionsOf([[11, 15, 90]]));
    // Over both moments: 3 pages are both, 4 detected, 8 hot.
    expect(score.result()).toEqual({ precision: 0.75, recall: 3 / 8, f1: 0.5 });
  });

  const cuts = fc
    .uniqueArray(fc.integer({ min: 0, max: 100 }), { minLength: 2, maxLength: 14 })
    .map((pages) => [...pages].sort((a, b) => a - b))
    .map((pages) =>
      pages.slice(1).map((end, i): [number, number, number] => [pages[i], end, (end * 37) % 60]),
    );
  propertyTest.prop([cuts, cuts.map((list) => list.filter((_each, i) => i % 2 === 0))])(
    'scores as the accuracy lab does',
    (list, spots) => {
      const score = new HotSetScore(truthOf(map), 30);
      score.add(regionsOf(list), regionsOf(spots));
      const { precision, recall, f1 } = new AccuracyScorer(30).score(regionsOf(list), regionsOf(spots), map);
      expect(score.result()).toEqual({ precision, recall, f1 });
    },
  );
});

test('a published snapshot holds the spots beside the regions', () => {
  const regions = regionsOf([
    [0, 50, 8],
    [50, 100, 1],
  ]);
  const { count, end, age, spots } = new RegionSnapshot(1, regions, regionsOf([[11, 15, 90]]));
  expect([count, [...end], [...age]]).toEqual([2, [50 * PAGE, 100 * PAGE], [0, 1]]);
  expect([spots.count, [...spots.start], [...spots.end], [...spots.ratePerS]]).toEqual([
    1,
    [11 * PAGE],
    [15 * PAGE],
    [90],
  ]);
});
