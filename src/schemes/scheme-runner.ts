/**
 * One scheme at work: what it matches now, in which order, how much of it the window allows, and what
 * became of what it asked for.
 *
 * Memory in which there is nothing to do (it lies at the target already, say) is neither tried nor
 * charged, and neither is what filters leave out: DAMOS tries and charges both.
 */
import type { ActionOutcome, ActionRequest } from '../memory/action.ts';
import { roundDown } from '../memory/range.ts';
import { type ActedMemory, createActedMemory } from './acted-memory.ts';
import { DamonOrder } from './damon-order.ts';
import { createExchange, type Exchange } from './exchange.ts';
import { FilterChain, type PageSource } from './filters.ts';
import { type GaugeSource, GoalMeter, isSameAim } from './goals.ts';
import { PartFinder } from './parts.ts';
import { exactPriority } from './priority.ts';
import { QuotaWindow } from './quota.ts';
import { writeTag } from './request-tag.ts';
import type { ResolvedScheme } from './resolve.ts';
import type { SchemeGoal } from './scheme.ts';
import { newStats, type SchemeStats } from './scheme-stats.ts';
import { createTuner, type Tuner } from './tuners.ts';
import { UnitHeap } from './unit-heap.ts';
import { UnitMatches } from './unit-matches.ts';
import { NO_PIECE, type UnitTable } from './unit-table.ts';
import { ACTIONS } from './vocabulary.ts';
import { isActive } from './watermarks.ts';

/** What schemes need of the machine that they act on. */
export interface SchemeHost extends PageSource, GaugeSource {
  /** Bytes asked for that will take room on a node. */
  comingBytes(nid: number): number;
  /** Asks for an action; what becomes of it is told to the executor later. */
  act(request: ActionRequest): void;
}

/** Attributes of monitoring that schemes depend on. */
export interface RunnerAttrs {
  readonly minRegionSz: number;
  readonly sampleUs: number;
  readonly aggrUs: number;
}

/** Page-level filters look at this much at least at a time. */
const FILTER_STEP = 2 * 2 ** 20;

export class SchemeRunner {
  /** Tells the runner in the tags of requests. */
  readonly id: number;
  resolved: ResolvedScheme;
  readonly stats: SchemeStats;
  readonly quota: QuotaWindow;
  nextApplyUs = 0;
  isActive = true;
  readonly #host: SchemeHost;
  #filters: FilterChain;
  #parts: PartFinder;
  #goals: GoalMeter;
  #tuner: Tuner;
  #damonOrder: DamonOrder;
  /** Of hints. */
  #acted: ActedMemory | undefined;
  readonly #heap = new UnitHeap();
  readonly #matches = new UnitMatches();
  /** Where the last round stopped. */
  #resumeAt = 0;
  #pendingBytes = 0;
  /** Applied when the present window began. */
  #appliedBefore = 0;
  #exchange: Exchange | undefined;
  readonly #found: { start: number; end: number; nids: readonly number[] }[] = [];

  constructor(id: number, resolved: ResolvedScheme, host: SchemeHost, minRegionSz: number) {
    this.id = id;
    this.resolved = resolved;
    this.#host = host;
    this.quota = new QuotaWindow(resolved.scheme.quota, minRegionSz);
    this.stats = newStats();
    this.#filters = new FilterChain(resolved, host);
    this.#parts = new PartFinder(resolved);
    this.#goals = new GoalMeter(resolved);
    this.#tuner = createTuner(resolved.scheme.quota.tuner);
    this.#damonOrder = new DamonOrder(ACTIONS[resolved.scheme.action].order);
    this.#acted = createActedMemory(resolved, undefined);
    this.#exchange = createExchange(resolved, host);
  }

