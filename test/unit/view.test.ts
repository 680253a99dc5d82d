import { describe, expect, test } from 'vitest';
import { type HeatMapData, renderHeatMap } from '../../src/view/heatmap.ts';
import { detectColorDepth, heatColor } from '../../src/view/palette.ts';
import { type RunFacts, renderRunSummary } from '../../src/view/run-summary.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is counted
const ESCAPES = /\x1b\[[0-9;]*m/g;

/** A hot area that climbs through the memory, over a lukewarm floor. */
const data: HeatMapData = {
  rows: 64,
  totalBytes: 64 * 2 ** 30,
  firstAddress: 0x100000,
  columns: Array.from({ length: 60 }, (_, c) => {
    const cells = new Float64Array(64).fill(0.05);
    for (let row = c; row < Math.min(64, c + 5); row++) cells[row] = 235;
    return { timeUs: (c + 1) * 1e6, cells };
  }),
};

const COUNTS = {
  elsewhereBytes: 0,
  exchangedBytes: 0,
  notWorthBytes: 0,
  filteredOutBytes: 0,
  nrTried: 120,
  nrApplied: 119,
  nrSnapshots: 4350,
  matchedBytes: 2 ** 30,
  cpuSeconds: 131,
  isActive: true,
};

const facts: RunFacts = {
  machine: 'seed-test-2',
  workload: 'a sweep',
  tracker: 'evidence',
  seed: 1,
  simulatedSeconds: 435,
  wallSeconds: 3.2,
  accesses: 25_769_803_776,
  fastTierShare: 0.972,
  completionSeconds: 435,
  slowdown: 0.042,
  baseline: { static: 628.2, allFast: 417.5, staticFastTierShare: 0.664 },
  promotedBytes: 64.7 * 2 ** 30,
  demotedBytes: 64.8 * 2 ** 30,
  reclaimDemotedBytes: 64.8 * 2 ** 30,
  failedBytes: 4096,
  pingPongBytes: 3 * 2 ** 20,
  pagedOutBytes: 0,
  pagedInBytes: 0,
  regions: { peak: 904, limit: 1000 },
  metadataBytes: 286_278,
  pullChecks: 6_525_375,
  pushSamples: 1_905_809,
  droppedSamples: 12,
  monitoring: { cpuShare: 0.0199, budgetShare: 0.02, sampleUs: 5000, aggrUs: 100_000 },
  schemes: [
    {
      name: 'promote',
      action: 'migrate_hot',
      triedBytes: 2 ** 36,
      appliedBytes: 2 ** 36 - 4096,
      failedBytes: 4096,
      failedBy: { destination_full: 4096, not_mapped: 0, busy: 0 },
      ...COUNTS,
      quotaBytes: 2 ** 30,
      effectiveBytes: 2 ** 30,
      quotaSeconds: 1,
      quotaExceeded: 21,
    },
    {
      name: 'demote-with-a-long-name',
      action: 'migrate_cold',
      triedBytes: 0,
      appliedBytes: 0,
      failedBytes: 0,
      failedBy: { destination_full: 0, not_mapped: 0, busy: 0 },
      ...COUNTS,
      filteredOutBytes: 2 ** 31,
      isActive: false,
      quotaBytes: null,
      effectiveBytes: 7 * 2 ** 20,
      quotaSeconds: 1,
      quotaExceeded: 0,
    },
  ],
  hotSet: { precision: 0.97, recall: 0.975, f1: 0.972, minRatePerS: 57.5 },
  interrupted: false,
  isComplete: true,
  warnings: ['3 of 100 lines are no lackey access and were left out (first: line 7)'],
};

describe('the heat map', () => {
  test.each([100, 60, 40])('fits %d columns without colour', async (width) => {
    const text = renderHeatMap(data, { width, height: 16, depth: 'none' });
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(width);
    expect(text).not.toMatch(ESCAPES);
    await expect(text).toMatchFileSnapshot(`../golden/heatmap-${width}.txt`);
  });

  test.each(['16', '256', 'truecolor'] as const)(
    'in %s colours has the same size, and no colour runs past a line',
    (depth) => {
      const text = renderHeatMap(data, { width: 60, height: 8, depth });
      const lines = text.trimEnd().split('\n');
      for (const line of lines) {
        expect(line.replace(ESCAPES, '').length).toBeLessThanOrEqual(60);
        const codes = line.match(ESCAPES) ?? [];
        if (codes.length > 0) expect(codes.at(-1)).toBe('\x1b[0m');
      }
      expect(lines[0]).toContain('▀');
    },
  );

  test('says so when nothing was recorded', () => {
    expect(renderHeatMap({ ...data, columns: [] }, { width: 60, height: 8, depth: 'none' })).toBe(
      'heat map: nothing was recorded\n',
    );
  });

  test('the colour scale gets steadily lighter', () => {
    const light = (level: number): number => {
      const [r, g, b] = heatColor(level);
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    for (let i = 1; i <= 20; i++) expect(light(i / 20)).toBeGreaterThan(light((i - 1) / 20));
  });
});

describe('the summary', () => {
  test.each([120, 80, 40])('at %d columns', async (width) => {
    const text = renderRunSummary(facts, width);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(width);
    await expect(text).toMatchFileSnapshot(`../golden/summary-${width}.txt`);
  });

  test('of an interrupted run gives no completion time', () => {
    expect(renderRunSummary({ ...facts, interrupted: true, isComplete: false }, 120)).toMatch(
      /completion time +interrupted/,
    );
  });
});

describe('colour depth', () => {
  test.each([
    [{}, false, 'none'],
    [{ TERM: 'xterm-256color' }, true, '256'],
    [{ TERM: 'xterm', COLORTERM: 'truecolor' }, true, 'truecolor'],
    [{ TERM: 'xterm' }, true, '16'],
    [{ TERM: 'dumb' }, true, 'none'],
    [{ TERM: 'xterm-256color', NO_COLOR: '1' }, true, 'none'],
    [{ TERM: 'xterm-256color', NO_COLOR: '' }, true, '256'],
    [{ FORCE_COLOR: '3' }, false, 'truecolor'],
    [{ FORCE_COLOR: '0', TERM: 'xterm' }, true, 'none'],
  ] as const)('of %j on a terminal: %s is %s', (env, isTerminal, depth) => {
    expect(detectColorDepth(env, isTerminal)).toBe(depth);
  });
});
