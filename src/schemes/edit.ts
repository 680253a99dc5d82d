/** Changes single values of a scheme file by program, as a sweep does: the file is read, changed in its long form, and printed. */
import { parse, stringify } from 'yaml';
import type { Action } from '../memory/action.ts';
import { ThermoError } from '../memory/error.ts';
import { suggest } from '../memory/nearest-word.ts';
import type { Intervals } from './compile.ts';
import { loadSchemes } from './load.ts';
import { formatMonitorBlock } from './monitor-block.ts';
import type { Scheme } from './scheme.ts';

export type SchemeEdit =
  /** Most bytes per second, of one scheme or of all that move memory; the length of the window stays. */
  | { readonly kind: 'quota'; readonly scheme?: string; readonly bytesPerS: number }
  /** A value of the long form, as it would stand in the file, by its path below the scheme. */
  | {
      readonly kind: 'set';
      readonly scheme: string;
      readonly path: readonly string[];
      readonly value: string;
    };

const MOVES: ReadonlySet<Action> = new Set<Action>(['migrate_hot', 'migrate_cold', 'pageout']);

/** Whether a scheme of these is one that the edit is about. */
export function isEditable(schemes: readonly Scheme[], edit: SchemeEdit): boolean {
  return schemes.some((scheme) => isMeant(scheme, edit));
}

function isMeant({ name, action }: Scheme, edit: SchemeEdit): boolean {
  return edit.scheme === undefined ? MOVES.has(action) : name === edit.scheme;
}

/**
 * The text with all edits, in the long form. What the edits make of it is not checked: read it back with
 * {@link loadSchemes}.
 * @throws ThermoError THERMO_USAGE if an edit is about no scheme
 */
export function editSchemes(
  text: string,
  file: string,
  edits: readonly SchemeEdit[],
  intervals: Intervals,
): string {
  const { schemes, monitor } = loadSchemes(text, file, intervals);
  for (const edit of edits) if (!isEditable(schemes, edit)) throw noSuchScheme(schemes, edit);
  const block = formatMonitorBlock(monitor);
  const edited = schemes.map((scheme) => ({
    name: scheme.name,
    ...edits
      .filter((edit) => isMeant(scheme, edit))
      .reduce((long, edit) => apply(long, scheme, edit), asTree(scheme)),
  }));
  return stringify(
    { version: 1, ...(block === undefined ? {} : { monitor: block }), schemes: edited },
    { lineWidth: 0, aliasDuplicateObjects: false },
  );
}

type Tree = Readonly<Record<string, unknown>>;

const asTree = (scheme: Scheme): Tree => ({ ...scheme.longForm });

function apply(long: Tree, { quota }: Scheme, edit: SchemeEdit): Tree {
  if (edit.kind === 'set') return setIn(long, edit.path, parse(edit.value));
  return setIn(long, ['quotas', 'sz_bytes'], Math.round((edit.bytesPerS * quota.resetIntervalUs) / 1e6));
}

/** A copy with one value changed; maps on the way are made where there are none. */
function setIn(tree: Tree, [key, ...rest]: readonly string[], value: unknown): Tree {
  if (rest.length === 0) return { ...tree, [key]: value };
  const child = tree[key];
  if (Array.isArray(child)) {
    const items = child.map((item: unknown, i) => {
      if (String(i) !== rest[0]) return item;
      return rest.length === 1 ? value : setIn(item as Tree, rest.slice(1), value);
    });
    return { ...tree, [key]: items };
  }
  // What is no map is replaced by one: the schema tells whether it may be.
  return { ...tree, [key]: setIn(typeof child === 'object' ? (child as Tree) : {}, rest, value) };
}

function noSuchScheme(schemes: readonly Scheme[], edit: SchemeEdit): ThermoError {
  const names = schemes.map(({ name }) => name);
  if (edit.scheme === undefined) {
    return new ThermoError('THERMO_USAGE', 'no scheme moves memory, so that none has a quota to vary', {
      hint: `the schemes are: ${names.join(', ')}`,
    });
  }
  return new ThermoError('THERMO_USAGE', `there is no scheme "${edit.scheme}"`, {
    hint: suggest(edit.scheme, names, 'schemes'),
  });
}