  /**
   * Another version of the scheme from now on; statistics, window, resting memory, what users fed and what
   * the tuner learnt survive as far as they still make sense.
   */
  replace(resolved: ResolvedScheme): void {
    const { action, quota } = this.resolved.scheme;
    const { scheme } = resolved;
    const { goals, tuner } = scheme.quota;
    const isSame = (same: (a: SchemeGoal, b: SchemeGoal) => boolean): boolean =>
      tuner === quota.tuner &&
      goals.length === quota.goals.length &&
      goals.every((goal, i) => same(goal, quota.goals[i]));
    const isAimSame = isSame(isSameAim);
    const isTargetSame = isSame((a, b) => a.targetValue === b.targetValue);
    this.resolved = resolved;
    this.quota.setQuota(scheme.quota, !(isAimSame && isTargetSame));
    this.#filters = new FilterChain(resolved, this.#host);
    this.#parts = new PartFinder(resolved);
    if (isAimSame) this.#goals.retarget(resolved);
    else {
      this.#goals = new GoalMeter(resolved);
      this.#tuner = createTuner(tuner);
    }
    if (scheme.action !== action) this.#damonOrder = new DamonOrder(ACTIONS[scheme.action].order);
    this.#acted = createActedMemory(resolved, scheme.action === action ? this.#acted : undefined);
    this.#exchange = createExchange(resolved, this.#host, this.#exchange);
  }

  /** Feeds a `user_input` goal. */
  setUserInput(goalIndex: number, value: number): void {
    this.#goals.setUserInput(goalIndex, value);
  }

  /** Activates or lays to rest by the share of memory that is free. */
  watch(freeShare: number): void {
    const { watermarks } = this.resolved.scheme;
    this.isActive = watermarks === undefined || isActive(freeShare, watermarks, this.isActive);
  }

  isDue(nowUs: number): boolean {
    const { maxNrSnapshots } = this.resolved.scheme;
    return nowUs >= this.nextApplyUs && this.isActive && this.stats.nrSnapshots < maxNrSnapshots;
  }

