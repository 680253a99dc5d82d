/**
 * The short form: one sentence, `promote hot>5 to DRAM quota 1G/s`, expanded into the long form.
 *
 * Grammar: an action word, then clauses (clauses.ts) in any order, each at most once unless it may
 * repeat. Nothing else of the program knows sentences: the executor sees the long form only.
 */
import { suggest } from '../memory/nearest-word.ts';
import { ClauseMistake, Cursor, Draft, type SentenceProblem, wordsOfSentence } from './clause.ts';
import { ACTION_WORDS, CLAUSES, SENTENCE_EXAMPLES } from './clauses.ts';
import type { LongScheme } from './schema.ts';

export type SentenceResult =
  | { readonly ok: true; readonly scheme: LongScheme; readonly clauseOffset: ReadonlyMap<string, number> }
  | {
      readonly ok: false;
      readonly problems: readonly SentenceProblem[];
      /** What could be read, whose values may be wrong as well. */
      readonly scheme?: LongScheme;
      readonly clauseOffset: ReadonlyMap<string, number>;
    };

const RULES = new Map(CLAUSES.map((rule) => [rule.keyword, rule]));
const KEYWORDS = [...RULES.keys()];

/** Far more than anybody writes; finding places in a sentence takes time with its length. */
const MAX_LENGTH = 4000;

/** Reads the whole sentence; of several mistakes all are reported. */
export function expandSentence(sentence: string): SentenceResult {
  const problems: SentenceProblem[] = [];
  if (sentence.length > MAX_LENGTH) {
    const message = `the sentence has ${sentence.length} characters`;
    const hint = `expected at most ${MAX_LENGTH}; use the long form`;
    return { ok: false, problems: [{ offset: 0, message, hint }], clauseOffset: new Map() };
  }
  const words = wordsOfSentence(sentence);
  if (words.length === 0) {
    const hint = `expected for example: ${SENTENCE_EXAMPLES[0]}`;
    return { ok: false, problems: [{ offset: 0, message: 'empty sentence', hint }], clauseOffset: new Map() };
  }
  const cursor = new Cursor(sentence, words, (text) => RULES.has(text));
  const action = readAction(cursor, problems);
  // Of an unknown action nothing is known; this one may have every clause.
  const draft = new Draft(action ?? 'migrate_hot');
  const said = new Map<string, number>();
  for (let word = cursor.peek(); word !== undefined; word = cursor.peek()) {
    const rule = RULES.get(word.text);
    if (rule === undefined) {
      problems.push({
        offset: word.offset,
        message: `unexpected "${word.text}"`,
        hint: suggest(word.text, KEYWORDS, 'clauses'),
      });
      cursor.skipClause();
      continue;
    }
    if (said.has(rule.keyword) && !rule.repeats) {
      problems.push({
        offset: word.offset,
        message: `"${rule.keyword}" is said twice`,
        hint: 'this clause may come once',
      });
    }
    said.set(rule.keyword, word.offset);
    try {
      cursor.begin(rule);
      rule.read(cursor, draft);
    } catch (mistake) {
      if (!(mistake instanceof ClauseMistake)) throw mistake;
      problems.push(mistake.problem);
      cursor.skipClause();
    }
  }
  if (said.has('hot') && said.has('cold')) {
    problems.push({
      offset: said.get('cold') ?? 0,
      message: 'a region cannot be hot and cold at once',
      hint: 'write two schemes',
    });
  }
  if (problems.length > 0 || action === undefined) {
    return { ok: false, problems, scheme: withoutHalves(draft.long), clauseOffset: draft.offsets };
  }
  return { ok: true, scheme: inOrder(withDefaults(draft.long)), clauseOffset: draft.offsets };
}

/** What a clause that was broken off would make look wrong, too. */
function withoutHalves({ dests: _dests, ...long }: LongScheme): LongScheme {
  const { goal_tuner: _tuner, ...quotas } = long.quotas ?? {};
  return { ...long, quotas };
}

function readAction(cursor: Cursor, problems: SentenceProblem[]): LongScheme['action'] | undefined {
  const first = cursor.next();
  const isComparison = /^[<>]/.test(cursor.peek()?.text ?? '');
  const known = Object.keys(ACTION_WORDS);
  if (RULES.has(first.text) && (isComparison || !known.includes(first.text))) {
    problems.push({
      offset: first.offset,
      message: `a sentence begins with what is to be done, not with "${first.text}"`,
      hint: suggest('', known, 'actions'),
    });
    cursor.skipClause();
    return undefined;
  }
  if (Object.hasOwn(ACTION_WORDS, first.text)) return ACTION_WORDS[first.text];
  problems.push({
    offset: first.offset,
    message: `a sentence cannot begin with "${first.text}"`,
    hint: suggest(first.text, known, 'actions'),
  });
  return undefined;
}

/** What promote and demote leave unsaid: memory that is accessed at all, or not at all; up, or down. */
function withDefaults(long: LongScheme): LongScheme {
  const isTargetSaid = long.target !== undefined || long.dests !== undefined;
  const pattern = long.access_pattern ?? {};
  if (long.action === 'migrate_hot') {
    pattern.nr_accesses ??= { min: '> 0 samples' };
    if (!isTargetSaid) long.target = 'fast';
  }
  if (long.action === 'migrate_cold') {
    pattern.nr_accesses ??= { max: '0 samples' };
    if (!isTargetSaid) long.target = 'slow';
  }
  return Object.keys(pattern).length === 0 ? long : { ...long, access_pattern: pattern };
}

/** Keys in the order of the documentation, whatever the order of the clauses. */
const KEY_ORDER = [
  ...[
    'name',
    'action',
    'access_pattern',
    'target',
    'dests',
    'from',
    'apply_interval_us',
    'quotas',
    'exchange',
    'filters',
  ],
  ...['watermarks', 'max_nr_snapshots'],
  ...['ratio', 'payback_us'],
  ...['sz_bytes', 'nr_accesses', 'age'],
  ...['time_ms', 'reset_interval_ms', 'top', 'prioritize', 'goals', 'goal_tuner'],
];

function inOrder(long: LongScheme): LongScheme {
  const { access_pattern: pattern, quotas } = long;
  return sorted({
    ...long,
    ...(pattern === undefined ? {} : { access_pattern: sorted(pattern) }),
    ...(quotas === undefined ? {} : { quotas: sorted(quotas) }),
  });
}

function sorted<T extends object>(map: T): T {
  const entries = Object.entries(map).sort(([a], [b]) => KEY_ORDER.indexOf(a) - KEY_ORDER.indexOf(b));
  // The same keys with the same values.
  return Object.fromEntries(entries) as T;
}
