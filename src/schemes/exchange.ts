/**
 * Promotion into a full tier: hot memory trades places with the coldest there, where that is worth it.
 *
 * Without this a promotion that finds no room either fails or drives out whatever the machine's reclaim takes
 * for least recently used, and where more memory is hot than fits, hot pages drive each other out for ever.
 * Memory that the scheme itself does not take for hot is left to reclaim and to other schemes, which make way
 * with it as ever; only what is hot and yet colder is moved here. Candidates come by falling rate and what makes
 * room for them by rising rate, so that the first pair that is not worth it ends the round: with time the fast
 * tier holds the hottest.
 *
 * Worth it is a pair whose rates differ by the factor that the scheme asks for: estimates are noisy, and a move
 * on noise is a move in vain. Where the machine's access times are known, a gain must also pay for two moves
 * within the payback time, with room or without: memory that is warm everywhere stays where it is.
 */
import { PAGE_SIZE, roundDown } from '../memory/range.ts';
import { Payoff, TRIAL_BYTES } from './payoff.ts';
import type { ResolvedScheme } from './resolve.ts';
import type { SchemeExchange } from './scheme.ts';
import type { SchemeHost } from './scheme-runner.ts';
import type { SchemeStats } from './scheme-stats.ts';
import { UnitHeap } from './unit-heap.ts';
import { NO_PIECE, placeBit, type UnitTable } from './unit-table.ts';

/** CPU time of moving a page before any was timed, us: the middle of 0.3 to 0.75 GB/s. */
const UNTIMED_MOVE_US = 8;

/**
 * Moves are made in the background, often by a CPU that has nothing else to do; a program waits for its memory.
 * Where it is known how long memory is held, a second of the one counts as so many of the other.
 */
const BACKGROUND_WEIGHT = 0.25;

/** Moves memory out of the way: `[start, end)` to node `toNid`. */
export type MakeWay = (start: number, end: number, toNid: number) => void;

/** What wants to go into a node. */
export interface Newcomer {
  readonly start: number;
  readonly end: number;
  /** Accesses per page per second. */
  readonly ratePerS: number;
  readonly ageUs: number;
  readonly targetNid: number;
  /** What the quota leaves for both that come and that go. */
  readonly allowedBytes: number;
}

export class Exchange {
  readonly #rule: SchemeExchange;
  readonly #targetNids: readonly number[];
  readonly #hotPerS: number;
  readonly #host: SchemeHost;
  #table: UnitTable | undefined;
  #stats: SchemeStats | undefined;
  /** Node whose memory is in the heap; -1: none. */
  #nid = -1;
  readonly #heap = new UnitHeap();
  /** Parts of the present victim, the next one last. */
  readonly #parts: { start: number; end: number }[] = [];
  #victimRate = 0;
  /** What is known of promotions so far. */
  readonly payoff: Payoff;
  /** Accesses per page that two moves must save. */
  #leastAccesses = 0;
  /** Least difference of rates that pays for the present newcomer, accesses per page per second. */
  #leastGain = 0;
  #nowUs = 0;
  /** Bytes that were asked to make way and are still there. */
  pendingBytes: number;

  /**
   * @param targetNids nodes that memory may be promoted to
   * @param hotPerS rate below which memory is not hot to the scheme
   * @param pendingBytes that were asked to make way and are still there
   */
  constructor(
    rule: SchemeExchange,
    targetNids: readonly number[],
    hotPerS: number,
    host: SchemeHost,
    pendingBytes: number,
    payoff: Payoff,
  ) {
    this.pendingBytes = pendingBytes;
    this.#rule = rule;
    this.#targetNids = targetNids;
    this.#hotPerS = hotPerS;
    this.#host = host;
    this.payoff = payoff;
  }

