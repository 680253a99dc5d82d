/**
 * The short form: one sentence, `promote hot>5 to DRAM quota 1G/s`, expanded into the long form.
 *
 * Grammar: an action word, then clauses in any order, each at most once. A clause is a keyword (with
 * a comparison for hot, cold and size) and the words up to the next keyword. Nothing else of the
 * program knows sentences: the executor sees the long form only.
 */
import { suggest } from '../memory/nearest-word.ts';
import type { LongScheme } from './schema.ts';

/** A mistake in a sentence, at a character offset. */
export interface SentenceProblem {
  readonly offset: number;
  readonly message: string;
  readonly hint?: string;
}

export type SentenceResult =
  | { readonly ok: true; readonly scheme: LongScheme; readonly clauseOffset: ReadonlyMap<string, number> }
  | { readonly ok: false; readonly problems: readonly SentenceProblem[] };

const ACTION_WORDS: Readonly<Record<string, LongScheme['action']>> = {
  promote: 'migrate_hot',
  demote: 'migrate_cold',
  stat: 'stat',
};

const COMPARED = ['hot', 'cold', 'size'];
const KEYWORDS = ['hot', 'cold', 'size', 'for', 'from', 'to', 'quota', 'top', 'every', 'named'];

const TOKEN = /(>=|<=|>|<|=)|[^\s<>=]+/g;

interface Clause {
  readonly keyword: string;
  readonly offset: number;
  readonly operator: string | undefined;
  readonly value: string;
  readonly valueOffset: number;
}

export function expandSentence(sentence: string): SentenceResult {
  const problems: SentenceProblem[] = [];
  const tokens = [...sentence.matchAll(TOKEN)].map((match) => ({
    text: match[0],
    offset: match.index,
    end: match.index + match[0].length,
  }));
  const first = tokens[0];
  if (first === undefined) {
    return {
      ok: false,
      problems: [
        {
          offset: 0,
          message: 'empty sentence',
          hint: 'expected for example: promote hot>5 to DRAM quota 1G/s',
        },
      ],
    };
  }
  const action = Object.hasOwn(ACTION_WORDS, first.text) ? ACTION_WORDS[first.text] : undefined;
  if (action === undefined) {
    problems.push({
      offset: first.offset,
      message: `a sentence cannot begin with "${first.text}"`,
      hint: suggest(first.text, Object.keys(ACTION_WORDS), 'actions'),
    });
  }
  const clauses = new Map<string, Clause>();
  let at = 1;
  while (at < tokens.length) {
    const word = tokens[at];
    if (!KEYWORDS.includes(word.text)) {
      problems.push({
        offset: word.offset,
        message: `unexpected "${word.text}"`,
        hint: suggest(word.text, KEYWORDS, 'clauses'),
      });
      at++;
      while (at < tokens.length && !KEYWORDS.includes(tokens[at].text)) at++;
      continue;
    }
    at++;
    let operator: string | undefined;
    if (at < tokens.length && /^[<>=]/.test(tokens[at].text)) operator = tokens[at++].text;
    const from = at;
    while (at < tokens.length && !KEYWORDS.includes(tokens[at].text)) at++;
    const stray = tokens.slice(from + 1, at).find((token) => isStrayWord(token.text));
    if (stray !== undefined) {
      problems.push({
        offset: stray.offset,
        message: `unexpected "${stray.text}"`,
        hint: suggest(stray.text, KEYWORDS, 'clauses'),
      });
      clauses.set(word.text, {
        keyword: word.text,
        offset: word.offset,
        operator,
        value: '?',
        valueOffset: word.offset,
      });
      continue;
    }
    const value = from < at ? sentence.slice(tokens[from].offset, tokens[at - 1].end) : '';
    const valueOffset = from < at ? tokens[from].offset : word.offset;
    const clause = { keyword: word.text, offset: word.offset, operator, value, valueOffset };
    problems.push(...checkClause(clause, clauses.has(word.text)));
    clauses.set(word.text, clause);
  }
  if (clauses.has('hot') && clauses.has('cold')) {
    problems.push({
      offset: clauses.get('cold')?.offset ?? 0,
      message: 'a region cannot be hot and cold at once',
      hint: 'write two schemes',
    });
  }
  if (problems.length > 0 || action === undefined) return { ok: false, problems };
  return { ok: true, scheme: toLongForm(action, clauses), clauseOffset: offsetsByPath(clauses) };
}

/** A word that no value can contain: likely a misspelt clause. Units and "per" may stand apart. */
function isStrayWord(text: string): boolean {
  return /^[a-z]{3,}$/i.test(text) && !/^([kmgtp]ib|min|per|samples?)$/i.test(text);
}

