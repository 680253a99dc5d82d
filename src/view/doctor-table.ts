/** The doctor's report for people: one line each, and why and what to do where something is missing. */
import { foldLine } from './fold.ts';

export interface DoctorLine {
  readonly area: string;
  readonly name: string;
  readonly state: 'ok' | 'limited' | 'missing';
  readonly found: string;
  readonly reason?: string;
  readonly remedy?: string;
}

const MARKS = { ok: 'ok', limited: '!', missing: '-' } as const;

export function renderDoctor(findings: readonly DoctorLine[], width: number): string {
  const nameWidth = Math.max(...findings.map(({ name }) => name.length));
  const lines: string[] = [];
  let area = '';
  for (const finding of findings) {
    if (finding.area !== area) {
      if (area !== '') lines.push('');
      lines.push(`${finding.area}:`);
      area = finding.area;
    }
    const head = `  ${MARKS[finding.state].padEnd(2)}  ${finding.name.padEnd(nameWidth)}  `;
    const text = [finding.found, ...(finding.reason === undefined ? [] : [finding.reason])].join(': ');
    const remedy = finding.remedy === undefined ? [] : foldLine(`-> ${finding.remedy}`, width - head.length);
    const all = [...foldLine(text, width - head.length), ...remedy];
    all.forEach((line, i) => {
      lines.push(`${i === 0 ? head : ' '.repeat(head.length)}${line}`.trimEnd());
    });
  }
  return `${lines.join('\n')}\n`;
}
