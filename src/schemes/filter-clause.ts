/** The clauses `only` and `not`: which memory a scheme leaves out. */
import type { ClauseRule, Cursor, Draft, Word } from './clause.ts';
import type { Filter } from './schema.ts';

/** What follows `only` and `not`, with the parameters of each. */
const SUBJECTS = [
  'anon',
  'young',
  'active',
  'unmapped',
  'huge',
  'memcg',
  'addr',
  'on',
  'used',
  'target',
  'stores',
] as const;

const GRAMMAR =
  'anon | young | active | unmapped | huge [SIZE..SIZE] | memcg PATH | addr ADDRESS..ADDRESS | on PLACE | used by NODE | target N | stores>SHARE';

/** Smallest huge page of x86 and arm64; "huge" without sizes means any. */
const SMALLEST_HUGE = '2 MiB';

const filterClause = (keyword: 'only' | 'not', meaning: string, examples: readonly string[]): ClauseRule => ({
  keyword,
  grammar: `${keyword} ${GRAMMAR}`,
  meaning,
  examples,
  repeats: true,
  read(words, draft) {
    const first = words.peek();
    const subject = words.choice(SUBJECTS, 'filters');
    const index = draft.long.filters?.length ?? 0;
    const filter = readSubject(subject, words, draft, `filters/${index}`);
    // What does not match is rejected (only), or what does (not): several mean "and".
    draft.long.filters = [
      ...(draft.long.filters ?? []),
      { ...filter, matching: keyword === 'not', allow: false },
    ];
    // words.choice has thrown if there was no word.
    draft.said(`filters/${index}`, first as Word);
  },
});

export const ONLY_CLAUSE = filterClause('only', 'act on this memory only; several: on what is all of it', [
  'only anon',
  'only on CXL',
  'only memcg /app',
]);
export const NOT_CLAUSE = filterClause('not', 'leave this memory out', [
  'not young',
  'not addr 4G..8G',
  'not used by node0',
]);

function readSubject(
  subject: (typeof SUBJECTS)[number],
  words: Cursor,
  draft: Draft,
  path: string,
): Omit<Filter, 'matching' | 'allow'> {
  switch (subject) {
    case 'huge': {
      const hasSizes = words.isInClause() && /^([\d<>]|\.\.)/.test(words.peek()?.text ?? '');
      if (!hasSizes) return { filter_type: 'hugepage_size', hugepage_size: [SMALLEST_HUGE, 'max'] };
      const sizes = words.bounds();
      draft.said(`${path}/hugepage_size`, sizes);
      return { filter_type: 'hugepage_size', hugepage_size: endsOf(sizes, SMALLEST_HUGE) };
    }
    case 'memcg': {
      const group = words.word();
      draft.said(`${path}/memcg_path`, group);
      return { filter_type: 'memcg', memcg_path: group.text };
    }
    case 'addr': {
      const range = words.bounds();
      draft.said(`${path}/address_range`, range);
      return { filter_type: 'addr', address_range: endsOf(range, '0') };
    }
    case 'on': {
      const place = words.word();
      draft.said(`${path}/target`, place);
      const isNode = /^node\d/i.test(place.text);
      return { filter_type: isNode ? 'node' : 'tier', target: place.text };
    }
    case 'used': {
      words.expect('by');
      const place = words.word();
      draft.said(`${path}/target`, place);
      return { filter_type: 'accessing_node', target: place.text };
    }
    case 'target': {
      const index = words.quantity();
      draft.said(`${path}/damon_target_idx`, index);
      const isIndex = /^\d{1,9}$/.test(index.text);
      if (!isIndex) throw words.mistake(index.offset, `"${index.text}" is not the index of a target`);
      return { filter_type: 'target', damon_target_idx: Number(index.text) };
    }
    case 'stores': {
      const share = words.bounds();
      draft.said(`${path}/share`, share);
      return { filter_type: 'store_share', share: endsOf(share, '0 %', '100 %') };
    }
    default:
      return { filter_type: subject };
  }
}

function endsOf(
  { min, max }: { readonly min?: string; readonly max?: string },
  least: string,
  most = 'max',
): readonly string[] {
  return [min ?? least, max ?? most];
}
