/**
 * What a scheme would have tried of the memory of a record, snapshot by snapshot. The real executor acts on the
 * recorded regions, with its patterns, quotas, priorities and goals; on a machine of two tiers of which this is assumed:
 *
 * - at first all memory is where the scheme takes from: on the slow tier for what goes to the fast one, else on
 *   the fast one; both have room for all of it;
 * - what is asked for happens at once, and never fails; it changes where memory is, not how it is accessed;
 * - what was paged out is back as soon as a snapshot shows accesses to it.
 *
 * Each scheme is alone on the machine: others of the file do not act.
 */
import type { SystemGauge } from '../../memory/action.ts';
import { type ActionRequest, type NodeGauge, PAGED_OUT } from '../../memory/action.ts';
import { PageRuns, type RunVisitor } from '../../memory/page-runs.ts';
import { PAGE_SIZE, roundDown, roundUp } from '../../memory/range.ts';
import type { RecordedSnapshot, RegionRecord } from '../../memory/region-record.ts';
import type { MemoryNode } from '../../memory/tier.ts';
import { NO_REGIONS, type Regions } from '../../monitor/monitor.ts';
import { pullRateOf } from '../../monitor/rate.ts';
import { SchemeExecutor } from '../../schemes/executor.ts';
import { type ResolvedScheme, resolveSchemes } from '../../schemes/resolve.ts';
import type { Scheme } from '../../schemes/scheme.ts';
import type { SchemeHost } from '../../schemes/scheme-runner.ts';
import { ACTIONS } from '../../schemes/vocabulary.ts';
import type { WhatIf, WhatIfScheme } from '../../view/report/what-if.ts';
import { watchedBytes } from './region-facts.ts';

/** Intervals of a record that does not tell any: DAMON's defaults. */
const ASSUMED_INTERVALS = { sampleUs: 5_000, aggrUs: 100_000 };

export interface RecordedIntervals {
  readonly sampleUs: number;
  readonly aggrUs: number;
  /** The record does not tell them. */
  readonly isAssumed: boolean;
}

export function intervalsOfRecord(record: RegionRecord): RecordedIntervals {
  const told = record.snapshots.find(({ sampleUs, aggrUs }) => sampleUs !== null && aggrUs !== null);
  return {
    sampleUs: told?.sampleUs ?? ASSUMED_INTERVALS.sampleUs,
    aggrUs: told?.aggrUs ?? ASSUMED_INTERVALS.aggrUs,
    isAssumed: told === undefined,
  };
}

const FAST = 0;
const SLOW = 1;

/** @throws ThermoErrors for schemes that ask for what a record cannot tell, such as properties of pages */
export function whatIf(
  record: RegionRecord,
  schemes: readonly Scheme[],
  nodes: readonly MemoryNode[],
): WhatIf {
  const machine = {
    name: 'of a record',
    nodes,
    actions: Object.keys(ACTIONS) as Scheme['action'][],
    pageProperties: [],
    gauges: [],
  };
  const resolved = resolveSchemes(schemes, machine);
  return {
    intervals: intervalsOfRecord(record),
    schemes: resolved.map((scheme) => runAlone(record, scheme)),
  };
}

function runAlone(record: RegionRecord, resolved: ResolvedScheme): WhatIfScheme {
  const intervals = intervalsOfRecord(record);
  const host = new RecordHost(record, startNode(resolved));
  const attrs = { minRegionSz: PAGE_SIZE, ...intervals };
  const executor = new SchemeExecutor([resolved], attrs, host);
  const originNs = record.snapshots[0].startNs;
  let before = { ...executor.stats(0) };
  const snapshots = record.snapshots.map((snapshot) => {
    const timeUs = Number(snapshot.endNs - originNs) / 1000;
    executor.setAttrs({ ...attrs, ...known(snapshot, intervals) });
    host.bringBack(snapshot);
    executor.watch(1);
    executor.apply(timeUs, regionsOf(snapshot, intervals), NO_REGIONS);
    for (const { tag, start, end } of host.takeRequests())
      executor.recordResult(tag, end - start, 'applied', 0);
    const now = { ...executor.stats(0) };
    const told = {
      timeUs,
      matchedBytes: now.nrSnapshots > before.nrSnapshots ? now.szMatched : 0,
      triedBytes: now.szTried - before.szTried,
      triedRegions: now.nrTried - before.nrTried,
      quotaExceeded: now.nrQuotaExceeded > before.nrQuotaExceeded,
    };
    before = now;
    return told;
  });
  return {
    name: resolved.scheme.name,
    action: resolved.scheme.action,
    triedBytes: before.szTried,
    triedRegions: before.nrTried,
    quotaExceeded: before.nrQuotaExceeded,
    snapshots,
  };
}

