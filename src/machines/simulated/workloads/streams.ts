/** Programs that go through memory in order, or want more bandwidth than there is. */
import { formatBytes } from '../../../memory/units.ts';
import type { WorkThread } from '../workload.ts';
import { hotSet } from './gups.ts';
import { closedWorkload, normalised, pagesOf, type WorkloadModel, workers } from './parameters.ts';

const LINE_BYTES = 64;
/** Lines that one core has outstanding when it streams: its line-fill buffers (inferred: 10). */
const STREAM_IN_FLIGHT = 10;
const WINDOWS = 16;
/** Shorter phases than so many in all would tell nothing more. */
const MOST_STEPS = 1024;

/** Reads all memory in order, again and again: what is used next is what was used longest ago. */
export const stream: WorkloadModel = {
  summary: 'a scan of all memory in order, again and again',
  takes: [],
  defaults: { threads: 2, loadShare: 0.9 },
  build: (parameters, room) => {
    const { sizeBytes, lastsS, threads } = parameters;
    const bytesPerS = (threads * STREAM_IN_FLIGHT * LINE_BYTES * 1e9) / room.fastNs;
    const passes = Math.max(1, Math.round((lastsS * bytesPerS) / sizeBytes));
    const windows = Math.max(1, Math.min(WINDOWS, Math.floor(MOST_STEPS / passes)));
    const edge = (i: number): number =>
      i === 0 ? 0 : i === windows ? sizeBytes : pagesOf((sizeBytes / windows) * i);
    return closedWorkload(`scan of ${formatBytes(sizeBytes)} in order, ${passes} times`, sizeBytes, [
      workers(parameters, room, {
        name: 'scan',
        steps: windows === 1 ? 1 : passes * windows,
        inFlight: STREAM_IN_FLIGHT,
        areas: (step) => [{ start: edge(step % windows), end: edge((step % windows) + 1), share: 1 }],
      }),
    ]);
  },
};

/**
 * The seed thread's sweep on other machines: 1 GiB at a time, one after the other. Where the seed's number
 * of accesses would take longer than `lastsS`, each GiB gets less.
 */
export const seedSweep: WorkloadModel = {
  summary: "the seed thread's sweep: 1 GiB hot at a time, each once",
  takes: [],
  defaults: { threads: 1, loadShare: 0.5 },
  build: (parameters, room) => {
    const { sizeBytes } = parameters;
    const regionBytes = Math.min(2 ** 30, pagesOf(sizeBytes / 16));
    const regions = Math.floor(sizeBytes / regionBytes);
    return closedWorkload(
      `sweep of ${formatBytes(regions * regionBytes)}, active ${formatBytes(regionBytes)} region that moves on`,
      regions * regionBytes,
      [
        workers(parameters, room, {
          name: 'sweep',
          steps: regions,
          areas: (step) => [{ start: step * regionBytes, end: (step + 1) * regionBytes, share: 1 }],
        }),
      ],
    );
  },
};

/**
 * Colloid's experiment (SOSP'24, reference tiering-systems section 10): GUPS with a third of its memory hot,
 * beside an antagonist that takes bandwidth of the fast node, 90 % of it unless told otherwise. Inferred: the
 * antagonist has a quarter of the memory; one that is bound to the fast node, as in the original.
 */
export const antagonist: WorkloadModel = {
  summary: 'GUPS beside others that take 90 % of the bandwidth of the fast node; the machine follows load',
  takes: ['hotShare', 'hotAccesses', 'intensity'],
  followsLoad: true,
  defaults: { hotShare: 1 / 3, loadShare: 0.5 },
  build: (parameters, room) => {
    const { sizeBytes, intensity, loadShare } = parameters;
    const taken = pagesOf(Math.min(sizeBytes, room.fastBytes) / 4);
    const other: WorkThread = {
      name: 'antagonist',
      nid: room.fastNid,
      loadShare,
      pace: { kind: 'open', accessesPerS: (intensity * room.fastBandwidth) / LINE_BYTES },
      phaseCount: 1,
      phase: () => ({
        accesses: Number.POSITIVE_INFINITY,
        areas: normalised([{ start: 0, end: taken, share: 1 }]),
      }),
    };
    return {
      name: `GUPS on ${formatBytes(sizeBytes - taken)} beside an antagonist that takes ${Math.round(intensity * 100)} % of the fast node's bandwidth`,
      ranges: [
        { start: 0, end: taken, nid: room.fastNid },
        { start: taken, end: sizeBytes },
      ],
      threads: [
        workers(parameters, room, { name: 'gups', areas: () => hotSet(parameters, taken, sizeBytes, 0) }),
        ...(intensity > 0 ? [other] : []),
      ],
      durationUs: Number.POSITIVE_INFINITY,
    };
  },
};

const BATCH_ARRIVES = 0.2;
const BATCH_WORKS = 0.3;
const BATCH_BYTES_PER_S = 4 * 2 ** 30;

/**
 * A service, and a batch job that arrives after a fifth of the time: it touches its memory, a seventh of all,
 * at 4 GiB/s, twice what kswapd frees, on the fast node and no other, so that it has to demote for itself;
 * it works for 0.3 of the time and keeps its memory. All of it is inferred; for allocation under pressure.
 */
export const batch: WorkloadModel = {
  summary: 'a service, and a batch job that arrives later and allocates on the fast node',
  takes: ['hotShare', 'hotAccesses'],
  defaults: { hotShare: 0.2 },
  build: (parameters, room) => {
    const { sizeBytes, lastsS, threads } = parameters;
    const jobBytes = pagesOf(Math.min(sizeBytes / 7, room.fastBytes / 2));
    const start = sizeBytes - jobBytes;
    const work = workers({ ...parameters, lastsS: BATCH_WORKS * lastsS }, room, {
      name: 'batch',
      threads: Math.max(1, Math.floor(threads / 4)),
      areas: () => [{ start, end: sizeBytes, share: 1 }],
    });
    const none = { areas: [], accesses: Number.POSITIVE_INFINITY };
    const phases = [
      { ...none, forUs: BATCH_ARRIVES * lastsS * 1e6 },
      {
        ...none,
        allocates: { start, end: sizeBytes, bytesPerS: BATCH_BYTES_PER_S, nid: room.fastNid },
      },
      work.phase(0),
    ];
    return {
      name: `a service of ${formatBytes(start)}, and a batch job that comes for ${formatBytes(jobBytes)} of fast memory`,
      ranges: [
        { start: 0, end: start },
        { start, end: sizeBytes, isLate: true },
      ],
      threads: [
        workers(parameters, room, { name: 'service', areas: () => hotSet(parameters, 0, start, 0) }),
        { ...work, phaseCount: phases.length, phase: (index) => phases[index] },
      ],
      durationUs: Number.POSITIVE_INFINITY,
    };
  },
};
