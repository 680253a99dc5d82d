/** Builds the machine that replays a recording, whatever it holds: accesses one by one, or rates of regions. */
import { ThermoError } from '../../memory/error.ts';
import { PAGE_SIZE, totalBytes } from '../../memory/range.ts';
import { formatBytes, formatCount } from '../../memory/units.ts';
import { detectInput, type InputFormat } from '../../records/detect.ts';
import { loadRecord } from '../../records/load-record.ts';
import type { RegionFormat } from '../../records/region-input.ts';
import type { LabMachine } from '../lab-machine.ts';
import { MIGRATION_BYTES_PER_S } from '../simulated/hardware.ts';
import { SimulatedMachine } from '../simulated/simulated-machine.ts';
import { openReplay, type ReplayOptions } from './open-replay.ts';
import { recordedWorkload } from './recorded-workload.ts';
import { fastPagesOf, REPLAY_LATENCIES, twoTiers } from './replayed-machine.ts';

export interface RecordingOptions extends Omit<ReplayOptions, 'format'> {
  readonly format: InputFormat | undefined;
}

/** @throws ThermoError if the recording cannot be read, or holds nothing */
export async function openRecording(options: RecordingOptions): Promise<LabMachine> {
  const detected = await detectInput(options, options.format);
  if (detected.kind === 'accesses') {
    const { path, stdin, format } = detected;
    return openReplay({ ...options, path, stdin, format });
  }
  const { path, stdin, format } = detected;
  return openRegions({ ...options, path, stdin, format });
}

/** Rates of regions on a simulated machine of two tiers, sized as a replay's. */
async function openRegions(
  options: Omit<RecordingOptions, 'format'> & { readonly format: RegionFormat | undefined },
): Promise<LabMachine> {
  const { records, warnings, format } = await loadRecord(options);
  if (options.shouldStop?.()) throw new ThermoError('THERMO_USAGE', 'interrupted while reading the record');
  const [record] = [...records].sort((a, b) => b.snapshots.length - a.snapshots.length);
  const name =
    options.path === '-' ? 'from standard input' : options.path.replace(/\/+$/, '').replace(/^.*\//, '');
  const others = records.length - 1;
  const recorded = recordedWorkload(record, `${format} record ${name}`, options.maxRanges);
  const notes = [
    ...(recorded.notes ?? []),
    ...(others > 0 ? [`${formatCount(others)} other records of the file are left out`] : []),
    ...warnings,
  ];
  const workload = { ...recorded, notes };
  if (workload.threads.length === 0) {
    throw new ThermoError('THERMO_RECORD_FORMAT', `${options.path}: nothing was accessed in it`, {
      hint: 'expected a record in which some region has accesses',
    });
  }
  const footprint = totalBytes(workload.ranges);
  const fastBytes = fastPagesOf(options.fast, footprint) * PAGE_SIZE;
  return new SimulatedMachine({
    name: `replay, ${formatBytes(fastBytes)} fast of ${formatBytes(footprint)}`,
    nodes: twoTiers(fastBytes, footprint, options.latencies ?? REPLAY_LATENCIES),
    mover: {
      migrationBytesPerS: MIGRATION_BYTES_PER_S,
      kswapdBytesPerS: MIGRATION_BYTES_PER_S,
      systemBytes: [0, 0],
      useWatermarks: true,
    },
    workload,
    push: options.push,
    sampledShare: 1,
    seed: options.seed,
  });
}
