/**
 * GUPS with a hot set, as HeMem (SOSP'21) has it: 16 threads update 8-byte elements, 90 % of them in the
 * hot set, the others anywhere (reference tiering-systems section 10). `gups-moving` is its "move" variant:
 * half way a quarter of the hot set jumps to the memory behind it. Of HeMem's hot sets, 1/512 to 1/2 of the
 * memory, ours is an eighth (inferred). It is touched last, so that it begins on the slow tier (inferred).
 */
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

const UPDATES = { loadShare: 0.5, threads: 16 };

export const gups: WorkloadModel = {
  summary: '90 % of random updates on an eighth of the memory',
  takes: ['hotShare', 'hotAccesses'],
  defaults: UPDATES,
  build: (parameters, room) =>
    closedWorkload(describe(parameters), parameters.sizeBytes, [
      workers(parameters, room, {
        name: 'gups',
        areas: () => hotSet(parameters, 0, parameters.sizeBytes, 0),
      }),
    ]),
};

export const gupsMoving: WorkloadModel = {
  summary: 'the same, and half way a quarter of the hot set jumps',
  takes: ['hotShare', 'hotAccesses'],
  defaults: UPDATES,
  build: (parameters, room) =>
    closedWorkload(`${describe(parameters)}, a quarter of which moves half way`, parameters.sizeBytes, [
      workers(parameters, room, {
        name: 'gups',
        steps: 2,
        areas: (step) => hotSet(parameters, 0, parameters.sizeBytes, step),
      }),
    ]),
};

/** Accesses of GUPS to `[start, end)`; each step takes the first quarter of the hot set to behind its end. */
export function hotSet(
  { hotShare, hotAccesses }: Parameters,
  start: number,
  end: number,
  step: number,
): readonly Area[] {
  const quarter = pagesOf((hotShare * (end - start)) / 4);
  // Room for one quarter is left behind it.
  const first = Math.max(start, end - 5 * quarter);
  const hot = {
    start: first + step * quarter,
    end: Math.min(end, first + (4 + step) * quarter),
    share: hotAccesses,
  };
  return normalised([...around(start, end, [hot], 1 - hotAccesses), hot]);
}

function describe({ sizeBytes, hotShare, hotAccesses }: Parameters): string {
  return `GUPS on ${formatBytes(sizeBytes)}, ${Math.round(hotAccesses * 100)} % of it on ${formatBytes(hotShare * sizeBytes)}`;
}