function checkClause(clause: Clause, isSecond: boolean): SentenceProblem[] {
  const { keyword, offset, operator, value } = clause;
  const fail = (message: string, hint: string): SentenceProblem[] => [{ offset, message, hint }];
  if (isSecond) return fail(`"${keyword}" is said twice`, 'each clause may come once');
  if (value === '') return fail(`"${keyword}" lacks its value`, `expected for example: ${EXAMPLES[keyword]}`);
  if (keyword === 'quota' && !value.includes('/')) {
    return fail(
      `the quota "${value}" has no window`,
      `expected bytes per time, for example: ${EXAMPLES[keyword]}`,
    );
  }
  if (!COMPARED.includes(keyword)) {
    return operator === undefined
      ? []
      : fail(`"${keyword}" takes no "${operator}"`, `expected for example: ${EXAMPLES[keyword]}`);
  }
  const allowed = keyword === 'size' ? ['>', '>=', '<', '<='] : ['>', '>='];
  if (operator === undefined || !allowed.includes(operator)) {
    return fail(`"${keyword}" needs ${allowed.join(' or ')}`, `expected for example: ${EXAMPLES[keyword]}`);
  }
  return [];
}

const EXAMPLES: Readonly<Record<string, string>> = {
  hot: 'hot>5 (samples), hot>25%, hot>30/s',
  cold: 'cold>30s',
  size: 'size>=2M',
  for: 'for 2s',
  from: 'from CXL',
  to: 'to DRAM',
  quota: 'quota 1G/s',
  top: 'top 1000',
  every: 'every 1s',
  named: 'named promote-hot',
};

function toLongForm(action: LongScheme['action'], clauses: ReadonlyMap<string, Clause>): LongScheme {
  const value = (keyword: string): string | undefined => clauses.get(keyword)?.value;
  const bound = (keyword: string): string | undefined => {
    const clause = clauses.get(keyword);
    if (clause === undefined) return undefined;
    return clause.operator === '>' ? `> ${clause.value}` : clause.value;
  };
  const hot = bound('hot');
  const cold = bound('cold');
  const pattern: NonNullable<LongScheme['access_pattern']> = {};
  const size = clauses.get('size');
  if (size !== undefined) {
    pattern.sz_bytes = size.operator?.startsWith('>')
      ? { min: bound('size') ?? '' }
      : { max: size.operator === '<' ? `< ${size.value}` : size.value };
  }
  if (hot !== undefined) pattern.nr_accesses = { min: withSamples(hot) };
  else if (cold !== undefined || action === 'migrate_cold') pattern.nr_accesses = { max: '0 samples' };
  else if (action === 'migrate_hot') pattern.nr_accesses = { min: '> 0 samples' };
  const duration = value('for');
  if (cold !== undefined) pattern.age = { min: cold };
  else if (duration !== undefined) pattern.age = { min: duration };
  const scheme: LongScheme = { action };
  const name = value('named');
  if (name !== undefined) scheme.name = name;
  scheme.access_pattern = pattern;
  const target = value('to') ?? defaultTarget(action);
  if (target !== undefined) scheme.target = target;
  const from = value('from');
  if (from !== undefined) scheme.from = from;
  const every = value('every');
  if (every !== undefined) scheme.apply_interval_us = every;
  const quota = value('quota');
  const top = value('top');
  if (quota !== undefined || top !== undefined) {
    scheme.quotas = {
      ...(quota === undefined ? {} : splitQuota(quota)),
      ...(top === undefined ? {} : { top: Number(top.replace(/[,_]/g, '')) }),
    };
  }
  return scheme;
}

function defaultTarget(action: LongScheme['action']): string | undefined {
  if (action === 'migrate_hot') return 'fast';
  return action === 'migrate_cold' ? 'slow' : undefined;
}

/** `5` and `> 5` count samples; with a unit they stay as they are. */
function withSamples(text: string): string {
  return /^>?\s*[\d.,_]+$/.test(text) ? `${text} samples` : text;
}

/** `1G/s` is 1G in a window of 1s; the units are checked when the long form is read. */
function splitQuota(text: string): { sz_bytes: string; reset_interval_ms: string } {
  const slash = text.lastIndexOf('/');
  const window = text.slice(slash + 1).trim();
  return {
    sz_bytes: text.slice(0, slash).trim(),
    reset_interval_ms: /^\d/.test(window) ? window : `1${window}`,
  };
}

/** Where each part of the long form came from in the sentence, for later error messages. */
function offsetsByPath(clauses: ReadonlyMap<string, Clause>): ReadonlyMap<string, number> {
  const offset = new Map<string, number>();
  const put = (path: string, keyword: string): void => {
    const clause = clauses.get(keyword);
    if (clause !== undefined) offset.set(path, clause.valueOffset);
  };
  put('target', 'to');
  put('from', 'from');
  put('name', 'named');
  put('apply_interval_us', 'every');
  put('quotas', 'quota');
  put('quotas/top', 'top');
  put('access_pattern/sz_bytes', 'size');
  put('access_pattern/nr_accesses', clauses.has('hot') ? 'hot' : 'cold');
  put('access_pattern/age', clauses.has('cold') ? 'cold' : 'for');
  return offset;
}
