/** Problems and warnings as people read them: what, what to do, and the line with a mark under the word. */
import type { TextPosition } from '../memory/error.ts';

export interface Problem {
  readonly message: string;
  readonly where: TextPosition | undefined;
  /** Why that is so; a line of its own. */
  readonly why?: string | undefined;
  /** What to do about it, or what is accepted. */
  readonly hint?: string | undefined;
}

/** Characters of a long line that are shown, and how many of them before the mark. */
const SHOWN = 100;
const SHOWN_BEFORE = 70;

/**
 *     tier.yaml:8:7: unknown key "aeg" in access_pattern
 *       did you mean "age"? known keys: sz_bytes, nr_accesses, age
 *         8 |       aeg: {min: 1s}
 *           |       ^^^
 *
 * @param kind put before the message: "warning"
 */
export function renderProblem({ message, where, why, hint }: Problem, kind?: string): string {
  const at = where === undefined ? 'thermocline: ' : `${where.file}:${where.line}:${where.column}: `;
  const lines = [`${at}${kind === undefined ? '' : `${kind}: `}${message}`];
  for (const more of [why, hint]) if (more !== undefined) lines.push(`  ${more}`);
  if (where?.source !== undefined && where.source.text.trim() !== '')
    lines.push(...mark(where.line, where.source));
  return `${lines.join('\n')}\n`;
}

function mark(line: number, { text, caret }: NonNullable<TextPosition['source']>): string[] {
  const cut = Math.max(0, caret - SHOWN_BEFORE);
  const shown = `${cut > 0 ? '…' : ''}${text.slice(cut, cut + SHOWN)}`;
  const before = shown.slice(0, caret - cut + (cut > 0 ? 1 : 0));
  const length = Math.min(lengthOfWord(text.slice(caret)), shown.length - before.length);
  const number = String(line).padStart(5);
  return [
    `${number} | ${shown}`.trimEnd(),
    `${' '.repeat(number.length)} | ${before.replace(/[^\t]/g, ' ')}${'^'.repeat(Math.max(1, length))}`,
  ];
}

/** A text in quotes, or all up to a space or a sign that ends a word of YAML or of a sentence. */
function lengthOfWord(text: string): number {
  const match = /^(?:"[^"]*"|'[^']*'|[^\s,:\]}<>]+|[<>]=?)/.exec(text);
  return match === null ? 1 : match[0].length;
}
