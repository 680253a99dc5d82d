/** What schemes would have tried of a record. */
import { formatBytes, formatCount, formatSeconds } from '../../memory/units.ts';
import { renderTable } from '../table.ts';
import { renderBars } from './series.ts';

/** In the `--json` document of `thermocline report what-if`. */
export interface WhatIf {
  readonly intervals: { readonly sampleUs: number; readonly aggrUs: number; readonly isAssumed: boolean };
  readonly schemes: readonly WhatIfScheme[];
}

export interface WhatIfScheme {
  readonly name: string;
  readonly action: string;
  readonly triedBytes: number;
  readonly triedRegions: number;
  /** Windows with more to do than the quota allowed. */
  readonly quotaExceeded: number;
  readonly snapshots: readonly {
    readonly timeUs: number;
    /** Of regions that matched the pattern. */
    readonly matchedBytes: number;
    readonly triedBytes: number;
    readonly triedRegions: number;
    readonly quotaExceeded: boolean;
  }[];
}

/** More snapshots than this are told in so many groups. */
const MAX_LINES = 40;

export function renderWhatIf({ intervals, schemes }: WhatIf, isRaw: boolean, width: number): string[] {
  const bytes = (value: number): string => (isRaw ? String(value) : formatBytes(value));
  const time = (us: number): string => (isRaw ? String(us) : formatSeconds(us / 1e6));
  const table = renderTable(
    ['scheme', 'action', 'tried', 'regions', 'quota exceeded'].map((title, i) => ({
      title,
      align: i < 2 ? 'left' : 'right',
    })),
    schemes.map((scheme) => [
      scheme.name,
      scheme.action,
      bytes(scheme.triedBytes),
      formatCount(scheme.triedRegions),
      formatCount(scheme.quotaExceeded),
    ]),
  );
  const details = schemes.flatMap(({ name, snapshots, triedBytes }) => {
    if (triedBytes === 0) return [];
    const groups = isRaw ? snapshots.length : Math.min(MAX_LINES, snapshots.length);
    const rows = Array.from({ length: groups }, (_, group): [string, number] => {
      const part = snapshots.slice(
        Math.floor((group * snapshots.length) / groups),
        Math.floor(((group + 1) * snapshots.length) / groups),
      );
      return [time(part[part.length - 1].timeUs), part.reduce((sum, each) => sum + each.triedBytes, 0)];
    });
    const what = groups < snapshots.length ? `${name} tried until` : `${name} tried at`;
    return ['', ...renderBars(what, 'bytes', rows, bytes, width)];
  });
  const note = intervals.isAssumed
    ? [
        `the record does not tell its intervals: ${time(intervals.sampleUs)} and ${time(intervals.aggrUs)} are assumed`,
      ]
    : [];
  return [...table, ...note, ...details];
}
