/** One line of a comparison: what a tracker reached on a machine, with one seed. */
import type { LabMachine } from '../../machines/lab-machine.ts';
import type { MoveCounters } from '../../machines/machine.ts';
import type { TrackerCpu } from '../../trackers/tracker.ts';
import type { Detection } from '../detection.ts';

/** Keys are those of `run` where `run` has them; keys only ever get added. */
export interface CompareRow {
  readonly tracker: string;
  readonly machine: string;
  readonly workload: string;
  readonly seed: number;
  readonly simulatedSeconds: number;
  /** The only value that differs between runs of equal seed. */
  readonly wallSeconds: number;
  readonly accesses: number;
  readonly fastTierShare: number;
  /** Modelled; that of the last thread. */
  readonly completionSeconds: number;
  readonly threads: readonly { readonly name: string; readonly seconds: number }[];
  readonly slowdown: number;
  /** Of the time in which what is hot changed, until 90 % of it was known; null where nothing was. */
  readonly detection: DetectionTimes;
  readonly hotSet: Detection & { readonly minRatePerS: number };
  readonly promotedBytes: number;
  readonly demotedBytes: number;
  readonly reclaimDemotedBytes: number;
  readonly failedBytes: number;
  readonly pingPongBytes: number;
  /** Promoted, and not used enough afterwards to be worth it. */
  readonly wastedBytes: number;
  readonly metadataBytes: number;
  readonly cpu: {
    /** In the application: faults and interrupts. */
    readonly applicationSeconds: number;
    /** In kernel threads or the engine. */
    readonly backgroundSeconds: number;
    readonly migrationSeconds: number;
  };
  readonly counters: Readonly<Record<string, number>>;
}

export interface DetectionTimes {
  /** Median over areas that became hot, from then until 50 and 90 % of their bytes were known, s. */
  readonly half: number | null;
  readonly most: number | null;
  /** Share of the areas of which 90 % were known before they cooled. */
  readonly found: number;
}

/** What a contestant adds to what the machine knows. */
export interface ContestantResult {
  readonly hotSet: Detection;
  readonly detection: DetectionTimes;
  readonly metadataBytes: number;
  readonly cpu: Readonly<TrackerCpu>;
  readonly migrationNs: number;
  readonly counters: Readonly<Record<string, number>>;
}

export function buildRow(
  tracker: string,
  machine: LabMachine,
  result: ContestantResult,
  facts: { readonly seed: number; readonly minRatePerS: number; readonly wallSeconds: number },
): CompareRow {
  const { accesses, fastAccesses } = machine.truth.totals();
  const { accessS, allFastS } = machine.systemGauge();
  const seconds = machine.truth.completionSeconds();
  const moves: Readonly<MoveCounters> = machine.moves;
  return {
    tracker,
    machine: machine.name,
    workload: machine.workload,
    seed: facts.seed,
    simulatedSeconds: machine.nowUs() / 1e6,
    wallSeconds: facts.wallSeconds,
    accesses: Math.round(accesses),
    fastTierShare: accesses > 0 ? fastAccesses / accesses : 0,
    completionSeconds: seconds,
    threads: machine.lab
      .threadEnds()
      .map(({ name, endS }) => ({ name, seconds: Number.isNaN(endS) ? machine.nowUs() / 1e6 : endS })),
    // A replay does not know how long its accesses took, but when it would have ended.
    slowdown: allFastS > 0 ? accessS / allFastS - 1 : seconds / machine.truth.baseline().allFastSeconds - 1,
    detection: result.detection,
    hotSet: { ...result.hotSet, minRatePerS: facts.minRatePerS },
    promotedBytes: moves.promotedBytes,
    demotedBytes: moves.demotedBytes + moves.reclaimDemotedBytes,
    reclaimDemotedBytes: moves.reclaimDemotedBytes,
    failedBytes: moves.failedBytes,
    pingPongBytes: moves.pingPongBytes,
    wastedBytes: machine.lab.waste().wastedBytes,
    metadataBytes: result.metadataBytes,
    cpu: {
      applicationSeconds: result.cpu.applicationNs / 1e9,
      backgroundSeconds: result.cpu.backgroundNs / 1e9,
      migrationSeconds: result.migrationNs / 1e9,
    },
    counters: result.counters,
  };
}
