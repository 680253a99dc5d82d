/**
 * A record of regions as a workload: each snapshot's rates hold while it lasts.
 *
 * What is taken for granted: accesses are spread evenly over a region and come at a fixed rate, whatever memory
 * does (open loop). The rate is the one the record measured or, from counts of positive samples, the one at
 * which a page would be seen accessed so often; where all samples hit it is the least that they can tell. A
 * record of a single snapshot goes on for {@link SINGLE_US}.
 */
import { type AddressRange, alignRanges, coverRanges, joinRanges, PAGE_SIZE } from '../../memory/range.ts';
import type { RecordedSnapshot, RegionRecord } from '../../memory/region-record.ts';
import type { Area, Phase, Workload, WorkThread } from '../simulated/workload.ts';

const SINGLE_US = 60e6;
/** Intervals of a record that tells none: DAMON's defaults. */
const DEFAULT_SAMPLE_US = 5_000;
const DEFAULT_MAX_ACCESSES = 20;
/** Mix of loads; records do not tell it. */
const LOAD_SHARE = 0.7;
/** Most ranges to watch; smaller gaps count as memory. */
const MAX_RANGES = 10;

interface Period {
  readonly snapshot: RecordedSnapshot;
  readonly us: number;
  /** Accesses per second of all memory. */
  readonly perS: number;
}

export function recordedWorkload(record: RegionRecord, name: string, maxRanges = MAX_RANGES): Workload {
  const periods = periodsOf(record);
  const levels = [...new Set(periods.filter(({ perS }) => perS > 0).map(({ perS }) => levelOf(perS)))].sort(
    (a, b) => a - b,
  );
  return {
    name,
    ranges: rangesOf(record, Math.min(maxRanges, MAX_RANGES)),
    notes: [
      'the record has rates of regions, no accesses: they are taken as even within a region, at a fixed pace',
    ],
    threads: levels.map((level) => threadAt(level, periods)),
    durationUs: periods.reduce((sum, { us }) => sum + us, 0),
  };
}

function periodsOf({ snapshots }: RegionRecord): Period[] {
  const isSingle = snapshots.length === 1;
  return snapshots.map((snapshot) => {
    let perS = 0;
    for (let i = 0; i < snapshot.count; i++) {
      perS += (rateOf(snapshot, i) * (snapshot.end[i] - snapshot.start[i])) / PAGE_SIZE;
    }
    const us = isSingle ? SINGLE_US : Math.max(1, Number(snapshot.endNs - snapshot.startNs) / 1000);
    return { snapshot, us, perS };
  });
}

/** Accesses per page and second. */
function rateOf({ ratePerS, nrAccesses, maxNrAccesses, sampleUs }: RecordedSnapshot, i: number): number {
  const measured = ratePerS?.[i];
  if (measured !== undefined && !Number.isNaN(measured)) return measured;
  const most = maxNrAccesses ?? DEFAULT_MAX_ACCESSES;
  const hits = Math.min(nrAccesses[i], most);
  // As a monitor of checks estimates it: the share of misses is at least that of half a check.
  const misses = Math.max((most - hits) / most, 1 / (2 * most + 2));
  return -Math.log(misses) / ((sampleUs ?? DEFAULT_SAMPLE_US) / 1e6);
}

/** Threads of a fixed pace each are an octave apart; a thread works that part of a period which gives its rate. */
function levelOf(perS: number): number {
  return Math.ceil(Math.log2(perS));
}

function threadAt(level: number, periods: readonly Period[]): WorkThread {
  const accessesPerS = 2 ** level;
  /** Period of each phase, -1 for waiting, and how long. */
  const phases: { readonly period: Period | undefined; us: number }[] = [];
  const wait = (us: number): void => {
    const last = phases[phases.length - 1];
    if (us <= 0) return;
    if (last !== undefined && last.period === undefined) last.us += us;
    else phases.push({ period: undefined, us });
  };
  for (const period of periods) {
    const isOurs = period.perS > 0 && levelOf(period.perS) === level;
    const busyUs = isOurs ? (period.us * period.perS) / accessesPerS : 0;
    if (isOurs) phases.push({ period, us: busyUs });
    wait(period.us - busyUs);
  }
  return {
    name: `recorded, up to ${accessesPerS}/s`,
    nid: 0,
    loadShare: LOAD_SHARE,
    pace: { kind: 'open', accessesPerS },
    phaseCount: phases.length,
    phase: (index): Phase => {
      const { period, us } = phases[index];
      return {
        areas: period === undefined ? [] : areasOf(period),
        accesses: Number.POSITIVE_INFINITY,
        forUs: us,
      };
    },
  };
}

/** Neighbours of one rate are one area. */
function areasOf({ snapshot, perS }: Period): Area[] {
  const { count, start, end } = snapshot;
  const areas: { start: number; end: number; rate: number }[] = [];
  for (let i = 0; i < count; i++) {
    const rate = rateOf(snapshot, i);
    const [range] = alignRanges([{ start: start[i], end: end[i] }], PAGE_SIZE);
    const last = areas[areas.length - 1];
    if (rate === 0) continue;
    if (last !== undefined && last.end === range.start && last.rate === rate) last.end = range.end;
    else areas.push({ start: range.start, end: range.end, rate });
  }
  // Of all accesses, also where rounding to pages made a region larger.
  const total = areas.reduce((sum, area) => sum + (area.rate * (area.end - area.start)) / PAGE_SIZE, 0);
  const share = ({ start: from, end: to, rate }: (typeof areas)[number]): number =>
    (rate * (to - from)) / PAGE_SIZE / (total > 0 ? total : perS);
  return areas.map((area) => ({ start: area.start, end: area.end, share: share(area) }));
}

/** All that any snapshot shows, with the largest gaps left out. */
function rangesOf({ snapshots }: RegionRecord, maxRanges: number): AddressRange[] {
  const all: AddressRange[] = [];
  for (const { count, start, end } of snapshots) {
    for (let i = 0; i < count; i++) all.push({ start: start[i], end: end[i] });
  }
  return coverRanges(alignRanges(joinRanges(all), PAGE_SIZE), maxRanges);
}
