/** Texts with `<keyword>` in them: how reports of regions are laid out, and can be laid out otherwise. */
import { ThermoError } from '../../memory/error.ts';
import { suggest } from '../../memory/nearest-word.ts';

export const LAYOUT_LEVELS = [
  'record-head',
  'snapshot-head',
  'region',
  'snapshot-tail',
  'record-tail',
] as const;

export type LayoutLevel = (typeof LAYOUT_LEVELS)[number];

export type Layout = Readonly<Record<LayoutLevel, string>>;

/** A keyword whose values have several lines, which are not brought to one width. */
const BLOCK = 'box';
const KEYWORD = /<([a-z][a-z ]*)>/g;

/** `set region <start address> <size>`, `append snapshot-tail ...`: changes one level of a layout. */
export interface LayoutChange {
  readonly mode: 'set' | 'append';
  readonly level: LayoutLevel;
  readonly text: string;
}

export function parseLayoutChange(text: string): LayoutChange {
  const match = /^\s*(set|append)\s+(\S+)\s?([\s\S]*)$/.exec(text);
  const level = LAYOUT_LEVELS.find((each) => each === match?.[2]);
  if (match === null) {
    throw new ThermoError('THERMO_USAGE', `"${text}" is no layout`, {
      hint: `expected: set|append LEVEL TEXT, LEVEL one of ${LAYOUT_LEVELS.join(', ')}; e.g. "set region <start address> <size>"`,
    });
  }
  if (level === undefined) {
    throw new ThermoError('THERMO_USAGE', `a report has no "${match[2]}"`, {
      hint: suggest(match[2], LAYOUT_LEVELS, 'levels'),
    });
  }
  return { mode: match[1] === 'set' ? 'set' : 'append', level, text: match[3].replaceAll('\\n', '\n') };
}

/** @throws ThermoError THERMO_USAGE for keywords that the level does not know */
export function changeLayout(
  layout: Layout,
  changes: readonly LayoutChange[],
  keywords: Readonly<Record<LayoutLevel, readonly string[]>>,
): Layout {
  const changed: Record<LayoutLevel, string> = { ...layout };
  for (const { mode, level, text } of changes) {
    for (const [, keyword] of text.matchAll(KEYWORD)) {
      if (keywords[level].includes(keyword)) continue;
      throw new ThermoError('THERMO_USAGE', `${level} has no keyword <${keyword}>`, {
        hint: suggest(keyword, keywords[level], 'keywords'),
      });
    }
    changed[level] = mode === 'set' ? text : `${changed[level]}${text}`;
  }
  return changed;
}

/** Puts values in the places of their keywords. */
export function fillIn(text: string, valueFor: (keyword: string) => string): string {
  return text.replaceAll(KEYWORD, (_all, keyword: string) => valueFor(keyword));
}

/** One line for each of `items`; the values of a keyword are as wide as the widest of them. */
export function fillInRows<Item>(
  text: string,
  items: readonly Item[],
  valueFor: (item: Item, keyword: string) => string,
): string[] {
  const used = [...text.matchAll(KEYWORD)].map(([, keyword]) => keyword);
  const values = items.map((item) => new Map(used.map((keyword) => [keyword, valueFor(item, keyword)])));
  const widths = new Map(
    used.map((keyword) => [keyword, Math.max(0, ...values.map((row) => row.get(keyword)?.length ?? 0))]),
  );
  return values.map((row) =>
    fillIn(text, (keyword) => {
      const value = row.get(keyword) ?? '';
      return keyword === BLOCK ? value : value.padStart(widths.get(keyword) ?? 0);
    }).trimEnd(),
  );
}
