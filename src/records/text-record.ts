/** A record as plain text, a region a line: for grep, awk and eyes. */
import type { RecordedSnapshot, RecordHead } from '../memory/region-record.ts';

/** Names of the columns, in a comment at the top. */
export const TEXT_HEAD =
  '# target start_ns end_ns start end nr_accesses age max_nr_accesses sample_us aggr_us sz_filter_passed; - for what is not known\n';

export function snapshotLines(head: RecordHead, snapshot: RecordedSnapshot): string {
  const { count, start, end, nrAccesses, age, szFilterPassed, maxNrAccesses, sampleUs, aggrUs } = snapshot;
  const target = (head.targetId ?? '-').replaceAll(/\s+/g, '_');
  const of = (value: number | null): string => (value === null || Number.isNaN(value) ? '-' : String(value));
  const lines: string[] = [];
  for (let i = 0; i < count; i++) {
    lines.push(
      `${target} ${snapshot.startNs} ${snapshot.endNs} ${start[i]} ${end[i]} ${nrAccesses[i]} ${of(age[i])} ${of(maxNrAccesses)} ${of(sampleUs)} ${of(aggrUs)} ${of(szFilterPassed[i])}\n`,
    );
  }
  return lines.join('');
}
