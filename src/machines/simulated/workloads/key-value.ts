/**
 * Key-value stores under YCSB (reference tiering-systems section 10): popularity 1/rank^0.99 over records of
 * about 1 KB, and a small index that every request uses. Hashing scatters hot records over all pages, so
 * that pages, and even more so large blocks, differ much less than records do. No CPU cache is modelled:
 * the very hottest records would sit in it.
 *
 * `latest` is YCSB's distribution of that name: popular is what was inserted last, and inserts go round in
 * a log. The index gets 30 % of the accesses (inferred: a probe of the table beside the lines of the record);
 * it is touched last, as a hash table grows by allocating a larger one (that it comes last is inferred).
 */
import { RandomStream } from '../../../memory/random.ts';
import { formatBytes } from '../../../memory/units.ts';
import type { Room } from '../hardware.ts';
import type { MemoryKind } from '../page-facts.ts';
import type { Area, Workload, WorkloadRange } from '../workload.ts';
import {
  closedWorkload,
  normalised,
  type Parameters,
  pagesOf,
  type WorkloadModel,
  workers,
} from './parameters.ts';
import { hashedShares, zipfMass } from './skew.ts';

const INDEX_ACCESSES = 0.3;
const BLOCKS = 48;
/** The youngest records are told together. */
const YOUNGEST_BYTES = 64 * 2 ** 20;
const LATEST_STEPS = 60;

export const zipfKv: WorkloadModel = {
  summary: 'records of zipfian popularity (YCSB), hashed to pages or the latest ones, and their index',
  takes: ['exponent', 'objectBytes', 'hotShare', 'distribution', 'insertBytesPerS'],
  // hotShare: the index, 2 to 5 % of the memory.
  defaults: { threads: 4, loadShare: 0.8, hotShare: 0.03 },
  build: (parameters, room) => {
    const { sizeBytes, hotShare, distribution, exponent } = parameters;
    const dataBytes = sizeBytes - pagesOf(hotShare * sizeBytes);
    const index: Area = { start: dataBytes, end: sizeBytes, share: INDEX_ACCESSES };
    const hashed = hashedBlocks(parameters, room, 0, dataBytes);
    return closedWorkload(
      `key-value store of ${formatBytes(sizeBytes)}, zipf ${exponent}, ${distribution === 'latest' ? 'latest first' : 'hashed'}`,
      sizeBytes,
      [
        workers(parameters, room, {
          name: 'server',
          steps: distribution === 'latest' ? LATEST_STEPS : 1,
          areas: (step) =>
            normalised([
              ...(distribution === 'latest' ? latest(parameters, dataBytes, step) : hashed),
              index,
            ]),
        }),
      ],
    );
  },
};

/** Blocks of `[start, end)` among which records are hashed. */
function hashedBlocks(
  { exponent, objectBytes }: Parameters,
  { seed }: Room,
  start: number,
  end: number,
): Area[] {
  const random = new RandomStream(seed, 'workload/zipf-kv');
  const shares = hashedShares(random, BLOCKS, Math.floor((end - start) / objectBytes), exponent);
  const edge = (i: number): number => (i === BLOCKS ? end : start + pagesOf(((end - start) / BLOCKS) * i));
  return Array.from(shares, (share, i) => ({
    start: i === 0 ? start : edge(i),
    end: edge(i + 1),
    share: (1 - INDEX_ACCESSES) * share,
  }));
}

/** Bands of doubling age behind the end of the log, which begins at the end of the memory and goes round. */
function latest(
  { exponent, objectBytes, insertBytesPerS, lastsS }: Parameters,
  dataBytes: number,
  step: number,
): Area[] {
  const head = pagesOf(((insertBytesPerS * lastsS) / LATEST_STEPS) * step) % dataBytes;
  const areas: Area[] = [];
  let age = 0;
  let band = pagesOf(Math.min(YOUNGEST_BYTES, dataBytes / 8));
  while (age < dataBytes) {
    const to = Math.min(dataBytes, age + band);
    const share = zipfMass(1 + Math.floor(age / objectBytes), Math.floor(to / objectBytes), exponent);
    areas.push(...backwards(head, age, to, dataBytes, share));
    age = to;
    band = age;
  }
  const sum = areas.reduce((total, area) => total + area.share, 0);
  return areas.map((area) => ({ ...area, share: ((1 - INDEX_ACCESSES) * area.share) / sum }));
}

/** What lies `from` to `to` bytes behind `head` in a ring of `ringBytes`: one part, or two. */
function backwards(head: number, from: number, to: number, ringBytes: number, share: number): Area[] {
  const wrap = (at: number): number => ((at % ringBytes) + ringBytes) % ringBytes;
  const start = wrap(head - to);
  const end = wrap(head - from) || ringBytes;
  if (start < end) return [{ start, end, share }];
  const bytes = to - from;
  return [
    { start, end: ringBytes, share: (share * (ringBytes - start)) / bytes },
    { start: 0, end, share: (share * end) / bytes },
  ];
}

/** Sizes of the posted experiment, in 555 parts; the ballast was 440 to 500 of them. */
const REDIS = { ballast: 470, anon: 52, file: 33 };
const REDIS_PARTS = REDIS.ballast + REDIS.anon + REDIS.file;
const PIECES = 64;
/**
 * Time between two accesses that memory has no part in. All-CXL took 1.19 times as long as all-DRAM
 * (posted): (x + 265) / (x + 110) = 1.19.
 */
const REDIS_COMPUTE_NS = 706;

/**
 * The experiment behind migrate_hot and migrate_cold (SK hynix, series v6, reference section 6.2): Redis with
 * 52 GB of anonymous memory and 33 GB of page cache, which fill what 470 GB of cold ballast leave. Both grow
 * together while the records are loaded (inferred), in 64 pieces each.
 */
export const redisBallast: WorkloadModel = {
  summary: 'Redis of 52 GB and 33 GB of page cache behind 470 GB of cold ballast, in these proportions',
  takes: ['exponent', 'objectBytes'],
  defaults: { threads: 8, loadShare: 0.95 },
  build: (parameters, room): Workload => {
    const { sizeBytes, exponent, objectBytes } = parameters;
    const part = sizeBytes / REDIS_PARTS;
    const ballast = pagesOf(part * REDIS.ballast);
    const anonBytes = pagesOf((part * REDIS.anon) / PIECES);
    const fileBytes = pagesOf((part * REDIS.file) / PIECES);
    const ranges: WorkloadRange[] = [{ start: 0, end: ballast }];
    const kinds: MemoryKind[] = [{ start: 0, end: ballast, memcg: '/ballast' }];
    const random = new RandomStream(room.seed, 'workload/redis-ballast');
    const shares = hashedShares(random, PIECES, (anonBytes * PIECES) / objectBytes, exponent);
    const areas = Array.from(shares, (share, i): Area => {
      const start = ballast + i * (anonBytes + fileBytes);
      const middle = start + anonBytes;
      ranges.push({ start, end: middle + fileBytes });
      kinds.push({ start, end: middle, memcg: '/redis' });
      kinds.push({ start: middle, end: middle + fileBytes, isAnon: false, isMapped: false });
      return { start, end: middle, share };
    });
    return {
      name: `Redis of ${formatBytes(anonBytes * PIECES)} behind ${formatBytes(ballast)} of cold ballast`,
      ranges,
      kinds,
      threads: [
        workers(parameters, room, {
          name: 'redis',
          computeNs: REDIS_COMPUTE_NS,
          areas: () => areas,
        }),
      ],
      durationUs: Number.POSITIVE_INFINITY,
    };
  },
};
