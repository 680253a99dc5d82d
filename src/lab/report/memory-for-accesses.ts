/**
 * How much memory serves so many percent of the accesses: the hottest regions first, their bytes added up until
 * bytes x samples reach the share (damo's script mem_sz_for_bw). The last region is cut: within a region all
 * bytes are alike.
 */
import type { RecordedSnapshot, RegionRecord } from '../../memory/region-record.ts';
import type { MemoryCurve } from '../../view/report/memory-curve.ts';

/** Bytes for each of `shares` (0..1, ascending); undefined if nothing was accessed. */
export function memoryFor(snapshot: RecordedSnapshot, shares: readonly number[]): number[] | undefined {
  const { count, start, end, nrAccesses } = snapshot;
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => nrAccesses[b] - nrAccesses[a]);
  const total = order.reduce((sum, i) => sum + (end[i] - start[i]) * nrAccesses[i], 0);
  if (total === 0) return undefined;
  const bytes: number[] = [];
  let [sum, served, next] = [0, 0, 0];
  for (const share of shares) {
    const wanted = share * total;
    while (next < order.length) {
      const i = order[next];
      const sz = end[i] - start[i];
      if (nrAccesses[i] === 0 || served + sz * nrAccesses[i] >= wanted) break;
      served += sz * nrAccesses[i];
      sum += sz;
      next++;
    }
    const i = order[next];
    const rest =
      i !== undefined && nrAccesses[i] > 0
        ? Math.min(end[i] - start[i], (wanted - served) / nrAccesses[i])
        : 0;
    bytes.push(Math.ceil(sum + Math.max(0, rest)));
  }
  return bytes;
}

const CURVE_STEPS = 100;

/** The mean over the snapshots in which anything was accessed, each weighed by its time, with the extremes. */
export function memoryCurve(record: RegionRecord, percents: readonly number[]): MemoryCurve {
  const wanted = [...new Set(percents)].sort((a, b) => a - b);
  const steps = Array.from({ length: CURVE_STEPS + 1 }, (_, i) => i);
  const all = [...new Set([...wanted, ...steps])].sort((a, b) => a - b);
  const sums = new Float64Array(all.length);
  const least = new Float64Array(all.length).fill(Number.POSITIVE_INFINITY);
  const most = new Float64Array(all.length);
  let [seconds, used, total] = [0, 0, 0];
  for (const snapshot of record.snapshots) {
    const bytes = memoryFor(
      snapshot,
      all.map((percent) => percent / 100),
    );
    if (bytes === undefined) continue;
    const weight = Math.max(1e-9, Number(snapshot.endNs - snapshot.startNs) / 1e9);
    seconds += weight;
    used++;
    for (let i = 0; i < snapshot.count; i++) total += (snapshot.end[i] - snapshot.start[i]) * weight;
    bytes.forEach((each, i) => {
      sums[i] += each * weight;
      least[i] = Math.min(least[i], each);
      most[i] = Math.max(most[i], each);
    });
  }
  const at = (percent: number) => {
    const i = all.indexOf(percent);
    return {
      percent,
      bytes: used > 0 ? sums[i] / seconds : 0,
      min: used > 0 ? least[i] : 0,
      max: most[i],
    };
  };
  return {
    snapshots: used,
    totalBytes: used > 0 ? total / seconds : 0,
    shares: wanted.map(at),
    curve: steps.map((percent) => ({ percent, bytes: at(percent).bytes })),
  };
}
