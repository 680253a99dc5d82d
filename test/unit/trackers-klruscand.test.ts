import { describe, expect, test } from 'vitest';
import { PAGE_SIZE } from '../../src/memory/range.ts';
import { Klruscand, SCAN_BATCH } from '../../src/trackers/klruscand.ts';
import { TRACKERS } from '../../src/trackers/registry.ts';
import { FakeTrackerHost, GIB, hotRanges, MIB } from './tracker-fakes.ts';

const MS = 1_000;

/** Steps every 100 ms from now on until `ms`. */
function runTo(host: FakeTrackerHost, tracker: Klruscand, ms: number): void {
  while (host.us < ms * MS) {
    host.us += 100 * MS;
    tracker.step();
  }
}

describe('klruscand', () => {
  test('promotes what two walks 4 s apart found accessed', () => {
    const host = new FakeTrackerHost({ bytes: 16 * MIB, onFast: MIB });
    const tracker = new Klruscand(host);
    host.accessed = [{ start: 0, end: 2 * MIB }];
    runTo(host, tracker, 3_900);
    expect(tracker.counters().pghot_recorded_pgtscans).toBe(0);
    runTo(host, tracker, 4_000);
    expect(tracker.counters()).toMatchObject({ pghot_recorded_pgtscans: 512, pghot_recorded_accesses: 256 });
    host.accessed = [{ start: MIB, end: MIB + 4 * PAGE_SIZE }];
    runTo(host, tracker, 7_900);
    expect(host.requests).toEqual([]);
    runTo(host, tracker, 8_000);
    expect(host.requests).toEqual([{ start: MIB, end: MIB + 4 * PAGE_SIZE, nid: 0 }]);
    host.settle(tracker);
    expect(tracker.counters()).toMatchObject({ pgpromote_candidate: 4, pgpromote_success: 4 });
    expect(hotRanges(tracker)).toEqual([]);
  });

  test('a walk that finds nothing in between ends the window of 5 s', () => {
    const host = new FakeTrackerHost({ bytes: 16 * MIB });
    const tracker = new Klruscand(host);
    host.accessed = [{ start: 0, end: MIB }];
    runTo(host, tracker, 4_000);
    host.accessed = [];
    runTo(host, tracker, 8_000);
    host.accessed = [{ start: 0, end: MIB }];
    runTo(host, tracker, 12_000);
    expect(host.requests).toEqual([]);
  });

  test('batches of 131,072 pages split what they find, and all memory pays 23 ns a page', () => {
    const host = new FakeTrackerHost({ bytes: GIB });
    const tracker = new Klruscand(host);
    host.accessed = [{ start: 0, end: GIB }];
    runTo(host, tracker, 4_000);
    expect(SCAN_BATCH * PAGE_SIZE).toBe(GIB / 2);
    expect(tracker.counters().pghot_recorded_accesses).toBe(262_144);
    expect(tracker.cpu.backgroundNs).toBe(262_144 * (23 + 200));
    expect(tracker.cpu.applicationNs).toBe(0);
    expect(tracker.metadataBytes).toBe(262_144 * 4 + 131_072 * 8);
  });
});

describe('the table of trackers', () => {
  test('is in order of the alphabet, and each is made under its name', () => {
    const names = Object.keys(TRACKERS);
    expect(names).toEqual([...names].sort());
    for (const name of names) {
      const tracker = TRACKERS[name].create(new FakeTrackerHost({ bytes: 16 * MIB }), 1);
      expect(tracker.name).toBe(name);
      expect(tracker.stepUs).toBeGreaterThan(0);
      expect(tracker.metadataBytes).toBeGreaterThanOrEqual(0);
      expect(TRACKERS[name].is).not.toBe('');
    }
  });
});
