/**
 * Up to which memory a tracker is simulated, and what a run takes.
 *
 * A model of a per-page system does work for each page, and keeps arrays of them: what takes seconds at
 * 100 GiB takes hours and tens of GiB at 16 TiB. Beyond its limit a tracker is not run; what it keeps is
 * told by arithmetic where its records are one per page. The rates below order tasks and set limits, so that
 * a run stays below some two minutes; they change no result. Measured on full-dram, one busy core of two,
 * November 2026.
 */
import type { LabMachine } from '../../machines/lab-machine.ts';
import { formatBytes } from '../../memory/units.ts';
import { footprintBytes } from '../../trackers/footprint.ts';
import { chooseContestants } from './contestants.ts';
import type { CompareTask } from './run-contestant.ts';

const GIB = 2 ** 30;
const TIB = 2 ** 40;

interface Effort {
  /** Of a run at 100 GiB. */
  readonly seconds: number;
  /** Largest memory of a workload that is simulated. */
  readonly upToBytes: number;
}

/** Whoever is not in here works for regions, not for pages. */
const PER_PAGE: Readonly<Record<string, Effort>> = {
  hemem: { seconds: 9, upToBytes: 2 * TIB },
  hybridtier: { seconds: 25, upToBytes: TIB },
  klruscand: { seconds: 3, upToBytes: 256 * GIB },
  'kpromoted-intended': { seconds: 6, upToBytes: 4 * TIB },
  'kpromoted-posted': { seconds: 6, upToBytes: 4 * TIB },
  'kscand-intended': { seconds: 3, upToBytes: TIB },
  'kscand-posted': { seconds: 54, upToBytes: 128 * GIB },
  memtis: { seconds: 37, upToBytes: 128 * GIB },
  numab2: { seconds: 30, upToBytes: 128 * GIB },
  'pghot-default': { seconds: 12, upToBytes: 4 * TIB },
  'pghot-precise': { seconds: 12, upToBytes: 4 * TIB },
};

const REGION_SECONDS: Readonly<Record<string, number>> = { evidence: 8, grid: 14 };
const OTHER_SECONDS = 1;

/** What came of a task without a run of it. */
export interface NotSimulated {
  readonly reason: string;
  /** null: it depends on what is accessed. */
  readonly metadataBytes: number | null;
  readonly machine: string;
  readonly workload: string;
}

/** Seconds, only good for comparing one task with another. */
export function effortOf({ tracker, sizeBytes }: Pick<CompareTask, 'tracker' | 'sizeBytes'>): number {
  const perPage = PER_PAGE[tracker];
  if (perPage === undefined) return REGION_SECONDS[tracker] ?? OTHER_SECONDS;
  return perPage.seconds * Math.max(1, (sizeBytes ?? 100 * GIB) / (100 * GIB));
}

/** undefined: the tracker can be simulated on this machine, which is only looked at. */
export function beyondSimulation(tracker: string, machine: LabMachine): NotSimulated | undefined {
  const limit = PER_PAGE[tracker];
  const ranges = machine.lab.pageRanges;
  const bytes = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  if (limit === undefined || bytes <= limit.upToBytes) return undefined;
  return notSimulated(
    tracker,
    machine,
    `not simulated at ${formatBytes(bytes)}: page by page it is up to ${formatBytes(limit.upToBytes)}`,
  );
}

export function notSimulated(tracker: string, machine: LabMachine, reason: string): NotSimulated {
  const [contestant] = chooseContestants([tracker]);
  const footprint = contestant.kind === 'tracker' ? contestant.footprint : undefined;
  const memory = { nodes: machine.nodes, ranges: machine.lab.pageRanges };
  return {
    reason,
    metadataBytes: footprint === undefined ? null : Math.round(footprintBytes(footprint, memory)),
    machine: machine.name,
    workload: machine.workload,
  };
}
