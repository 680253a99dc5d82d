import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SystemTree } from '../../src/machines/linux/system-tree.ts';
import { leftOvers, recover, UndoLedger } from '../../src/machines/linux/undo-ledger.ts';
import { addArea, createAreaChecks } from '../../src/memory/area-checks.ts';
import { RandomStream } from '../../src/memory/random.ts';
import { createMonitor } from '../../src/monitor/create-monitor.ts';
import { DEFAULT_ATTRS } from '../../src/monitor/monitor.ts';
import { parseAggregated, parseLost } from '../../src/sources/aggregated-line.ts';
import { parseSmaps, shareOfInterval } from '../../src/sources/clear-refs-source.ts';
import { DamonSource } from '../../src/sources/damon-source.ts';
import { FaultExposure } from '../../src/sources/fault-exposure.ts';
import { BITMAP, PageIdleSource } from '../../src/sources/page-idle-source.ts';
import { parseAllowances, parseSources } from '../../src/sources/source-names.ts';

const KDAMONDS = '/sys/kernel/mm/damon/admin/kdamonds';
let root = '';
let tree = new SystemTree();

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'thermocline-linux-'));
  tree = new SystemTree(root);
  put(`/proc/${process.pid}/stat`, `${process.pid} (node) S${' 0'.repeat(18)} 500 0`);
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

describe('lines of the trace event', () => {
  test('a region is read, with the kdamond that counted it', () => {
    expect(
      parseAggregated(
        ' kdamond.0-712  [000] ...1.    12.345678: damon_aggregated: target_id=0 nr_regions=12 140632085495808-140632102273024: 20 15',
      ),
    ).toEqual({ pid: 712, start: 140632085495808, end: 140632102273024, nrAccesses: 20 });
  });

  test('other lines are none, and losses are told', () => {
    expect(parseAggregated('# tracer: nop')).toBeUndefined();
    expect(parseLost('CPU:0 [LOST 55 EVENTS]')).toBe(55);
    expect(parseLost('')).toBe(0);
  });
});

describe('--source and --allow', () => {
  test('names are read, with their variants', () => {
    expect(parseSources('damon:sysfs, faults:50ms')).toEqual([
      { name: 'damon', variant: 'sysfs' },
      { name: 'faults', variant: '50ms' },
    ]);
    expect(parseAllowances('damon_stat,numa_balancing')).toEqual(['damon_stat', 'numa_balancing']);
  });

  test.each(['damn', 'damon:proc', 'faults:soon'])('"%s" is refused', (text) => {
    expect(() => parseSources(text)).toThrow();
  });

  test('the nearest word is named', () => {
    expect(() => parseSources('damn')).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('did you mean "damon"?') }),
    );
  });
});

describe('hint faults as evidence', () => {
  test('protected pages are exposed for the window, by their share of all', () => {
    const exposure = new FaultExposure(100_000, 1000, 0);
    expect(exposure.note(1000, 400, 50_000)).toBe(0);
    expect(exposure.counts(50_000)).toBe(false);
    expect(exposure.note(1100, 400, 100_000)).toBeCloseTo(((25_000 + 100_000) / 1e6) * 0.25, 9);
    expect(exposure.counts(200_000)).toBe(true);
    expect(exposure.counts(200_001)).toBe(false);
  });

  test('no more pages than there are can be exposed', () => {
    const exposure = new FaultExposure(100_000, 0, 0);
    expect(exposure.note(5000, 1000, 0)).toBeCloseTo(0.1, 9);
  });
});

describe('what the kernel counted by area', () => {
  const MIB = 2 ** 20;
  const attrs = { ...DEFAULT_ATTRS, pullPerS: 0, maxNrRegions: 100 };

  test('every check and hit arrives in the monitor, and hot areas are found', () => {
    const monitor = createMonitor('evidence', attrs, new RandomStream(1, 'test'));
    const start = 0x7f0000000000;
    monitor.setRanges([{ start, end: start + 64 * MIB }]);
    const areas = createAreaChecks(64);
    for (let round = 0; round < 20; round++) {
      areas.count = 0;
      for (let k = 0; k < 16; k++) {
        const at = start + 4 * k * MIB;
        addArea(areas, at, at + 4 * MIB, 20, k >= 4 && k < 8 ? 20 : 0);
      }
      monitor.planChecks();
      monitor.recordAreas?.(areas);
      monitor.aggregate();
      if (round < 19) monitor.resetAndSplit();
    }
    let [hot, wrong] = [0, 0];
    for (let i = 0; i < monitor.regions.count; i++) {
      const [from, to] = [monitor.regions.start(i), monitor.regions.end(i)];
      const isHot = monitor.regions.rate(i) > 50;
      const inside = Math.max(0, Math.min(to, start + 32 * MIB) - Math.max(from, start + 16 * MIB));
      if (isHot) hot += inside;
      if (isHot) wrong += to - from - inside;
    }
    expect(hot).toBeGreaterThan(15 * MIB);
    expect(wrong).toBeLessThan(1.5 * MIB);
  });

  test('a full batch drops areas and counts them', () => {
    const areas = createAreaChecks(1);
    addArea(areas, 0, 4096, 20, 1);
    addArea(areas, 4096, 8192, 20, 1);
    expect([areas.count, areas.dropped]).toEqual([1, 1]);
  });
});

