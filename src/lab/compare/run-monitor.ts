/** A monitor with schemes, which is what regions are for, on a modelled machine, from start to end. */
import { Engine } from '../../engine/engine.ts';
import type { LabMachine } from '../../machines/lab-machine.ts';
import { RandomStream } from '../../memory/random.ts';
import type { Monitor, MonitorAttrs } from '../../monitor/monitor.ts';
import { forEachPiece } from '../../monitor/pieces.ts';
import { resolveSchemes } from '../../schemes/resolve.ts';
import type { Scheme } from '../../schemes/scheme.ts';
import { DetectionMeter } from './detection-meter.ts';
import type { ContestantResult } from './row.ts';
import { type ContestantOptions, LOOK_US } from './run-tracker.ts';

export interface MonitorContestant {
  readonly create: (attrs: MonitorAttrs, random: RandomStream) => Monitor;
  /** False: it takes no samples. */
  readonly usesSamples: boolean;
  readonly attrs: MonitorAttrs;
  readonly schemes: readonly Scheme[];
  /** Share of one CPU that monitoring may cost; undefined: its rates stay. */
  readonly overheadShare: number | undefined;
}

export async function runMonitor(
  machine: LabMachine,
  { create, usesSamples, attrs, schemes, overheadShare }: MonitorContestant,
  options: ContestantOptions,
): Promise<ContestantResult> {
  if (!usesSamples) machine.setPush({ kind: 'off' });
  const monitor = create(attrs, new RandomStream(options.seed, 'monitor'));
  const meter = new DetectionMeter(machine.truth, options.minRatePerS);
  machine.lab.waste();
  let nextLookUs = 0;
  let chargedSamples = 0;
  const engine = new Engine({
    machine,
    monitor,
    schemes: resolveSchemes(schemes, machine),
    ...(overheadShare === undefined ? {} : { overheadShare }),
    onAggregated: (nowUs) => {
      if (nowUs < nextLookUs) return;
      nextLookUs = nowUs + LOOK_US;
      meter.add(nowUs, (visit) => forEachPiece(monitor.regions, monitor.spots, visit, options.minRatePerS));
    },
    onPublished: ({ state }) => {
      // Samples interrupt who is sampled.
      const samples = state.pushSamples + state.droppedSamples;
      machine.lab.charge((samples - chargedSamples) * (machine.costs.pushSampleNs / 1000));
      chargedSamples = samples;
    },
    ...(options.shouldStop ? { shouldStop: options.shouldStop } : {}),
    ...(options.pause ? { pause: options.pause } : {}),
  });
  const state = await engine.run();
  const { pullCheckNs, pushSampleNs } = machine.costs;
  const counters: Record<string, number> = {
    regions: monitor.peakRegions,
    pull_checks: state.pullChecks,
    push_samples: state.pushSamples,
    push_samples_lost: state.droppedSamples,
  };
  for (const scheme of state.schemes) {
    Object.assign(counters, {
      [`${scheme.name}.nr_tried`]: scheme.nrTried,
      [`${scheme.name}.sz_tried`]: scheme.szTried,
      [`${scheme.name}.nr_applied`]: scheme.nrApplied,
      [`${scheme.name}.sz_applied`]: scheme.szApplied,
      [`${scheme.name}.qt_exceeds`]: scheme.nrQuotaExceeded,
      [`${scheme.name}.sz_exchanged`]: scheme.szExchanged,
      [`${scheme.name}.nr_snapshots`]: scheme.nrSnapshots,
    });
  }
  return {
    hotSet: meter.score.result(),
    detection: meter.times(),
    metadataBytes: monitor.metadataBytes,
    cpu: {
      applicationNs: (state.pushSamples + state.droppedSamples) * pushSampleNs,
      backgroundNs: state.pullChecks * pullCheckNs,
    },
    migrationNs: state.schemes.reduce((sum, scheme) => sum + scheme.cpuUs * 1000, 0),
    counters,
  };
}
