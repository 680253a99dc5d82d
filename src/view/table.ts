/** Plain tables: columns parted by two spaces, no borders, easy to read, grep and paste. */
import { foldLine } from './fold.ts';

export interface Column {
  readonly title: string;
  readonly align: 'left' | 'right';
}

/** Lines of a table; columns are as wide as their widest cell. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map((column, i) =>
    Math.max(column.title.length, ...rows.map((row) => row[i].length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => (columns[i].align === 'right' ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join('  ')
      .trimEnd();
  return [line(columns.map((column) => column.title)), ...rows.map(line)];
}

/** Name, value, and what there is to say about it. */
export type Fact = readonly [name: string, value: string, remark?: string];

/** `name   value   remark` lines; long remarks go to a line of their own on narrow terminals. */
export function renderFacts(facts: readonly Fact[], width: number): string[] {
  const nameWidth = Math.max(...facts.map(([name]) => name.length));
  const valueWidth = Math.max(...facts.filter(([, , remark]) => remark).map(([, value]) => value.length), 0);
  const lines: string[] = [];
  for (const [name, value, remark] of facts) {
    const wide = remark ? `${name.padEnd(nameWidth)}  ${value.padEnd(valueWidth)}  ${remark}` : '';
    if (wide !== '' && wide.length <= width) {
      lines.push(wide);
      continue;
    }
    const head = `${name.padEnd(nameWidth)}  ${value}`;
    lines.push(...(head.length <= width ? [head] : [name, ...indent(foldLine(value, width - 2))]));
    if (remark) lines.push(...indent(foldLine(remark, width - 2)));
  }
  return lines;
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
