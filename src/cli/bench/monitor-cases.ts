/** Cost of the evidence monitor, part by part, and of the plainest per-page trackers beside it. */
import { Engine } from '../../engine/engine.ts';
import { builtinField } from '../../machines/field/builtin.ts';
import { FieldMachine } from '../../machines/field/field-machine.ts';
import { type AccessBatch, createAccessBatch } from '../../memory/access-batch.ts';
import { RandomStream } from '../../memory/random.ts';
import { PAGE_SIZE } from '../../memory/range.ts';
import { EvidenceMonitor } from '../../monitor/evidence-monitor.ts';
import { DEFAULT_ATTRS } from '../../monitor/monitor.ts';
import { RegionTable } from '../../monitor/region-table.ts';
import type { Numbers } from './cases.ts';

const GIB = 2 ** 30;
const SPACE = 160 * GIB;
const AREA = 16 * 2 ** 20;
const BATCH = 65536;

/** Nanoseconds per call, the best of several rounds: the others ran beside somebody else's work. */
function bestNs(perRound: number, rounds: number, work: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    for (let k = 0; k < perRound; k++) work();
    best = Math.min(best, ((performance.now() - start) * 1e6) / perRound);
  }
  return best;
}

/** Random samples over all memory, as a source hands them over. */
function randomBatch(): AccessBatch {
  const random = new RandomStream(1, 'bench/batch');
  const batch = createAccessBatch(BATCH);
  batch.count = BATCH;
  batch.exposureS = 1e-6;
  for (let s = 0; s < BATCH; s++) {
    batch.address[s] = random.below(SPACE / PAGE_SIZE) * PAGE_SIZE;
    batch.nid[s] = s & 1;
    batch.isStore[s] = s % 3 === 0 ? 1 : 0;
  }
  return batch;
}

/** Samples per second into bins, and into one counter per page. */
export async function pushIngest(): Promise<Numbers> {
  const batch = randomBatch();
  const { address } = batch;
  const monitor = new EvidenceMonitor(DEFAULT_ATTRS, new RandomStream(1, 'monitor'));
  monitor.setRanges([{ start: 0, end: SPACE }]);
  const evidence = bestNs(20, 15, () => monitor.recordPush(batch));
  const counters = new Uint32Array(SPACE / PAGE_SIZE);
  const array = bestNs(20, 15, () => {
    for (let s = 0; s < BATCH; s++) counters[address[s] / PAGE_SIZE]++;
  });
  const map = new Map<number, number>();
  const hashed = bestNs(2, 3, () => {
    for (let s = 0; s < BATCH; s++) {
      const page = address[s] / PAGE_SIZE;
      map.set(page, (map.get(page) ?? 0) + 1);
    }
  });
  const perS = (ns: number): number => (BATCH / ns) * 1e3;
  return {
    'M samples/s': perS(evidence),
    'ns per sample': evidence / BATCH,
    'array per page M samples/s': perS(array),
    'array per page MiB': counters.byteLength / 2 ** 20,
    'map per page M samples/s': perS(hashed),
  };
}

/**
 * A monitor in a steady state with as many regions as it may have: every second to twentieth area of
 * 16 MiB is hot, by both sources at their default rates.
 */
class SteadyMonitor {
  readonly monitor: EvidenceMonitor;
  readonly #random = new RandomStream(1, 'bench/steady');
  readonly #every: number;
  readonly #batch = createAccessBatch(64);
  readonly #hits = new Uint8Array(4096);

  constructor(maxNrRegions: number) {
    this.#every = Math.max(2, Math.floor(20_000 / maxNrRegions));
    this.monitor = new EvidenceMonitor({ ...DEFAULT_ATTRS, maxNrRegions }, new RandomStream(1, 'monitor'));
    this.monitor.setRanges([{ start: 0, end: SPACE }]);
  }

  /** One sampling interval. */
  sample(): number {
    const random = this.#random;
    const plan = this.monitor.planChecks();
    for (let c = 0; c < plan.count; c++) {
      const isHot = Math.floor(plan.addresses[c] / AREA) % this.#every === 0;
      this.#hits[c] = isHot && random.unit() < 0.777 ? 1 : 0;
    }
    this.monitor.recordPull(this.#hits);
    const batch = this.#batch;
    batch.count = random.poisson(29.4);
    for (let s = 0; s < batch.count; s++) {
      const area = random.below(SPACE / AREA / this.#every) * this.#every;
      batch.address[s] = area * AREA + random.below(AREA / PAGE_SIZE) * PAGE_SIZE;
    }
    batch.exposureS = 0.005 * 1e-4;
    this.monitor.recordPush(batch);
    return plan.count;
  }

  aggregate(): void {
    this.monitor.aggregate();
    this.monitor.resetAndSplit();
  }
}

export function aggregation(maxNrRegions: number): () => Promise<Numbers> {
  return async () => {
    const steady = new SteadyMonitor(maxNrRegions);
    const interval = (): number => {
      const start = performance.now();
      steady.aggregate();
      return performance.now() - start;
    };
    for (let tick = 0; tick < 200 * 20; tick++) {
      steady.sample();
      if (tick % 20 === 19) interval();
    }
    const times: number[] = [];
    let checks = 0;
    let sampleMs = 0;
    for (let tick = 0; tick < 200 * 20; tick++) {
      const start = performance.now();
      checks += steady.sample();
      sampleMs += performance.now() - start;
      if (tick % 20 === 19) times.push(interval());
    }
    times.sort((a, b) => a - b);
    const { count } = steady.monitor.regions;
    return {
      regions: count,
      'ms per aggregation': times[times.length >> 1],
      'ns per region': (times[times.length >> 1] * 1e6) / count,
      'ns per check, source included': (sampleMs * 1e6) / checks,
      'bytes per region': RegionTable.recordBytes,
      'metadata KiB': steady.monitor.metadataBytes / 1024,
    };
  };
}

/** An hour of modelled time on a hot area that moves: does anything grow? */
export async function anHour(): Promise<Numbers> {
  const monitor = new EvidenceMonitor(DEFAULT_ATTRS, new RandomStream(1, 'monitor'));
  const field = builtinField('moving')?.create(1);
  if (field === undefined) throw new Error('the field "moving" is missing');
  const machine = new FieldMachine({
    field,
    push: { kind: 'rate', perS: 5876 },
    seed: 1,
    durationUs: 3600e6,
  });
  const heap: number[] = [];
  let nextUs = 300e6;
  await new Engine({
    machine,
    monitor,
    schemes: [],
    onPublished: ({ state }) => {
      if (state.timeUs < nextUs) return;
      nextUs += 300e6;
      globalThis.gc?.();
      heap.push(process.memoryUsage().rss);
    },
  }).run();
  return {
    'MB after 5 min': heap[0] / 1e6,
    'MB after 60 min': heap[heap.length - 1] / 1e6,
    'metadata KiB': monitor.metadataBytes / 1024,
    'peak regions': monitor.peakRegions,
  };
}
