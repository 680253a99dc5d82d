/**
 * Cost of the evidence monitor, part by part, and of the plainest per-page trackers beside it. Every case
 * drives the functions that the engine drives, in its order; what the made-up sources cost stands apart.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Engine } from '../../engine/engine.ts';
import { builtinField } from '../../machines/field/builtin.ts';
import { FieldMachine } from '../../machines/field/field-machine.ts';
import { type AccessBatch, createAccessBatch } from '../../memory/access-batch.ts';
import { RandomStream } from '../../memory/random.ts';
import { PAGE_SIZE } from '../../memory/range.ts';
import { EvidenceMonitor } from '../../monitor/evidence-monitor.ts';
import { type CheckPlan, DEFAULT_ATTRS } from '../../monitor/monitor.ts';
import { RegionTable } from '../../monitor/region-table.ts';
import type { Numbers } from './numbers.ts';

const GIB = 2 ** 30;
const SPACE = 160 * GIB;
const AREA = 16 * 2 ** 20;
/** As the engine drains its sources, and enough different batches that no branch can be learnt by heart. */
const BATCH = 4096;
const BATCHES = 128;

/** Nanoseconds of each of several rounds. */
interface Rounds {
  /** The others ran beside somebody else's work. */
  readonly best: number;
  readonly median: number;
}

