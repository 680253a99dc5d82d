/**
 * What the lab sees of a replay: exact, as every access is known.
 *
 * The thread that is traced pays for faults and interrupts: its time grows, the trace's clock does not.
 */
import type { RunVisitor } from '../../memory/page-runs.ts';
import type { FaultBatch, PageSignals } from '../../memory/page-signals.ts';
import { type AddressRange, PAGE_SIZE } from '../../memory/range.ts';
import { SpoolReader } from '../../records/spool-reader.ts';
import type { TraceSpool } from '../../records/trace-spool.ts';
import { FaultBuffer } from '../fault-buffer.ts';
import type { FutureVisitor, Lab, ThreadEnd } from '../lab-machine.ts';
import { MIGRATION_NS_PER_PAGE } from '../mover.ts';
import { type PageState, SCAN_BIT } from './page-state.ts';

/**
 * Short: memory moves in next to no time, as traces touch little of it, so that who knows the accesses of the
 * next tenth of a second needs no more.
 */
const HORIZON_S = 0.1;
const LOOK_US = 5_000;
const THREAD = 0;

export interface ReplayLabConfig {
  readonly spool: TraceSpool;
  readonly pages: PageState;
  readonly nid: number;
  readonly ticksPerS: number;
  /** Time that an access to fast instead of slow memory saves, with what a recorded access stands for, ns. */
  readonly savedNs: number;
  /** Time of the access that is replayed, or of the end of the last step, us. */
  readonly nowUs: () => number;
  /** When the replay ended, s; NaN while it runs. */
  readonly endS: () => number;
}

export class ReplayLab implements Lab {
  readonly lookUs = LOOK_US;
  readonly #config: ReplayLabConfig;
  #pageRanges: readonly AddressRange[] | undefined;
  #signals: ReplaySignals | undefined;
  #waste: ReplayWaste | undefined;
  #future: ReplayFuture | undefined;
  /** Time that the traced thread has lost, us. */
  chargedUs = 0;

  constructor(config: ReplayLabConfig) {
    this.#config = config;
  }

  get pageRanges(): readonly AddressRange[] {
    this.#pageRanges ??= this.#config.pages.ranges();
    return this.#pageRanges;
  }

  signals(): PageSignals {
    const { pages, nid, nowUs } = this.#config;
    this.#signals ??= new ReplaySignals(pages, nid, nowUs, (us) => this.charge(us));
    return this.#signals;
  }

  waste(): ReplayWaste {
    this.#waste ??= new ReplayWaste(this.#config.pages.pages.count, this.#config.savedNs);
    return this.#waste;
  }

  forEachFuture(visit: FutureVisitor): void {
    const { spool, pages, ticksPerS, nowUs } = this.#config;
    this.#future ??= new ReplayFuture(spool, pages);
    this.#future.forEach((nowUs() / 1e6 + HORIZON_S) * ticksPerS, visit);
  }

  threadEnds(): readonly ThreadEnd[] {
    return [{ name: 'traced program', endS: this.#config.endS() }];
  }

  runningThreads(): number[] {
    return Number.isNaN(this.#config.endS()) ? [THREAD] : [];
  }

  charge(us: number): void {
    this.chargedUs += us;
  }

  accessed(id: number, count: number): void {
    this.#signals?.accessed(id);
    this.#waste?.accessed(id, count);
    this.#future?.accessed(id, count);
  }

  /** @param isUp to the fast node */
  moved(id: number, isUp: boolean): void {
    this.#waste?.moved(id, isUp);
  }
}

class ReplaySignals implements PageSignals {
  readonly #pages: PageState;
  readonly #nid: number;
  readonly #nowUs: () => number;
  readonly #charge: (us: number) => void;
  /** By page id: when it was protected, us; -1: it is not. */
  readonly #protectedAtUs: Float64Array;
  readonly #faults = new FaultBuffer();

  constructor(pages: PageState, nid: number, nowUs: () => number, charge: (us: number) => void) {
    this.#pages = pages;
    this.#nid = nid;
    this.#nowUs = nowUs;
    this.#charge = charge;
    this.#protectedAtUs = new Float64Array(pages.pages.count).fill(-1);
  }

  protect(start: number, end: number, nodes: Uint8Array): number {
    const nowUs = this.#nowUs();
    let count = 0;
    this.#pages.forEachIn(start, end, (id) => {
      const nid = this.#pages.nid[id];
      if (nid >= nodes.length || nodes[nid] === 0 || this.#protectedAtUs[id] >= 0) return;
      this.#protectedAtUs[id] = nowUs;
      count++;
    });
    return count;
  }

  drainFaults(): FaultBatch {
    return this.#faults.drain();
  }

  scanAccessed(start: number, end: number, visit: RunVisitor): void {
    this.#pages.takeBits(SCAN_BIT, start, end, visit);
  }

  charge(_nid: number, us: number): void {
    this.#charge(us);
  }

  chargeThread(_thread: number, us: number): void {
    this.#charge(us);
  }

  accessed(id: number): void {
    const protectedAtUs = this.#protectedAtUs[id];
    if (protectedAtUs < 0) return;
    this.#protectedAtUs[id] = -1;
    const address = this.#pages.pages.pageAt(id) * PAGE_SIZE;
    this.#faults.push(address, this.#nowUs() - protectedAtUs, this.#nid, THREAD);
  }
}

/** Promotions that saved less time than they cost, page by page. */
class ReplayWaste {
  readonly #enough: number;
  /** By page id: accesses since it went up, while they are too few; -1: it is not waiting for any. */
  readonly #since: Float64Array;
  #pendingBytes = 0;
  #wastedBytes = 0;

  constructor(pages: number, savedNs: number) {
    this.#enough = MIGRATION_NS_PER_PAGE / savedNs;
    this.#since = new Float64Array(pages).fill(-1);
  }

  get wastedBytes(): number {
    return this.#wastedBytes + this.#pendingBytes;
  }

  accessed(id: number, count: number): void {
    if (this.#since[id] < 0) return;
    this.#since[id] += count;
    if (this.#since[id] < this.#enough) return;
    this.#since[id] = -1;
    this.#pendingBytes -= PAGE_SIZE;
  }

  moved(id: number, isUp: boolean): void {
    if (this.#since[id] >= 0) {
      this.#pendingBytes -= PAGE_SIZE;
      if (!isUp) this.#wastedBytes += PAGE_SIZE;
    }
    this.#since[id] = isUp ? 0 : -1;
    if (isUp) this.#pendingBytes += PAGE_SIZE;
  }
}

/** Accesses of each page between now and the horizon: a second reader runs ahead of the replay. */
class ReplayFuture {
  readonly #pages: PageState;
  readonly #reader: SpoolReader;
  /** By page id. */
  readonly #ahead: Float64Array;

  constructor(spool: TraceSpool, pages: PageState) {
    this.#pages = pages;
    this.#ahead = new Float64Array(pages.pages.count);
    this.#reader = new SpoolReader(spool, (id, loads, stores) => {
      this.#ahead[id] += loads + stores;
    });
  }

  accessed(id: number, count: number): void {
    this.#ahead[id] -= count;
  }

  forEach(untilTicks: number, visit: FutureVisitor): void {
    this.#reader.readUntil(untilTicks);
    this.#pages.forEachIn(0, Number.MAX_SAFE_INTEGER, (id, address) => {
      // Pages that nobody has touched are nowhere yet.
      if (this.#ahead[id] > 0 && this.#pages.isPlaced(id)) {
        visit(address, address + PAGE_SIZE, this.#ahead[id], 0);
      }
    });
  }
}
