/** Programs with few large structures of very different use: graphs, trees, tables. */
import { RandomStream } from '../../../memory/random.ts';
import { formatBytes } from '../../../memory/units.ts';
import type { Area } from '../workload.ts';
import {
  around,
  closedWorkload,
  normalised,
  type Parameters,
  pagesOf,
  type WorkloadModel,
  workers,
} from './parameters.ts';
import { hashedShares } from './skew.ts';

const VERTEX_BLOCKS = 24;
const EDGE_WINDOWS = 12;

/**
 * PageRank as in GAPBS (reference tiering-systems section 10): vertex arrays of 10 to 20 % of the bytes with
 * power-law popularity, and edge arrays that each iteration streams through once. GAPBS loads the edges
 * first, so the vertices begin on the slow tier. Inferred: 80 % of the accesses that reach memory go to
 * vertices (edges are prefetched, 16 to a line); popularity 1/rank^0.8, as an in-degree exponent of 2.2 gives;
 * vertices of 16 bytes.
 */
export const graph: WorkloadModel = {
  summary: 'PageRank: vertices of power-law popularity, edges streamed through in each iteration',
  takes: ['hotShare', 'hotAccesses', 'exponent', 'iterations'],
  // hotShare: the vertices.
  defaults: { hotShare: 0.15, hotAccesses: 0.8, exponent: 0.8, loadShare: 0.9, objectBytes: 16 },
  build: (parameters, room) => {
    const { sizeBytes, hotShare, hotAccesses, exponent, objectBytes, iterations } = parameters;
    const edges = sizeBytes - pagesOf(hotShare * sizeBytes);
    const random = new RandomStream(room.seed, 'workload/graph');
    const objects = Math.floor((sizeBytes - edges) / objectBytes);
    const shares = hashedShares(random, VERTEX_BLOCKS, objects, exponent);
    const vertices = cut(edges, sizeBytes, VERTEX_BLOCKS).map((block, i) => ({
      ...block,
      share: hotAccesses * shares[i],
    }));
    const windows = cut(0, edges, EDGE_WINDOWS);
    return closedWorkload(
      `PageRank on ${formatBytes(sizeBytes)}, ${formatBytes(sizeBytes - edges)} of them vertices, ${iterations} iterations`,
      sizeBytes,
      [
        workers(parameters, room, {
          name: 'pagerank',
          steps: iterations * EDGE_WINDOWS,
          areas: (step) =>
            normalised([{ ...windows[step % EDGE_WINDOWS], share: 1 - hotAccesses }, ...vertices]),
        }),
      ],
    );
  },
};

/** Levels of less than this stay in the last-level cache (inferred: 32 MiB). */
const CACHED_BYTES = 32 * 2 ** 20;

/**
 * Look-ups in a B+ tree (reference tiering-systems section 10): a look-up reads one node of each level, and a
 * level has `fanout` times the bytes of the one above, so that pages of a level are that much hotter than
 * those below. Inferred: fan-out 16; built bottom up, leaves first, each level in one piece.
 */
export const btree: WorkloadModel = {
  summary: 'look-ups in a B+ tree: each level is hotter than the one below by the fan-out',
  takes: ['fanout'],
  defaults: { threads: 4, loadShare: 0.95 },
  build: (parameters, room) => {
    const { sizeBytes, fanout } = parameters;
    const levels: Area[] = [];
    let left = sizeBytes;
    let level = pagesOf(sizeBytes * (1 - 1 / fanout));
    while (level >= CACHED_BYTES || levels.length === 0) {
      levels.push({ start: sizeBytes - left, end: sizeBytes - left + level, share: 1 });
      left -= level;
      level = Math.min(left, pagesOf(level / fanout));
    }
    return closedWorkload(
      `B+ tree of ${formatBytes(sizeBytes)}, fan-out ${fanout}, ${levels.length} levels in memory`,
      sizeBytes,
      [workers(parameters, room, { name: 'look-ups', areas: () => normalised(levels) })],
    );
  },
};

/**
 * XSBench (reference tiering-systems section 10): a binary search in a small unionised index, then reads of
 * random rows of a big table. Inferred: the index has 2 % of the bytes and half of the accesses that reach
 * memory, and comes last.
 */
