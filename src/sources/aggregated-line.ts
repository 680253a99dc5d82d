/** Lines of the trace event damon_aggregated, as trace_pipe prints them. */

export interface AggregatedRegion {
  /** Of the kdamond that counted. */
  readonly pid: number;
  readonly start: number;
  readonly end: number;
  readonly nrAccesses: number;
}

const EVENT = /-(\d+)\s.*damon_aggregated: target_id=\d+ nr_regions=\d+ (\d+)-(\d+): (\d+)/;

/** undefined for other lines. */
export function parseAggregated(line: string): AggregatedRegion | undefined {
  const match = EVENT.exec(line);
  if (match === null) return undefined;
  return {
    pid: Number(match[1]),
    start: Number(match[2]),
    end: Number(match[3]),
    nrAccesses: Number(match[4]),
  };
}

/** Events that the ring lost, where trace_pipe says so: `CPU:0 [LOST 55 EVENTS]`. */
export function parseLost(line: string): number {
  return Number(/\[LOST (\d+) EVENTS\]/.exec(line)?.[1] ?? 0);
}