describe('what is changed on the machine is taken back', () => {
  const SETTING = '/proc/sys/kernel/numa_balancing';

  test('a setting, unless somebody else has changed it since', () => {
    put(SETTING, '1');
    const ledger = new UndoLedger(tree);
    ledger.set(SETTING, '2');
    expect(tree.read(SETTING)).toBe('2');
    ledger.undo();
    expect(tree.read(SETTING)).toBe('1');
    ledger.undo();
    const other = new UndoLedger(tree);
    other.set(SETTING, '2');
    put(SETTING, '0');
    other.undo();
    expect(tree.read(SETTING)).toBe('0');
    expect(tree.list('/run/thermocline')).toEqual([]);
  });

  test('after a crash the next start does it, and only for processes that have gone', () => {
    put(SETTING, '1');
    new UndoLedger(tree).set(SETTING, '2');
    expect(leftOvers(tree)).toEqual([]);
    put(`/proc/${process.pid}/stat`, `${process.pid} (other) S${' 0'.repeat(18)} 900 0`);
    expect(leftOvers(tree)).toHaveLength(1);
    expect(recover(tree)).toEqual([expect.stringContaining(`${SETTING} is 1 again`)]);
    expect(tree.read(SETTING)).toBe('1');
    expect(recover(tree)).toEqual([]);
  });
});

describe('the DAMON source', () => {
  const options = (mayStopStat = false) => ({
    tree,
    ledger: new UndoLedger(tree),
    target: { pid: 4242 },
    sampleUs: 5000,
    aggrUs: 100_000,
    minNrRegions: 10,
    maxNrRegions: 100,
    mayStopStat,
  });

  test("never touches somebody else's kdamond", () => {
    put(`${KDAMONDS}/nr_kdamonds`, '1');
    put(`${KDAMONDS}/0/state`, 'on');
    expect(() => new DamonSource(options()).start()).toThrow('they are not touched');
    expect(readFileSync(join(root, KDAMONDS, 'nr_kdamonds'), 'utf8')).toBe('1');
  });

  test('says what is missing, and what to allow', () => {
    expect(() => new DamonSource(options()).start()).toThrow('no DAMON');
    put(`${KDAMONDS}/nr_kdamonds`, '0');
    put('/sys/module/damon_stat/parameters/enabled', 'Y');
    expect(() => new DamonSource(options()).start()).toThrow('DAMON_STAT holds DAMON');
    expect(tree.read('/sys/module/damon_stat/parameters/enabled')).toBe('Y');
  });
});

describe('clear_refs and smaps', () => {
  const text = [
    '7f0000000000-7f0001000000 rw-p 00000000 00:00 0',
    'Size:              16384 kB',
    'Rss:               16384 kB',
    'Referenced:         4096 kB',
    '7f0002000000-7f0003000000 rw-p 00000000 00:00 0 [heap]',
    'Rss:                   0 kB',
    'Referenced:            0 kB',
  ].join('\n');

  test('mappings with pages are read', () => {
    expect(parseSmaps(text)).toEqual([
      { start: 0x7f0000000000, end: 0x7f0001000000, residentKb: 16384, referencedKb: 4096 },
    ]);
  });

  test('the share of a second becomes that of a sampling interval at the same rate', () => {
    const share = shareOfInterval({ residentKb: 16384, referencedKb: 8192 }, 1e6, 5000);
    expect(-Math.log(1 - share) / 0.005).toBeCloseTo(Math.log(2), 6);
    const all = shareOfInterval({ residentKb: 16384, referencedKb: 16384 }, 1e6, 5000);
    expect(-Math.log(1 - all) / 0.005).toBeCloseTo(Math.log(8192), 6);
    expect(shareOfInterval({ residentKb: 16384, referencedKb: 0 }, 1e6, 5000)).toBe(0);
  });
});

describe('page_idle', () => {
  const PAGE = 4096;

  function word(path: string, at: number, value: bigint): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    const file = openSync(join(root, path), 'r+');
    writeSync(file, bytes, 0, 8, at);
    closeSync(file);
  }

  test('pages are marked, and those whose mark is gone were accessed', () => {
    put(BITMAP, '\0'.repeat(1024));
    put('/proc/4242/pagemap', '\0'.repeat(64));
    put('/proc/kpageflags', '\0'.repeat(65536));
    const present = 1n << 63n;
    word('/proc/4242/pagemap', 0, present | 70n);
    word('/proc/4242/pagemap', 8, present | 1031n);
    word('/proc/4242/pagemap', 16, 71n);
    // Page 1031 is inside a huge page that begins at 1024.
    word('/proc/kpageflags', 1031 * 8, (1n << 16n) | (1n << 22n));
    const source = new PageIdleSource({ tree, pid: 4242 });
    source.start();
    source.prepare(Float64Array.of(0, PAGE, 2 * PAGE, 2000 * PAGE), 4);
    const bitmap = readFileSync(join(root, BITMAP));
    expect(bitmap.readBigUInt64LE(8)).toBe(1n << 6n);
    expect(bitmap.readBigUInt64LE(128)).toBe(1n);
    const hits = new Uint8Array(4);
    source.read(hits);
    expect([...hits]).toEqual([0, 0, 0, 0]);
    word(BITMAP, 128, 0n);
    source.read(hits);
    expect([...hits]).toEqual([0, 1, 0, 0]);
    expect(source.facts()).toEqual({ asked: 2, leftOut: 2 });
    source.stop();
    source.stop();
  });

  test('a kernel without it is told', () => {
    expect(() => new PageIdleSource({ tree, pid: 4242 }).start()).toThrow('page_idle/bitmap');
  });
});
