/** What comparisons show of a row, in the terminal and in a page: one home of titles, units and order. */
import { formatBytes, formatPercent, formatSeconds } from '../memory/units.ts';

/** What the table shows of a row. */
export interface CompareLine {
  readonly tracker: string;
  readonly completionSeconds: number;
  readonly threads: readonly { readonly name: string; readonly seconds: number }[];
  readonly fastTierShare: number;
  readonly efficiency: number | null;
  readonly hotSet: { readonly precision: number; readonly recall: number };
  readonly detection: { readonly most: number | null };
  readonly promotedBytes: number;
  readonly demotedBytes: number;
  readonly wastedBytes: number;
  readonly pingPongBytes: number;
  readonly metadataBytes: number;
  readonly cpu: {
    readonly applicationSeconds: number;
    readonly backgroundSeconds: number;
    readonly migrationSeconds: number;
  };
  readonly counters: Readonly<Record<string, number>>;
  readonly spread: Readonly<Record<string, { readonly min: number; readonly max: number }>>;
}

export interface CompareColumn {
  readonly title: string;
  text(line: CompareLine): string;
  /** To sort by; null: there is none. */
  value(line: CompareLine): number | null;
}

const column = (
  title: string,
  value: CompareColumn['value'],
  format: (value: number) => string,
): CompareColumn => ({
  title,
  value,
  text: (line) => {
    const number = value(line);
    return number === null ? '-' : format(number);
  },
});

const digits = (value: number): string => value.toFixed(3);

/** Of the last thread. */
export const TIME: CompareColumn = {
  title: 'time',
  value: (line) => line.completionSeconds,
  text: (line) => withSpread(line, 'completionSeconds', formatSeconds(line.completionSeconds)),
};

/** What came of it. */
export const OUTCOME: readonly CompareColumn[] = [
  column('fast', (line) => line.fastTierShare, formatPercent),
  column('of oracle', (line) => line.efficiency, formatPercent),
  column('precision', (line) => (isBlind(line) ? null : line.hotSet.precision), digits),
  column('recall', (line) => (isBlind(line) ? null : line.hotSet.recall), digits),
  column('known in', (line) => line.detection.most, formatSeconds),
];

/** What it took. */
export const COST: readonly CompareColumn[] = [
  column('promoted', (line) => line.promotedBytes, formatBytes),
  column('demoted', (line) => line.demotedBytes, formatBytes),
  column('in vain', (line) => line.wastedBytes, formatBytes),
  column('ping-pong', (line) => line.pingPongBytes, formatBytes),
  column('metadata', (line) => line.metadataBytes, formatBytes),
  column('app CPU', (line) => line.cpu.applicationSeconds, formatSeconds),
  column('kernel CPU', (line) => line.cpu.backgroundSeconds + line.cpu.migrationSeconds, formatSeconds),
];

/** Looks at nothing: a baseline. */
function isBlind({ metadataBytes, detection }: CompareLine): boolean {
  return metadataBytes === 0 && detection.most === null;
}

function withSpread(line: CompareLine, key: string, text: string): string {
  const spread = line.spread[key];
  if (spread === undefined || spread.max - spread.min < 0.05) return text;
  return `${text} ±${((spread.max - spread.min) / 2).toFixed(1)}`;
}
