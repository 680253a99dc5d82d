/**
 * Reads what Intel's memtierd writes of memory: the dump of its tracker (`tracker -dump raw new`),
 *
 *               timestamp       pid             addr    pages     accs   writes
 *     1660000000000000000     12345     7f0000000000      512        3        0
 *
 * and the file of its heat forecaster `trace`,
 *
 *     table: heat forecast 1660000000000000000 pid addr size heat created updated
 *     12345 7f0000000000 2097152 0.043210000 1659999990000000000 1660000000000000000
 *
 * Each process is a target; lines of one time (of one scan) are a snapshot. The tracker's count of pages that
 * were accessed, as a share of the range's pages, stands for the positive share of one sample per
 * scan; with `maxcountperregion: 1`, memtierd's default, it is a lower bound. Heat is 0 to 1 and fades by its
 * retention; it stands for the same share.
 */
import { ADDRESS_LIMIT, PAGE_SIZE } from '../memory/range.ts';
import {
  type RecordHead,
  RegionColumns,
  type SnapshotVisitor,
  UNKNOWN_HEAD,
} from '../memory/region-record.ts';
import { noteUnreadableRegion, type RegionCounts } from './region-counts.ts';

export const MEMTIERD_RAW_HEAD = /^\s*timestamp\s+pid\s+addr\s+pages\s+accs\s+writes\s*$/;
export const MEMTIERD_RAW_LINE = /^\s*(\d{10,20})\s+(\d+)\s+([0-9a-f]+)\s+(\d+)\s+(\d+)\s+(\d+)\s*$/;
export const MEMTIERD_HEAT_HEAD = /^table: heat forecast (\d+) /;
const HEAT_LINE = /^(\d+) ([0-9a-f]+) (\d+) (\d+\.\d+) (-?\d+) (-?\d+)\s*$/;

interface Range {
  readonly start: number;
  readonly end: number;
  readonly share: number;
}

/** The ranges of one process and time; they come in no order. */
interface Open {
  readonly head: RecordHead;
  ns: bigint;
  previousNs: bigint | undefined;
  ranges: Range[];
}

export class MemtierdReader {
  readonly #counts: RegionCounts;
  readonly #visit: SnapshotVisitor;
  readonly #columns = new RegionColumns();
  readonly #open = new Map<string, Open>();
  #tableNs: bigint | undefined;

  constructor(counts: RegionCounts, visit: SnapshotVisitor) {
    this.#counts = counts;
    this.#visit = visit;
  }

  line(text: string): void {
    const counts = this.#counts;
    counts.lines++;
    if (text === '' || MEMTIERD_RAW_HEAD.test(text)) return;
    const table = MEMTIERD_HEAT_HEAD.exec(text);
    if (table !== null) {
      this.#tableNs = BigInt(table[1]);
      return;
    }
    const raw = this.#tableNs === undefined ? MEMTIERD_RAW_LINE.exec(text) : null;
    if (raw !== null) {
      const [, ns, pid, address, pages, accesses, writes] = raw;
      const bytes = Number(pages) * PAGE_SIZE;
      const share = Math.min(1, Math.max(Number(accesses), Number(writes)) / Number(pages));
      this.#add(pid, BigInt(ns), address, bytes, share);
      return;
    }
    const heat = this.#tableNs === undefined ? null : HEAT_LINE.exec(text);
    if (heat === null || this.#tableNs === undefined) {
      noteUnreadableRegion(counts);
      return;
    }
    this.#add(heat[1], this.#tableNs, heat[2], Number(heat[3]), Number(heat[4]));
  }

  finish(): void {
    for (const open of this.#open.values()) this.#end(open);
    this.#counts.records = this.#open.size;
  }

  #add(pid: string, ns: bigint, address: string, bytes: number, share: number): void {
    const start = Number.parseInt(address, 16);
    if (start + bytes >= ADDRESS_LIMIT) {
      this.#counts.addressesTooLarge++;
      return;
    }
    if (!(bytes > 0)) {
      noteUnreadableRegion(this.#counts);
      return;
    }
    let open = this.#open.get(pid);
    if (open === undefined) {
      open = { head: { ...UNKNOWN_HEAD, targetId: pid }, ns, previousNs: undefined, ranges: [] };
      this.#open.set(pid, open);
    }
    if (ns !== open.ns) {
      this.#end(open);
      open.previousNs = open.ns;
      open.ns = ns;
    }
    open.ranges.push({ start, end: start + bytes, share });
  }

  #end(open: Open): void {
    if (open.ranges.length === 0) return;
    open.ranges.sort((a, b) => a.start - b.start);
    let last = 0;
    for (const { start, end, share } of open.ranges) {
      // A process that grew between two scans may have a range twice.
      if (end <= last) continue;
      this.#columns.add(Math.max(start, last), end, share, Number.NaN);
      last = end;
    }
    open.ranges = [];
    const regions = this.#columns.take();
    // The first scan is taken to have lasted as long as memtierd's default interval.
    const startNs = open.previousNs ?? open.ns - DEFAULT_SCAN_NS;
    const aggrUs = Math.max(1, Number(open.ns - startNs) / 1000);
    this.#counts.snapshots++;
    this.#counts.regions += regions.count;
    this.#visit(open.head, {
      startNs,
      endNs: open.ns,
      ...regions,
      sampleUs: aggrUs,
      aggrUs,
      ageUnitUs: null,
      maxNrAccesses: 1,
      totalBytes: null,
      damosStats: null,
    });
  }
}

/** `scanintervalms: 5000` and `intervalms: 5000`. */
const DEFAULT_SCAN_NS = 5_000_000_000n;