/** Where all memory is at the start. */
function startNode({ dests, fromNids, scheme }: ResolvedScheme): number {
  if (fromNids !== undefined) return fromNids[0];
  if (dests.length === 0) return FAST;
  return scheme.action === 'migrate_hot' || dests[0].nids.includes(FAST) ? SLOW : FAST;
}

function known(
  { sampleUs, aggrUs }: RecordedSnapshot,
  otherwise: RecordedIntervals,
): { sampleUs: number; aggrUs: number } {
  return { sampleUs: sampleUs ?? otherwise.sampleUs, aggrUs: aggrUs ?? otherwise.aggrUs };
}

/** The regions of a snapshot as a monitor shows them; ages in aggregation intervals. */
function regionsOf(snapshot: RecordedSnapshot, otherwise: RecordedIntervals): Regions {
  const { sampleUs, aggrUs } = known(snapshot, otherwise);
  const max = snapshot.maxNrAccesses ?? aggrUs / sampleUs;
  const { start, end, nrAccesses, age, ageUnitUs, ratePerS } = snapshot;
  return {
    count: snapshot.count,
    start: (i) => wholePages(start[i], end[i])[0],
    end: (i) => wholePages(start[i], end[i])[1],
    rate: (i) => ratePerS?.[i] ?? pullRateOf(Math.min(max, nrAccesses[i]), max, sampleUs / 1e6),
    age: (i) => (Number.isNaN(age[i]) ? 0 : (age[i] * (ageUnitUs ?? aggrUs)) / aggrUs),
    isIdle: (i) => nrAccesses[i] === 0,
    nrAccesses: (i) => nrAccesses[i],
    accessingNid: () => -1,
    storeShare: () => Number.NaN,
  };
}

/** The pages that lie in a range whole. */
function wholePages(start: number, end: number): [start: number, end: number] {
  const from = roundUp(start, PAGE_SIZE);
  return [from, Math.max(from, roundDown(end, PAGE_SIZE))];
}

/** A machine that does what it is asked for, and knows nothing that the record does not tell. */
class RecordHost implements SchemeHost {
  readonly #runs = new PageRuns();
  readonly #totalBytes: number;
  readonly #home: number;
  #requests: ActionRequest[] = [];

  constructor(record: RegionRecord, home: number) {
    this.#home = home;
    for (const { count, start, end } of record.snapshots) {
      for (let i = 0; i < count; i++) {
        const [from, to] = wholePages(start[i], end[i]);
        this.#runs.set(from, to, home);
      }
    }
    this.#totalBytes = watchedBytes(record);
  }

  /** Memory that was paged out and is accessed again. */
  bringBack({ count, start, end, nrAccesses }: RecordedSnapshot): void {
    for (let i = 0; i < count; i++) {
      if (nrAccesses[i] === 0) continue;
      this.#runs.forEach(start[i], end[i], (from, to, nid) => {
        if (nid === PAGED_OUT) this.#runs.set(from, to, this.#home);
      });
    }
  }

  takeRequests(): readonly ActionRequest[] {
    const requests = this.#requests;
    this.#requests = [];
    return requests;
  }

  placement(start: number, end: number, visit: RunVisitor): void {
    this.#runs.forEach(start, end, visit);
  }

  queryPages(): void {
    // No filter that asks for properties gets here: the machine has none.
  }

  act(request: ActionRequest): void {
    this.#requests.push(request);
    const { start, end, action, targetNid } = request;
    if (targetNid >= 0) this.#runs.set(start, end, targetNid);
    else if (ACTIONS[action].effect === 'evicts') this.#runs.set(start, end, PAGED_OUT);
  }

  gauge(nid: number): NodeGauge {
    let used = 0;
    this.#runs.forEach(0, Number.MAX_SAFE_INTEGER, (from, to, on) => {
      if (on === nid) used += to - from;
    });
    return {
      nid,
      totalBytes: this.#totalBytes,
      freeBytes: Math.max(0, this.#totalBytes - used),
      reserveBytes: 0,
    };
  }

  systemGauge(): SystemGauge {
    const unknown = Number.NaN;
    return {
      someMemPsiUs: unknown,
      activeBytes: unknown,
      inactiveBytes: unknown,
      accesses: unknown,
      fastAccesses: unknown,
      accessS: unknown,
      allFastS: unknown,
      fastNs: unknown,
      slowNs: unknown,
    };
  }

  memcgBytes(): number {
    return Number.NaN;
  }

  monitoringCpuShare(): number {
    return 0;
  }

  comingBytes(): number {
    return 0;
  }
}
