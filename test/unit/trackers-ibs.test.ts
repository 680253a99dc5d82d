import { fc, test as propTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { createAccessBatch, pushSample } from '../../src/memory/access-batch.ts';
import { RandomStream } from '../../src/memory/random.ts';
import { PAGE_SIZE } from '../../src/memory/range.ts';
import { IbsDriver, type IbsDriverOptions } from '../../src/trackers/ibs-driver.ts';
import { FakeTrackerHost, MIB, samplesOf } from './tracker-fakes.ts';

function driverOn(host: FakeTrackerHost, options: IbsDriverOptions): IbsDriver {
  return new IbsDriver(host, options, new RandomStream(1, 'test'));
}

/** Half of the memory on each node. */
function halfHost(): FakeTrackerHost {
  return new FakeTrackerHost({ bytes: 16 * MIB, onFast: 8 * MIB });
}

describe('the rings of the IBS driver', () => {
  test.each([
    ['v0', 49],
    ['v1', 149],
    ['memprof', 149],
  ] as const)(
    'a ring of %s takes %i samples before its work item runs, and loses the rest',
    (version, usable) => {
      for (const extra of [0, 1, 7]) {
        const host = halfHost();
        const driver = driverOn(host, { version, workDelayUs: 1_000_000 });
        host.us = 1_000;
        expect(driver.take(samplesOf(new Array(usable + extra).fill(3))).count).toBe(0);
        const counters = driver.counters();
        expect(counters.hwhint_buffer_full ?? counters.hwhint_dropped_events).toBe(extra);
        expect(counters.hwhint_useful_samples ?? counters.hwhint_useful_events).toBe(usable);
        host.us += 2_000_000;
        expect(driver.take(samplesOf([])).count).toBe(usable);
      }
    },
  );

  test('samples lost on the way from the machine count as events that found the ring full', () => {
    const host = halfHost();
    const driver = driverOn(host, { version: 'v0' });
    const batch = samplesOf([1]);
    batch.dropped = 5;
    driver.take(batch);
    expect(driver.counters()).toMatchObject({ hwhint_nr_events: 6, hwhint_buffer_full: 5 });
  });

  test('v0 never stores nid: every sample says node 0; later versions tell the node of the CPU', () => {
    for (const [version, nid] of [
      ['v0', 0],
      ['v1', 1],
      ['memprof', 1],
    ] as const) {
      const host = halfHost();
      const driver = driverOn(host, { version, workDelayUs: 0 });
      host.us = 1_000;
      const hints = driver.take(samplesOf([1], 1));
      expect([hints.count, hints.nid[0]]).toEqual([1, nid]);
    }
  });

  test('with one work item for all, a CPU whose queueing collides waits for its next sample', () => {
    for (const [version, early] of [
      ['v1', 1],
      ['memprof', 2],
    ] as const) {
      const host = halfHost();
      const driver = driverOn(host, { version, workDelayUs: 1_000 });
      const batch = createAccessBatch(2);
      pushSample(batch, 0, 0, 0);
      pushSample(batch, PAGE_SIZE, 1, 0);
      host.us = 10;
      expect(driver.take(batch).count).toBe(0);
      host.us = 5_000;
      expect(driver.take(samplesOf([])).count).toBe(early);
      host.us = 5_100;
      driver.take(samplesOf([2], 1));
      host.us = 9_000;
      expect(driver.take(samplesOf([])).count).toBe(version === 'v1' ? 2 : 1);
    }
  });
});

describe('the filters of the IBS driver', () => {
  test('loads are classified by the node of the page, stores by nothing', () => {
    const host = halfHost();
    const driver = driverOn(host, { version: 'v0' });
    const [dram, cxl] = [1, 8 * 256];
    driver.take(samplesOf([dram, cxl, cxl], 0, 0));
    driver.take(samplesOf([dram, cxl], 0, 1));
    driver.take(samplesOf([dram], 1, 0));
    expect(driver.counters()).toMatchObject({
      hwhint_nr_events: 6,
      hwhint_dram_accesses: 2,
      hwhint_cxl_accesses: 2,
      hwhint_remote_node: 1,
    });
  });

  test('samples of pages that are nowhere are dropped without a counter', () => {
    const host = halfHost();
    const driver = driverOn(host, { version: 'v0', workDelayUs: 0 });
    host.us = 10;
    expect(driver.take(samplesOf([1_000_000])).count).toBe(0);
    expect(driver.counters()).toMatchObject({
      hwhint_nr_events: 1,
      hwhint_useful_samples: 0,
      hwhint_buffer_full: 0,
    });
  });

  test('counters without a cause in the model exist and stay 0', () => {
    const host = halfHost();
    const driver = driverOn(host, { version: 'v0' });
    driver.take(samplesOf([1, 2, 3000]));
    for (const name of [
      'hwhint_kernel',
      'hwhint_kthread',
      'hwhint_non_load_stores',
      'hwhint_dc_l2_hits',
      'hwhint_local_l3l1l2',
      'hwhint_local_peer_cache_near',
      'hwhint_far_cache_hits',
      'hwhint_invalid_laddr',
      'hwhint_kernel_addr',
      'hwhint_invalid_paddr',
      'hwhint_non_lru',
    ]) {
      expect(driver.counters()[name]).toBe(0);
    }
  });

  test('each sample costs the node on which it was taken 5.7 us', () => {
    const host = halfHost();
    const driver = driverOn(host, { version: 'v1' });
    driver.take(samplesOf([1, 2, 3], 1));
    expect(host.charged).toHaveLength(1);
    expect(host.charged[0].nid).toBe(1);
    expect(host.charged[0].us).toBeCloseTo(3 * 5.7, 9);
    expect(driver.applicationNs).toBe(3 * 5_700);
  });

  propTest.prop([
    fc.constantFrom('v0' as const, 'v1' as const, 'memprof' as const),
    fc.array(fc.array(fc.nat(5_000), { maxLength: 300 }), { maxLength: 12 }),
    fc.integer({ min: 0, max: 20_000 }),
    fc.integer({ min: 1, max: 4 }),
  ])(
    'every event is delivered, in a ring, lost, or of no page; times never run back',
    (version, batches, delay, cpus) => {
      const host = halfHost();
      const driver = driverOn(host, { version, workDelayUs: delay, cpusPerNode: cpus });
      let [delivered, sent, nowhere] = [0, 0, 0];
      for (const pages of batches) {
        const fromUs = host.us;
        host.us += 10_000;
        const hints = driver.take(samplesOf(pages));
        delivered += hints.count;
        sent += pages.length;
        nowhere += pages.filter((page) => page >= 16 * 256).length;
        for (let i = 0; i < hints.count; i++) {
          expect(hints.timeUs[i]).toBeLessThanOrEqual(host.us);
          expect(hints.timeUs[i]).toBeGreaterThanOrEqual(fromUs - batches.length * 10_000);
        }
      }
      const { hwhint_total_events, hwhint_nr_events, ...rest } = driver.counters();
      expect(hwhint_total_events ?? hwhint_nr_events).toBe(sent);
      const useful = rest.hwhint_useful_events ?? rest.hwhint_useful_samples;
      const lost = rest.hwhint_dropped_events ?? rest.hwhint_buffer_full;
      expect(useful + lost + nowhere).toBe(sent);
      expect(delivered).toBeLessThanOrEqual(useful);
      expect(useful - delivered).toBeLessThanOrEqual(2 * cpus * 149);
    },
  );
});
