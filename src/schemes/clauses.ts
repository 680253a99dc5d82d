/**
 * The clauses of a sentence, one table: grammar, what it means, examples and the reader of each. The
 * sentences, the JSON Schema's completions and the documentation's test all come from here.
 */
import { parseTimeUs } from '../memory/units.ts';
import type { Bounds, ClauseRule, Cursor, Draft, Value } from './clause.ts';
import { NOT_CLAUSE, ONLY_CLAUSE } from './filter-clause.ts';
import { GOAL_CLAUSE } from './goal-clause.ts';
import { ACCESSING } from './resolve.ts';
import { ACTIONS, TUNERS, wordsOf } from './vocabulary.ts';

/** The first word of a sentence: an action by its DAMOS name, or one of the two that have a shorter one. */
export const ACTION_WORDS: Readonly<Record<string, keyof typeof ACTIONS>> = {
  promote: 'migrate_hot',
  demote: 'migrate_cold',
  ...Object.fromEntries(wordsOf(ACTIONS).map((action) => [action, action])),
};

export const CLAUSES: readonly ClauseRule[] = [
  {
    keyword: 'hot',
    grammar: 'hot>RATE, hot<RATE, hot RATE..RATE',
    meaning:
      'how often pages are accessed: in so many samples of an aggregation interval (5), in a share of them (25%), or per page and second (30/s)',
    examples: ['hot>5 (samples)', 'hot>25%', 'hot>30/s', 'hot 5..20'],
    repeats: false,
    read(words, draft) {
      const rate = words.bounds();
      draft.pattern.nr_accesses = mapEnds(rate, withSamples);
      draft.said('access_pattern/nr_accesses', rate);
    },
  },
  {
    keyword: 'cold',
    grammar: 'cold>TIME, cold<TIME, cold TIME..TIME',
    meaning: 'no access has been seen for that long',
    examples: ['cold>30s', 'cold 30s..5m'],
    repeats: false,
    read(words, draft) {
      const age = words.bounds();
      draft.pattern.nr_accesses = { max: '0 samples' };
      draft.said('access_pattern/nr_accesses', age);
      readAge(age, draft, words);
    },
  },
  {
    keyword: 'size',
    grammar: 'size>=SIZE, size<SIZE, size SIZE..SIZE',
    meaning: 'size of the region or spot',
    examples: ['size>=2M', 'size 64K..1G'],
    repeats: false,
    read(words, draft) {
      const size = words.bounds();
      draft.pattern.sz_bytes = mapEnds(size, (text) => text);
      draft.said('access_pattern/sz_bytes', size);
    },
  },
  {
    keyword: 'for',
    grammar: 'for TIME, for TIME..TIME',
    meaning: 'the rate has been like that for at least that long',
    examples: ['for 2s', 'for 2s..1m'],
    repeats: false,
    read(words, draft) {
      const isRange = /^([<>]|\.\.)/.test(words.peek()?.text ?? '');
      const start = isRange ? undefined : words.quantity();
      if (start === undefined) return readAge(words.bounds(), draft, words);
      const hasEnd = words.takeIf('..') !== undefined;
      const end = hasEnd && words.isInClause() ? words.quantity() : undefined;
      return readAge({ ...start, min: start.text, ...(end ? { max: end.text } : {}) }, draft, words);
    },
  },
  {
    keyword: 'from',
    grammar: 'from PLACE',
    meaning: 'act only on memory that lies there',
    examples: ['from CXL', 'from node1'],
    repeats: false,
    read(words, draft) {
      const place = words.word();
      draft.long.from = place.text;
      draft.said('from', place);
    },
  },
  {
    keyword: 'to',
    grammar: 'to PLACE, to accessing node, to PLACE:WEIGHT, PLACE:WEIGHT',
    meaning:
      'where to; accessing node: that whose CPUs access the memory; with weights: pages are spread over the places',
    examples: ['to DRAM', 'to accessing node', 'to DRAM:2, CXL:1'],
    repeats: false,
    read: readTarget,
  },
  {
    keyword: 'quota',
    grammar: 'quota BYTES/TIME, quota TIME/TIME, quota BYTES/TIME, TIME/TIME',
    meaning: 'at most so many bytes, or so much CPU time spent on acting, in each window of time',
    examples: ['quota 1G/s', 'quota 10ms/s', 'quota 512M/s, 10ms/s', 'quota 100M/20s'],
    repeats: false,
    read: readQuota,
  },
  {
    keyword: 'top',
    grammar: 'top COUNT',
    meaning: 'act on at most so many regions per round, those of highest priority',
    examples: ['top 1000'],
    repeats: false,
    read(words, draft) {
      const count = words.quantity();
      draft.quotas.top = countOf(count, words);
      draft.said('quotas/top', count);
    },
  },
  {
    keyword: 'by',
    grammar: 'by priority, by histogram',
    meaning:
      "what comes first: the highest priority (the default), or DAMON's histogram of 100 scores and then the address",
    examples: ['by histogram'],
    repeats: false,
    read(words, draft) {
      const order = words.peek();
      const isHistogram = words.choice(['priority', 'histogram'], 'orders') === 'histogram';
      draft.quotas.prioritize = isHistogram ? 'damon' : 'exact';
      if (order !== undefined) draft.said('quotas/prioritize', order);
    },
  },
  GOAL_CLAUSE,
  {
    keyword: 'tuner',
    grammar: `tuner ${wordsOf(TUNERS).join('|')}`,
    meaning: `how the quota follows its goals; ${wordsOf(TUNERS)
      .map((tuner) => `${tuner}: ${TUNERS[tuner]}`)
      .join('; ')}`,
    examples: ['tuner consist', 'tuner temporal'],
    repeats: false,
    read(words, draft) {
      const word = words.peek();
      draft.quotas.goal_tuner = words.choice(wordsOf(TUNERS), 'tuners');
      if (word !== undefined) draft.said('quotas/goal_tuner', word);
    },
  },
  {
    keyword: 'exchange',
    grammar: 'exchange RATIOx, exchange RATIOx within TIME',
    meaning:
      'moves only what pays for a move there and back within the time (60s), and into a full target only what is so many times as hot as the coldest hot memory there, which makes way; both count in the quota',
    examples: ['exchange 2x', 'exchange 1.5x within 30s'],
    repeats: false,
    read(words, draft) {
      const ratio = words.word();
      const match = /^(\d+(?:\.\d+)?)x$/i.exec(ratio.text);
      if (match === null) throw words.mistake(ratio.offset, `"${ratio.text}" is no ratio`);
      draft.long.exchange = { ratio: Number(match[1]) };
      draft.said('exchange', ratio);
      draft.said('exchange/ratio', ratio);
      if (words.takeIf('within') === undefined) return;
      const time = words.quantity();
      draft.long.exchange.payback_us = time.text;
      draft.said('exchange/payback_us', time);
    },
  },
  ONLY_CLAUSE,
  NOT_CLAUSE,
  {
    keyword: 'when',
    grammar: 'when free_mem LOW..HIGH, when free_mem LOW..MID..HIGH',
    meaning:
      'the scheme is active only while the free share of all memory lies between; above HIGH it rests until below MID (HIGH if left out)',
    examples: ['when free_mem 20%..50%', 'when free_mem 20%..40%..50%'],
    repeats: false,
    read: readWatermarks,
  },
  {
    keyword: 'every',
    grammar: 'every TIME',
    meaning: 'time between two rounds; default: the aggregation interval',
    examples: ['every 1s'],
    repeats: false,
    read(words, draft) {
      const time = words.quantity();
      draft.long.apply_interval_us = time.text;
      draft.said('apply_interval_us', time);
    },
  },
  {
    keyword: 'at',
    grammar: 'at most COUNT rounds',
    meaning: 'after so many rounds the scheme does nothing more',
    examples: ['at most 1 round', 'at most 10 rounds'],
    repeats: false,
    read(words, draft) {
      words.expect('most');
      const count = words.quantity();
      draft.long.max_nr_snapshots = countOf(count, words);
      draft.said('max_nr_snapshots', count);
      if (words.takeIf('round', 'rounds') === undefined) words.expect('rounds');
    },
  },
  {
    keyword: 'named',
    grammar: 'named NAME',
    meaning: 'name in reports',
    examples: ['named promote-hot'],
    repeats: false,
    read(words, draft) {
      // Any word may be a name, also one that begins a clause elsewhere.
      const name = words.peek() === undefined ? words.word() : words.next();
      draft.long.name = name.text;
      draft.said('name', name);
    },
  },
];