/** Runs `work` so often before it is timed that the compiler has made up its mind, then `rounds` times. */
function timeRounds(warmUp: number, rounds: number, work: () => void): Rounds {
  for (let round = 0; round < warmUp; round++) work();
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    work();
    times.push((performance.now() - start) * 1e6);
  }
  return { best: Math.min(...times), median: median(times) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** Random samples over all memory, as a source hands them over. */
function randomBatches(): AccessBatch[] {
  const random = new RandomStream(1, 'bench/batch');
  return Array.from({ length: BATCHES }, () => {
    const batch = createAccessBatch(BATCH);
    batch.count = BATCH;
    batch.exposureS = 1e-6;
    for (let s = 0; s < BATCH; s++) {
      batch.address[s] = random.below(SPACE / PAGE_SIZE) * PAGE_SIZE;
      batch.nid[s] = random.below(2);
      batch.isStore[s] = random.unit() < 0.3 ? 1 : 0;
    }
    return batch;
  });
}

/** Samples per second into bins, and into one counter per page. */
export async function pushIngest(): Promise<Numbers> {
  const batches = randomBatches();
  const { monitor } = new SteadyMonitor(1000, 200);
  const evidence = timeRounds(60, 60, () => {
    for (const batch of batches) monitor.recordPush(batch);
  });
  // The same with an aggregation after every round of 0.5 M samples: twenty times as often as at 100 M/s.
  const aggregated = timeRounds(20, 40, () => {
    for (const batch of batches) monitor.recordPush(batch);
    monitor.aggregate();
    monitor.resetAndSplit();
  });
  const counters = new Uint32Array(SPACE / PAGE_SIZE);
  const array = timeRounds(10, 20, () => {
    for (const { address } of batches) {
      for (let s = 0; s < BATCH; s++) counters[address[s] / PAGE_SIZE]++;
    }
  });
  const map = new Map<number, number>();
  const hashed = timeRounds(1, 5, () => {
    for (const { address } of batches) {
      for (let s = 0; s < BATCH; s++) {
        const page = address[s] / PAGE_SIZE;
        map.set(page, (map.get(page) ?? 0) + 1);
      }
    }
  });
  const perS = (ns: number): number => ((BATCH * BATCHES) / ns) * 1e3;
  return {
    'M samples/s, best round': perS(evidence.best),
    'M samples/s, median round': perS(evidence.median),
    'ns per sample, median round': evidence.median / (BATCH * BATCHES),
    'with aggregations M samples/s': perS(aggregated.median),
    'array per page M samples/s': perS(array.median),
    'array per page MiB': counters.byteLength / 2 ** 20,
    'map per page M samples/s': perS(hashed.median),
  };
}

/** Milliseconds of one aggregation interval, by part. */
interface IntervalCost {
  checks: number;
  /** Planning checks and recording their results. */
  pull: number;
  /** Recording samples: few at a time, as the default rate brings them. */
  push: number;
  /** The made-up sources: random numbers, and who is hot. */
  source: number;
  aggregate: number;
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

  /** Runs `intervals` aggregation intervals before anything is measured. */
  constructor(maxNrRegions: number, intervals: number) {
    this.#every = Math.max(2, Math.floor(20_000 / maxNrRegions));
    this.monitor = new EvidenceMonitor({ ...DEFAULT_ATTRS, maxNrRegions }, new RandomStream(1, 'monitor'));
    this.monitor.setRanges([{ start: 0, end: SPACE }]);
    for (let i = 0; i < intervals; i++) this.interval();
  }

  /** One aggregation interval. */
  interval(): IntervalCost {
    const cost: IntervalCost = { checks: 0, pull: 0, push: 0, source: 0, aggregate: 0 };
    for (let tick = 0; tick < 20; tick++) this.#sample(cost);
    const start = performance.now();
    this.monitor.aggregate();
    this.monitor.resetAndSplit();
    cost.aggregate = performance.now() - start;
    return cost;
  }

  /** One sampling interval. */
  #sample(cost: IntervalCost): void {
    const { monitor } = this;
    const start = performance.now();
    const plan = monitor.planChecks();
    const planned = performance.now();
    this.#check(plan);
    const checked = performance.now();
    monitor.recordPull(this.#hits);
    const recorded = performance.now();
    this.#drawSamples();
    const drawn = performance.now();
    monitor.recordPush(this.#batch);
    cost.push += performance.now() - drawn;
    cost.checks += plan.count;
    cost.pull += planned - start + (recorded - checked);
    cost.source += checked - planned;
  }

  #check(plan: CheckPlan): void {
    for (let c = 0; c < plan.count; c++) {
      const isHot = Math.floor(plan.addresses[c] / AREA) % this.#every === 0;
      this.#hits[c] = isHot && this.#random.unit() < 0.777 ? 1 : 0;
    }
  }

  #drawSamples(): void {
    const random = this.#random;
    const batch = this.#batch;
    batch.count = random.poisson(29.4);
    for (let s = 0; s < batch.count; s++) {
      const area = random.below(SPACE / AREA / this.#every) * this.#every;
      batch.address[s] = area * AREA + random.below(AREA / PAGE_SIZE) * PAGE_SIZE;
    }
    batch.exposureS = 0.005 * 1e-4;
  }
}

export function aggregation(maxNrRegions: number): () => Promise<Numbers> {
  return async () => {
    const steady = new SteadyMonitor(maxNrRegions, 400);
    const costs = Array.from({ length: 400 }, () => steady.interval());
    const ms = median(costs.map((cost) => cost.aggregate));
    const { count } = steady.monitor.regions;
    return {
      regions: count,
      'ms per aggregation': ms,
      'ms per aggregation, slowest twentieth': costs.map((c) => c.aggregate).toSorted((a, b) => b - a)[
        costs.length / 20
      ],
      'ns per region': (ms * 1e6) / count,
      'ns per check': median(costs.map(({ pull, checks }) => (pull * 1e6) / checks)),
      'the source of it ns per check': median(costs.map(({ source, checks }) => (source * 1e6) / checks)),
      'us of samples per interval': median(costs.map(({ push }) => push * 1e3)),
      'bytes per region': RegionTable.recordBytes,
      'metadata KiB': steady.monitor.metadataBytes / 1024,
    };
  };
}

/** A collection of garbage on demand, in a process that was not started with the flag for it. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  // The flag holds for contexts made from now on; V8 gives the function no type.
  return runInNewContext('gc') as () => void;
}

/** An hour of modelled time on a hot area that moves: does anything grow? */
export async function anHour(): Promise<Numbers> {
  const collect = collector();
  const monitor = new EvidenceMonitor(DEFAULT_ATTRS, new RandomStream(1, 'monitor'));
  const field = builtinField('moving')?.create(1);
  if (field === undefined) throw new Error('the field "moving" is missing');
  const machine = new FieldMachine({
    field,
    push: { kind: 'rate', perS: 5876 },
    seed: 1,
    durationUs: 3600e6,
  });
  const numbers: Record<string, number> = {};
  /** What is reachable: the heap and all typed arrays; those go with the collection after their owners'. */
  const note = (label: string): void => {
    for (let k = 0; k < 3; k++) collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    numbers[`live MB ${label}`] = (heapUsed + arrayBuffers) / 1e6;
  };
  let minutes = 1;
  await new Engine({
    machine,
    monitor,
    schemes: [],
    onPublished: ({ state }) => {
      if (state.timeUs < minutes * 60e6) return;
      note(`after ${minutes} min`);
      minutes = minutes === 1 ? 10 : minutes + 10;
    },
  }).run();
  return {
    ...numbers,
    'resident MB at the end': process.memoryUsage().rss / 1e6,
    'metadata KiB': monitor.metadataBytes / 1024,
    'peak regions': monitor.peakRegions,
  };
}