  /** @param stats of the scheme, which tell what a move costs and take what was not worth one */
  begin(nowUs: number, table: UnitTable, stats: SchemeStats): void {
    this.#nowUs = nowUs;
    this.#table = table;
    this.#stats = stats;
    stats.szNotWorth = 0;
    this.#nid = -1;
    const { fastNs, slowNs } = this.#host.systemGauge();
    const savedUs = (slowNs - fastNs) / 1000;
    const measuredUs = (stats.cpuUs * PAGE_SIZE) / (stats.szApplied + stats.szExchanged);
    const moveUs = measuredUs > 0 ? measuredUs : UNTIMED_MOVE_US;
    this.#leastAccesses = leastAccesses(savedUs, moveUs);
    this.payoff.follow(nowUs, table, (address) => this.#targetNids.includes(this.#nidOf(address)));
  }

  /** Bytes, from the start of the newcomer on, that may move in now; what makes way for them is asked to go. */
  admit(newcomer: Newcomer, makeWay: MakeWay): number {
    const { start, end, ratePerS, ageUs } = newcomer;
    const bytes = end - start;
    this.#leastGain = (this.#leastAccesses * 1e6) / this.#rule.paybackUs;
    if (ratePerS < this.#leastGain) return this.#leaving(bytes, 0);
    const learntLeast = (BACKGROUND_WEIGHT * this.#leastAccesses) / this.payoff.heldS(ageUs);
    const isTrial = ratePerS < learntLeast;
    if (isTrial && !this.payoff.takeTrial(ageUs)) return this.#leaving(bytes, 0);
    if (!isTrial) this.#leastGain = Math.max(this.#leastGain, learntLeast);
    const to = isTrial ? Math.min(end, start + TRIAL_BYTES) : end;
    const admitted = this.#admitAll({ ...newcomer, end: to }, makeWay);
    if (admitted > 0) this.payoff.note(this.#nowUs, start, admitted, ratePerS, ageUs);
    return this.#leaving(bytes, admitted);
  }

  /** As {@link admit}, for what is worth it if there is room. */
  #admitAll({ start, end, ratePerS, targetNid, allowedBytes }: Newcomer, makeWay: MakeWay): number {
    const bytes = end - start;
    const free = Math.min(bytes, this.#roomBytes(targetNid));
    // Enough room, or no more of it than the quota can use.
    if (free === bytes || free >= allowedBytes) return free;
    const missing = Math.min(bytes - free, roundDown((allowedBytes - free) / 2, PAGE_SIZE));
    return free + this.#makeRoom(missing, ratePerS, targetNid, this.#nidOf(start), makeWay);
  }

  #nidOf(address: number): number {
    let at = -1;
    this.#host.placement(address, address + PAGE_SIZE, (_start, _end, nid) => {
      at = nid;
    });
    return at;
  }

  /** Counts what stays of `bytes` where it was; what is admitted. */
  #leaving(bytes: number, admitted: number): number {
    if (this.#stats !== undefined) this.#stats.szNotWorth += bytes - admitted;
    return admitted;
  }

  /** Bytes that node `nid` takes without anybody making way. */
  #roomBytes(nid: number): number {
    const { freeBytes, reserveBytes } = this.#host.gauge(nid);
    const room = freeBytes - reserveBytes - this.#host.comingBytes(nid) + this.pendingBytes;
    return roundDown(Math.max(0, room), PAGE_SIZE);
  }

  /**
   * Lets the coldest memory of node `nid` make way for memory of rate `ratePerS` that comes from `fromNid`.
   * Returns the bytes, at most `bytes`.
   */
  #makeRoom(bytes: number, ratePerS: number, nid: number, fromNid: number, makeWay: MakeWay): number {
    if (this.#nid !== nid) this.#collect(nid);
    let made = 0;
    while (made < bytes) {
      if (this.#parts.length === 0 && !this.#nextVictim()) break;
      const isHot = this.#victimRate >= this.#hotPerS;
      const least = Math.max(this.#victimRate * this.#rule.ratio, this.#victimRate + this.#leastGain);
      if (isHot && ratePerS < least) break;
      const part = this.#parts[this.#parts.length - 1];
      const start = Math.max(part.start, part.end - (bytes - made));
      if (isHot) {
        makeWay(start, part.end, fromNid);
        this.pendingBytes += part.end - start;
      }
      made += part.end - start;
      part.end = start;
      if (part.end === part.start) this.#parts.pop();
    }
    return made;
  }

  /** All units with memory on a node, coldest first. */
  #collect(nid: number): void {
    const table = this.#table;
    if (table === undefined) return;
    this.#nid = nid;
    this.#parts.length = 0;
    const bit = placeBit(nid);
    this.#heap.begin(table.start, 0);
    for (let unit = 0; unit < table.count; unit++) {
      for (let piece = table.firstPiece[unit]; piece !== NO_PIECE; piece = table.nextPiece[piece]) {
        if ((table.places[piece] & bit) === 0) continue;
        // Of equally cold ones the oldest.
        this.#heap.add(unit, -table.ratePerS[unit] + 1e-9 * Math.min(1e6, table.age[unit]));
        break;
      }
    }
    this.#heap.arrange();
  }

  #nextVictim(): boolean {
    const table = this.#table;
    if (table === undefined) return false;
    while (this.#heap.size > 0) {
      const unit = this.#heap.pop();
      for (let piece = table.firstPiece[unit]; piece !== NO_PIECE; piece = table.nextPiece[piece]) {
        this.#host.placement(table.pieceStart[piece], table.pieceEnd[piece], (start, end, nid) => {
          if (nid === this.#nid) this.#parts.push({ start, end });
        });
      }
      if (this.#parts.length === 0) continue;
      this.#victimRate = table.ratePerS[unit];
      return true;
    }
    return false;
  }
}

/**
 * Accesses per page that pay for two moves; 0 where access times are not known.
 * @param savedUs per access: infinitely many are needed where the target is no faster at its present load
 */
function leastAccesses(savedUs: number, moveUs: number): number {
  if (Number.isNaN(savedUs)) return 0;
  return savedUs > 0 ? (2 * moveUs) / savedUs : Number.POSITIVE_INFINITY;
}

/**
 * The exchange that a scheme asks for.
 * @param present of an earlier version of the scheme: what it learnt and has under way goes on
 */
export function createExchange(
  { scheme, dests }: ResolvedScheme,
  host: SchemeHost,
  present?: Exchange,
): Exchange | undefined {
  const { exchange, pattern } = scheme;
  if (exchange === undefined) return undefined;
  const targetNids = dests.flatMap(({ nids }) => nids);
  const isSame = present?.payoff.isFor(exchange) === true;
  const payoff = isSame ? present.payoff : new Payoff(exchange);
  return new Exchange(
    exchange,
    targetNids,
    pattern.minRatePerS.value,
    host,
    present?.pendingBytes ?? 0,
    payoff,
  );
}