/** `5` and `> 5` count samples; with a unit they stay as they are. */
function withSamples(text: string): string {
  return /^[<>]?\s*[\d.,_]+$/.test(text) ? `${text} samples` : text;
}

function mapEnds({ min, max }: Bounds, map: (text: string) => string): { min?: string; max?: string } {
  return {
    ...(min === undefined ? {} : { min: map(min) }),
    ...(max === undefined ? {} : { max: map(max) }),
  };
}

function readAge(age: Bounds, draft: Draft, words: Cursor): void {
  if (draft.pattern.age !== undefined) {
    throw words.mistake(age.offset, '"cold" and "for" both say how long: keep one of them');
  }
  draft.pattern.age = mapEnds(age, (text) => text);
  draft.said('access_pattern/age', age);
}

function countOf({ text, offset }: Value, words: Cursor): number {
  const count = /^[\d,_]+$/.test(text) ? Number(text.replace(/[,_]/g, '')) : Number.NaN;
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw words.mistake(offset, `"${text}" is not a whole number from 1 on`);
}

function readTarget(words: Cursor, draft: Draft): void {
  const first = words.word();
  if (first.text === ACCESSING) {
    words.expect('node');
    draft.long.target = ACCESSING;
    draft.said('target', first);
    return;
  }
  if (!first.text.includes(':')) {
    draft.long.target = first.text;
    draft.said('target', first);
    return;
  }
  draft.long.dests = [];
  draft.said('dests', first);
  for (let word = first; ; word = words.word()) {
    const match = /^([^:]+):(\d{1,9})$/.exec(word.text);
    if (match === null) throw words.mistake(word.offset, `"${word.text}" is not a place with a weight`);
    const index = draft.long.dests.push({ target: match[1], weight: Number(match[2]) }) - 1;
    draft.said(`dests/${index}`, word);
    if (words.takeIf(',') === undefined) return;
  }
}

