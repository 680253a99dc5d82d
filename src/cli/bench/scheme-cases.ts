/** The case of `thermocline bench` that measures schemes. */
import type { ActionRequest, NodeGauge, PageQuery, SystemGauge } from '../../memory/action.ts';
import { PageRuns, type RunVisitor } from '../../memory/page-runs.ts';
import { RandomStream } from '../../memory/random.ts';
import { ADISTANCE_DRAM, type MemoryNode } from '../../memory/tier.ts';
import { DEFAULT_ATTRS, NO_REGIONS, type Regions } from '../../monitor/monitor.ts';
import { SchemeExecutor } from '../../schemes/executor.ts';
import { loadSchemes } from '../../schemes/load.ts';
import { resolveSchemes } from '../../schemes/resolve.ts';
import type { SchemeHost } from '../../schemes/scheme-runner.ts';
import type { Numbers } from './numbers.ts';

const REGIONS = 10_000;
const REGION_BYTES = 16 * 2 ** 20;
const ROUND_US = 100_000;
const ROUNDS = 300;
const WARM_UP = 100;

/** Filters, priorities and quotas of every kind, each used up in every round of 100 ms. */
const SCHEMES = `version: 1
schemes:
  - promote hot>5 from CXL to DRAM quota 64M/100ms
  - promote hot>1 for 1s from CXL to DRAM only young quota 256M/100ms top 100
  - promote hot>10/s from CXL to DRAM only anon not memcg /batch quota 128M/100ms by histogram
  - demote cold>1s from DRAM to CXL not young quota 64M/100ms goal DRAM free 60%
  - demote cold>10s from DRAM to CXL quota 1G/100ms, 50ms/100ms
  - pageout cold>30s only anon quota 32M/100ms when free_mem 1%..90%
  - lru_prio hot>50% quota 64M/100ms
  - lru_deprio cold>5s only used by node1 quota 64M/100ms
  - migrate_hot hot>2 to DRAM:2, CXL:1 only stores>10% quota 64M/100ms
  - stat hot>0 size>=2M
`;

/** Regions of 16 MiB: a third idle, the rest of every rate up to 1000/s. */
function makeRegions(random: RandomStream): Regions {
  const rate = new Float64Array(REGIONS);
  const age = new Uint32Array(REGIONS);
  const store = new Float64Array(REGIONS);
  for (let i = 0; i < REGIONS; i++) {
    rate[i] = random.unit() < 1 / 3 ? 0 : 1000 ** random.unit();
    age[i] = random.below(600);
    store[i] = random.unit();
  }
  return {
    count: REGIONS,
    start: (i) => i * REGION_BYTES,
    end: (i) => (i + 1) * REGION_BYTES,
    rate: (i) => rate[i],
    age: (i) => age[i],
    isIdle: (i) => rate[i] === 0,
    nrAccesses: (i) => Math.min(20, Math.round(rate[i] / 10)),
    accessingNid: (i) => i & 1,
    storeShare: (i) => store[i],
  };
}

const NODES: readonly MemoryNode[] = [0, 1].map((nid) => ({
  nid,
  kind: nid === 0 ? 'DRAM' : 'CXL',
  capacityBytes: REGIONS * REGION_BYTES,
  hasCpus: nid === 0,
  accessNs: nid === 0 ? 110 : 265,
  bandwidthBytesPerS: 100e9,
  adistance: nid === 0 ? ADISTANCE_DRAM : 10 * ADISTANCE_DRAM,
}));

/** Memory in runs of 48 MiB on two nodes, a twentieth paged out. Nothing moves, so there is always work. */
class StillHost implements SchemeHost {
  readonly #placement = new PageRuns();
  actions = 0;

  constructor() {
    const step = 3 * REGION_BYTES;
    for (let at = 0, i = 0; at < REGIONS * REGION_BYTES; at += step, i++) {
      this.#placement.set(at, Math.min(at + step, REGIONS * REGION_BYTES), i & 1);
    }
  }

  placement(start: number, end: number, visit: RunVisitor): void {
    this.#placement.forEach(start, end, visit);
  }

  /** Every other MiB has every property. */
  queryPages(_query: PageQuery, start: number, end: number, visit: RunVisitor): void {
    for (let at = start; at < end; at += 2 ** 20) {
      visit(at, Math.min(end, at + 2 ** 20), Math.floor(at / 2 ** 20) & 1);
    }
  }

  act(_request: ActionRequest): void {
    this.actions++;
  }

  comingBytes(): number {
    return 0;
  }

  gauge(nid: number): NodeGauge {
    return {
      nid,
      totalBytes: NODES[nid].capacityBytes,
      freeBytes: NODES[nid].capacityBytes / 2,
      reserveBytes: 0,
    };
  }

  systemGauge(): SystemGauge {
    return {
      someMemPsiUs: 0,
      activeBytes: 1,
      inactiveBytes: 1,
      accesses: 0,
      fastAccesses: 0,
      accessS: 0,
      allFastS: 0,
      fastNs: 110,
      slowNs: 265,
    };
  }

  memcgBytes(): number {
    return 0;
  }

  monitoringCpuShare(): number {
    return 0;
  }
}

/** Ten schemes on 10,000 regions: time of one round. */
export async function schemeRounds(): Promise<Numbers> {
  const { schemes } = loadSchemes(SCHEMES, 'bench', DEFAULT_ATTRS);
  const machine = {
    name: 'bench',
    nodes: NODES,
    actions: schemes.map(({ action }) => action),
    pageProperties: ['anon', 'young', 'memcg'] as const,
    gauges: [],
  };
  const host = new StillHost();
  const executor = new SchemeExecutor(resolveSchemes(schemes, machine), DEFAULT_ATTRS, host);
  const regions = makeRegions(new RandomStream(1, 'bench/schemes'));
  const times = new Float64Array(ROUNDS);
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const start = performance.now();
    executor.apply(round * ROUND_US, regions, NO_REGIONS);
    if (round >= WARM_UP) times[round - WARM_UP] = performance.now() - start;
  }
  times.sort();
  let tried = 0;
  for (let i = 0; i < executor.count; i++) tried += executor.stats(i).nrTried;
  return {
    'ms per round': times[ROUNDS >> 1],
    'slowest 5 % ms': times[Math.floor(ROUNDS * 0.95)],
    'parts per round': tried / (WARM_UP + ROUNDS),
  };
}