  /** One round, if it is due. */
  applyIfDue(nowUs: number, table: UnitTable, attrs: RunnerAttrs): void {
    if (!this.isDue(nowUs)) return;
    const { scheme } = this.resolved;
    this.nextApplyUs = scheme.applyIntervalUs > 0 ? nowUs + scheme.applyIntervalUs : nowUs;
    this.stats.szMatched = this.#matches.find(table, scheme.pattern, attrs.aggrUs);
    this.quota.adjust(nowUs, () => this.#tunedBytes(nowUs, table));
    this.#act(nowUs, table, attrs);
    this.stats.nrQuotaExceeded = this.quota.exceeded;
    this.stats.nrSnapshots++;
  }

  /** What became of a part of a request that was made in window `sequence`. */
  recordResult(bytes: number, outcome: ActionOutcome, cpuNs: number, sequence: number): void {
    const { stats } = this;
    this.#pendingBytes -= bytes;
    stats.cpuUs += cpuNs / 1000;
    this.quota.addTime(bytes, cpuNs);
    switch (outcome) {
      case 'already_there':
        return;
      case 'elsewhere':
        stats.szElsewhere += bytes;
        return;
      case 'applied':
        stats.nrApplied++;
        stats.szApplied += bytes;
        return;
      default:
        stats.szFailed += bytes;
        stats.szFailedBy[outcome] += bytes;
        this.quota.giveBack(bytes, sequence);
    }
  }

  /** What became of memory that was to make way. */
  recordExchanged(bytes: number, outcome: ActionOutcome, cpuNs: number): void {
    if (this.#exchange !== undefined) this.#exchange.pendingBytes -= bytes;
    this.stats.cpuUs += cpuNs / 1000;
    this.quota.addTime(bytes, cpuNs);
    if (outcome === 'applied') this.stats.szExchanged += bytes;
  }

  #tunedBytes(nowUs: number, table: UnitTable): number {
    const { stats } = this;
    const { szBytes } = this.resolved.scheme.quota;
    const goals = this.#goals.read(nowUs, this.#host, {
      migratedBytes: stats.szApplied,
      cpuUs: stats.cpuUs,
      matchedOn: (nids) => this.#matches.on(nids, table, this.#host),
    });
    const appliedBytes = stats.szApplied - this.#appliedBefore;
    this.#appliedBefore = stats.szApplied;
    return this.#tuner.nextBytes({
      goals,
      appliedBytes,
      pendingBytes: this.#pendingBytes,
      capBytes: szBytes,
      matchedBytes: stats.szMatched,
    });
  }

  #act(nowUs: number, table: UnitTable, attrs: RunnerAttrs): void {
    const { scheme } = this.resolved;
    const { quota } = this;
    const isByHistogram = scheme.quota.prioritize === 'damon';
    // As the kernel: full is what has no room for a region (damos_quota_is_full). Then no lap goes on.
    if (quota.roomBytes === 0 || (isByHistogram && quota.roomBytes < attrs.minRegionSz)) return;
    let unitsLeft = scheme.quota.top;
    this.#exchange?.begin(nowUs, table, this.stats);
    const visit = (unit: number, from: number): boolean => {
      const before = this.stats.nrTried;
      if (!this.#actOnUnit(nowUs, table, unit, from, attrs)) return false;
      if (this.stats.nrTried > before) unitsLeft--;
      if (unitsLeft > 0) return true;
      // Past its start: where units tie, the next round begins with the next.
      this.#resumeAt = table.start[unit] + 1;
      return false;
    };
    table.locate((start, end, each) => this.#host.placement(start, end, each));
    if (isByHistogram) {
      const quotaBytes = quota.isSet ? quota.effectiveBytes : Number.POSITIVE_INFINITY;
      this.#damonOrder.forEach(table, this.#matches.flags, quotaBytes, scheme.quota.weights, attrs, visit);
    } else this.#forEachExact(table, attrs, visit);
  }

  #forEachExact(
    table: UnitTable,
    { aggrUs }: RunnerAttrs,
    visit: (unit: number, from: number) => boolean,
  ): void {
    const { scheme } = this.resolved;
    const { order, effect } = ACTIONS[scheme.action];
    const { weights } = scheme.quota;
    const heap = this.#heap;
    if (effect === 'counts' && !this.quota.isSet && scheme.quota.top === Number.POSITIVE_INFINITY) {
      // All are counted: in any order.
      for (let unit = 0; unit < table.count; unit++)
        if (this.#matches.has(unit)) visit(unit, table.start[unit]);
      return;
    }
    heap.begin(table.start, this.#resumeAt);
    for (let unit = 0; unit < table.count; unit++) {
      if (!this.#matches.has(unit) || !this.#mayHaveWork(table, unit)) continue;
      heap.add(
        unit,
        exactPriority(order, weights, table.ratePerS[unit], table.age[unit] * aggrUs, table.szBytes[unit]),
      );
    }
    heap.arrange();
    while (heap.size > 0) {
      const unit = heap.pop();
      if (!visit(unit, table.start[unit])) return;
    }
  }

  #mayHaveWork(table: UnitTable, unit: number): boolean {
    for (let piece = table.firstPiece[unit]; piece !== NO_PIECE; piece = table.nextPiece[piece]) {
      if (this.#parts.mayHaveWork(table.places[piece])) return true;
    }
    return false;
  }

  /** False: the quota is used up. */
  #actOnUnit(nowUs: number, table: UnitTable, unit: number, from: number, attrs: RunnerAttrs): boolean {
    for (let piece = table.firstPiece[unit]; piece !== NO_PIECE; piece = table.nextPiece[piece]) {
      const end = table.pieceEnd[piece];
      const start = Math.max(from, table.pieceStart[piece]);
      if (start >= end || !this.#parts.mayHaveWork(table.places[piece])) continue;
      for (let at = start; at < end; ) {
        const to = Math.min(end, at + this.#stepBytes(at));
        if (to === at) return false;
        this.#find(nowUs, at, to, table, unit);
        for (const part of this.#found) {
          if (!this.#try(nowUs, part, table, unit, attrs)) return false;
        }
        at = to;
      }
    }
    return true;
  }

  /**
   * Bytes to look at next, from `at` on; 0: the quota is used up. In steps, so that page-level filters are
   * asked about little more than what will be acted on: asking makes young pages old.
   */
  #stepBytes(at: number): number {
    if (this.resolved.scheme.filters.length === 0) return Number.POSITIVE_INFINITY;
    const { roomBytes } = this.quota;
    if (roomBytes > 0) return Math.max(FILTER_STEP, roomBytes);
    this.quota.noteExceeded();
    this.#resumeAt = at;
    return 0;
  }

  /** Collects what is to do in a range: nothing may be asked for while placement is being visited. */
  #find(nowUs: number, start: number, end: number, table: UnitTable, unit: number): void {
    const found = this.#found;
    found.length = 0;
    const accessingNid = table.accessingNid(unit);
    const facts = { accessingNid, storeShare: table.storeShare(unit) };
    const placement: SchemeHost['placement'] = (from, to, visit) => this.#host.placement(from, to, visit);
    this.#parts.forEach(start, end, accessingNid, placement, (from, to, nids) => {
      const rest = (restStart: number, restEnd: number): void => {
        let passed = 0;
        this.#filters.forEachPassed(restStart, restEnd, facts, (partStart, partEnd) => {
          passed += partEnd - partStart;
          const last = found.at(-1);
          if (last !== undefined && last.end === partStart && last.nids === nids) last.end = partEnd;
          else found.push({ start: partStart, end: partEnd, nids });
        });
        this.stats.szFilteredOut += restEnd - restStart - passed;
      };
      if (this.#acted === undefined) rest(from, to);
      else this.#acted.forEachRested(nowUs, from, to, rest);
    });
  }

  /** Acts on a part, as far as the quota allows; false: no further. */
  #try(
    nowUs: number,
    part: { readonly start: number; readonly end: number; readonly nids: readonly number[] },
    table: UnitTable,
    unit: number,
    attrs: RunnerAttrs,
  ): boolean {
    if (this.#exchange === undefined) return this.#tryPart(nowUs, part, attrs);
    const { start, end, nids } = part;
    const { quota } = this;
    const tag = writeTag({ id: this.id, sequence: quota.sequence, makesWay: true });
    const bytes = this.#exchange.admit(
      {
        start,
        end,
        ratePerS: table.ratePerS[unit],
        ageUs: table.age[unit] * attrs.aggrUs,
        targetNid: this.#roomiest(nids),
        allowedBytes: quota.roomBytes,
      },
      (from, to, targetNid) => {
        // Both that come and that go are charged.
        quota.charge(to - from, nowUs);
        this.#host.act({ action: 'migrate_cold', start: from, end: to, targetNid, tag });
      },
    );
    return bytes === 0 || this.#tryPart(nowUs, { start, end: start + bytes, nids }, attrs);
  }

  /** As {@link #try}, for what has room. */
  #tryPart(
    nowUs: number,
    part: { readonly start: number; readonly end: number; readonly nids: readonly number[] },
    { minRegionSz }: RunnerAttrs,
  ): boolean {
    const { quota, stats } = this;
    const { start, end, nids } = part;
    const room = quota.roomBytes;
    // Spots, and what is left between them, may be smaller than a region; a cut leaves whole ones.
    const bytes = end - start <= room ? end - start : roundDown(room, minRegionSz);
    const isCut = bytes < end - start;
    if (isCut) {
      quota.noteExceeded();
      this.#resumeAt = start + bytes;
    }
    if (bytes === 0) return false;
    stats.nrTried++;
    stats.szTried += bytes;
    quota.charge(bytes, nowUs);
    if (quota.roomBytes < minRegionSz) this.#damonOrder.stopAt(start + bytes);
    this.#ask(start, start + bytes, nids);
    this.#acted?.add(nowUs, start, start + bytes);
    return !isCut;
  }

  #ask(start: number, end: number, nids: readonly number[]): void {
    const { action } = this.resolved.scheme;
    if (action === 'stat') {
      this.stats.nrApplied++;
      this.stats.szApplied += end - start;
      return;
    }
    this.#pendingBytes += end - start;
    this.#host.act({
      action,
      start,
      end,
      targetNid: this.#roomiest(nids),
      tag: writeTag({ id: this.id, sequence: this.quota.sequence, makesWay: false }),
    });
  }

  /** Of several nodes of a tier the one with most memory free, less what is on the way there; -1 of none. */
  #roomiest(nids: readonly number[]): number {
    if (nids.length <= 1) return nids[0] ?? -1;
    const roomOf = (nid: number): number => this.#host.gauge(nid).freeBytes - this.#host.comingBytes(nid);
    return nids.reduce((best, nid) => (roomOf(nid) > roomOf(best) ? nid : best));
  }
}