/** A window of a quota: `1G/s` is 1G in a window of 1s; the units are checked when the long form is read. */
function readQuota(words: Cursor, draft: Draft): void {
  let first: { readonly window: string } | undefined;
  do {
    const value = words.quantity();
    const match = /^(.*?)\s*(?:\/|\bper\b)\s*(\S.*)$/i.exec(value.text);
    if (match === null) throw words.mistake(value.offset, `the quota "${value.text}" has no window`);
    const [amount, time] = [match[1], match[2].trim()];
    const window = /^\d/.test(time) ? time : `1${time}`;
    const key = /(\d|\s)(ns|us|µs|ms|s)$/i.test(amount) ? 'time_ms' : 'sz_bytes';
    const { quotas } = draft;
    if (quotas[key] !== undefined) {
      throw words.mistake(
        value.offset,
        `"quota" says twice how ${key === 'time_ms' ? 'much time' : 'many bytes'}`,
      );
    }
    if (first !== undefined && !areSameTime(first.window, window)) {
      throw words.mistake(value.offset, `both parts of a quota need the same window`);
    }
    first = { window };
    quotas[key] = amount;
    quotas.reset_interval_ms = window;
    draft.said(`quotas/${key}`, value);
    if (!draft.offsets.has('quotas')) draft.said('quotas', value);
  } while (words.takeIf(',') !== undefined);
}

/** Times that cannot be read are told apart by their text; the compiler says what is wrong with them. */
function areSameTime(a: string, b: string): boolean {
  if (a === b) return true;
  try {
    return parseTimeUs(a) === parseTimeUs(b);
  } catch {
    return false;
  }
}

/** How often free memory is looked at, as the kernel's modules do. */
const WATERMARK_INTERVAL = '5s';

function readWatermarks(words: Cursor, draft: Draft): void {
  const start = words.peek();
  words.choice(['free_mem'], 'conditions');
  const values: Value[] = [words.share()];
  while (words.takeIf('..') !== undefined) values.push(words.share());
  if (values.length !== 2 && values.length !== 3) {
    throw words.mistake(values[0].offset, '"when" needs two or three shares of free memory');
  }
  const [low, high] = [values[0], values[values.length - 1]];
  const mid = values.length === 3 ? values[1] : high;
  draft.long.watermarks = {
    metric: 'free_mem_rate',
    interval_us: WATERMARK_INTERVAL,
    high_permil: high.text,
    mid_permil: mid.text,
    low_permil: low.text,
  };
  if (start !== undefined) draft.said('watermarks', start);
  for (const [key, value] of Object.entries({ high, mid, low }))
    draft.said(`watermarks/${key}_permil`, value);
}

/** Whole sentences, for documentation and completion; each is checked by a test. */
export const SENTENCE_SNIPPETS = [
  {
    label: 'promote',
    description: 'move hot memory up',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an editor's placeholder
    body: 'promote hot>${1:5} to ${2:DRAM} quota ${3:1G/s}',
  },
  {
    label: 'promote to a goal',
    description: 'move hot memory up until the fast tier is used so far',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an editor's placeholder
    body: 'promote hot>${1:30/s} to ${2:DRAM} quota ${3:512M/s} goal ${2:DRAM} used ${4:99.7%}',
  },
  {
    label: 'demote',
    description: 'move cold memory down',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an editor's placeholder
    body: 'demote cold>${1:30s} from ${2:DRAM} to ${3:CXL} quota ${4:512M/s}',
  },
  {
    label: 'demote to a goal',
    description: 'move cold memory down until so much of the fast tier is free',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an editor's placeholder
    body: 'demote cold>${1:10s} from ${2:DRAM} to ${3:CXL} quota ${4:512M/s} goal ${2:DRAM} free ${5:0.5%}',
  },
  {
    label: 'pageout',
    description: 'page out idle memory while little is free',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an editor's placeholder
    body: 'pageout cold>${1:120s} quota ${2:128M/s} when free_mem ${3:20%..50%}',
  },
  {
    label: 'stat',
    description: 'count memory, do nothing to it',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: an editor's placeholder
    body: 'stat hot>${1:25%} named ${2:hot-memory}',
  },
] as const;

export const SENTENCE_EXAMPLES: readonly string[] = SENTENCE_SNIPPETS.map(({ body }) =>
  body.replace(/\$\{\d+:([^}]*)\}/g, '$1'),
);

export const SENTENCE_GRAMMAR = `a sentence: ${Object.keys(ACTION_WORDS).join(' | ')}, then in any order: ${CLAUSES.map(
  ({ grammar }) => grammar.split(', ')[0],
).join(', ')}`;