export const xsbench: WorkloadModel = {
  summary: 'a small hot index, and a table that is read at random',
  takes: ['hotShare', 'hotAccesses'],
  // hotShare: the index.
  defaults: { hotShare: 0.02, hotAccesses: 0.5, threads: 4, loadShare: 0.99 },
  build: (parameters, room) => {
    const { sizeBytes, hotShare, hotAccesses } = parameters;
    const table = sizeBytes - pagesOf(hotShare * sizeBytes);
    const areas = normalised([
      { start: 0, end: table, share: 1 - hotAccesses },
      { start: table, end: sizeBytes, share: hotAccesses },
    ]);
    return closedWorkload(
      `XSBench on ${formatBytes(sizeBytes)}, index of ${formatBytes(sizeBytes - table)}`,
      sizeBytes,
      [workers(parameters, room, { name: 'lookups', areas: () => areas })],
    );
  },
};

const HOT_PIECES = 24;
const PER_MINUTE = 60;

/**
 * Taobench of DCPerf as in the posting of self-tuned tiering (reference tiering-systems section 6.1): 13 % of
 * 270 GiB are hot, wherever they are. The variant that was measured exchanges 10 GiB between the tiers each
 * minute; here so much of the hot memory becomes cold and other memory hot instead (`churnShare`, 10/270 on
 * the machine damon-post). Inferred: 90 % of the accesses are hot, in 24 pieces.
 */
export const taobench: WorkloadModel = {
  summary: '13 % hot anywhere; with churn, other memory becomes hot each minute',
  takes: ['hotShare', 'hotAccesses', 'churnShare'],
  defaults: { hotShare: 0.13 },
  build: (parameters, room) => {
    const { sizeBytes, hotShare, churnShare, lastsS } = parameters;
    const steps = churnShare > 0 ? Math.max(1, Math.ceil(lastsS / PER_MINUTE)) : 1;
    const phases = hotPieces(parameters, room.seed, steps);
    const churn = churnShare > 0 ? `, ${formatBytes(churnShare * sizeBytes)} of them others each minute` : '';
    return closedWorkload(
      `Taobench of ${formatBytes(sizeBytes)}, ${formatBytes(hotShare * sizeBytes)} hot${churn}`,
      sizeBytes,
      [workers(parameters, room, { name: 'clients', steps, areas: (step) => phases[step] })],
    );
  },
};

/** Each phase's areas: pieces in random slots; from one phase to the next some go to slots that were cold. */
function hotPieces(
  { sizeBytes, hotShare, hotAccesses, churnShare }: Parameters,
  seed: number,
  steps: number,
): readonly (readonly Area[])[] {
  const random = new RandomStream(seed, 'workload/taobench');
  const slots = Math.max(HOT_PIECES + 1, Math.round(HOT_PIECES / hotShare));
  const slotBytes = sizeBytes / slots;
  const leaving = Math.min(HOT_PIECES, Math.round((churnShare / hotShare) * HOT_PIECES));
  const hot: number[] = [];
  const fresh = (not: readonly number[]): number => {
    for (;;) {
      const slot = random.below(slots);
      if (!not.includes(slot)) return slot;
    }
  };
  while (hot.length < HOT_PIECES) hot.push(fresh(hot));
  return Array.from({ length: steps }, (_, step) => {
    if (step > 0) {
      const gone = hot.splice(0, leaving);
      for (let i = 0; i < gone.length; i++) {
        const known = [...hot, ...gone];
        hot.push(fresh(known.length < slots ? known : hot));
      }
    }
    const pieces = [...hot]
      .sort((a, b) => a - b)
      .map((slot) => {
        const start = slot === 0 ? 0 : pagesOf(slot * slotBytes);
        const end = Math.min(sizeBytes, pagesOf((slot + 1) * slotBytes));
        return { start, end, share: hotAccesses / HOT_PIECES };
      });
    return normalised([...around(0, sizeBytes, pieces, 1 - hotAccesses), ...pieces]);
  });
}

/** Equal parts in whole pages. */
function cut(start: number, end: number, parts: number): { readonly start: number; readonly end: number }[] {
  const edge = (i: number): number =>
    i === 0 ? start : i === parts ? end : start + pagesOf(((end - start) / parts) * i);
  return Array.from({ length: parts }, (_, i) => ({ start: edge(i), end: edge(i + 1) }));
}
