/**
 * `swap-server`: no second tier but a swap device of 1 GB/s. 64 GiB of DRAM, of which 15 are free; two
 * services in their cgroups use 8 and 12 GiB, /app has 14 GiB more that it stopped using, and 13 GiB are
 * page cache that nobody reads. For reclaim, LRU sorting and the working set. Six minutes.
 */
import { roundDown } from '../../../memory/range.ts';
import { DEFAULT_PUSH } from '../hardware.ts';
import type { SimulatedMachineConfig } from '../simulated-machine.ts';
import { dramNode, GIB, minutes, openThread, type PresetOptions, wholeOf } from './preset.ts';

export function swapServer(options: PresetOptions): SimulatedMachineConfig {
  const unit = roundDown((options.sizeBytes ?? 47 * GIB) / 47, 2 ** 21);
  const at = (units: number): number => units * unit;
  return {
    name: 'swap-server',
    nodes: [dramNode(0, 64 * unit)],
    mover: {
      migrationBytesPerS: 0,
      kswapdBytesPerS: 0,
      swapBytesPerS: 1e9,
      systemBytes: [2 * unit],
      useWatermarks: true,
    },
    workload: {
      name: 'two services with 20 GiB in use, 14 GiB that one of them left, 13 GiB of page cache',
      ranges: [{ start: 0, end: at(47) }],
      durationUs: minutes(6),
      kinds: [
        { start: 0, end: at(22), memcg: '/app' },
        { start: at(22), end: at(34), memcg: '/batch', pageBytes: 2 ** 21 },
        { start: at(34), end: at(47), isAnon: false, isMapped: false },
      ],
      threads: [
        openThread('app', wholeOf(0, at(8)), 330e6 * (unit / GIB)),
        openThread('batch', wholeOf(at(22), at(34)), 60e6 * (unit / GIB), { loadShare: 0.5 }),
      ],
    },
    push: options.push ?? DEFAULT_PUSH,
    sampledShare: 1,
    seed: options.seed,
  };
}
