/** The clause `goal`: what a quota is tuned towards. */

import { suggest } from '../memory/nearest-word.ts';
import { ClauseMistake, type ClauseRule, type Cursor, type Draft, type Value } from './clause.ts';
import { PLACE_WORDS } from './place.ts';
import type { Goal } from './schema.ts';
import { type GoalMetric, METRICS } from './vocabulary.ts';

/** Goals of the whole machine, by their word. */
const MACHINE_GOALS = {
  active: 'active_mem_bp',
  inactive: 'inactive_mem_bp',
  psi: 'some_mem_psi_us',
  'fast-share': 'fast_access_bp',
  slowdown: 'slowdown_bp',
  'fast-latency': 'fast_latency_bp',
  'slow-latency': 'slow_latency_bp',
  migration: 'migration_bytes_per_s',
  cpu: 'cpu_bp',
  user: 'user_input',
} as const satisfies Record<string, GoalMetric>;

/** Goals of a node or tier, and of a memory cgroup there. */
const NODE_GOALS = {
  used: 'node_mem_used_bp',
  free: 'node_mem_free_bp',
  eligible: 'node_eligible_mem_bp',
} as const satisfies Record<string, GoalMetric>;
const MEMCG_GOALS = {
  used: 'node_memcg_used_bp',
  free: 'node_memcg_free_bp',
} as const satisfies Record<string, GoalMetric>;

// Object.keys of a constant table gives exactly its keys.
const NODE_WORDS = Object.keys(NODE_GOALS) as (keyof typeof NODE_GOALS)[];
const MEMCG_WORDS = Object.keys(MEMCG_GOALS) as (keyof typeof MEMCG_GOALS)[];
const MACHINE_WORDS = Object.keys(MACHINE_GOALS) as (keyof typeof MACHINE_GOALS)[];

export const GOAL_CLAUSE: ClauseRule = {
  keyword: 'goal',
  grammar:
    'goal PLACE used|free|eligible SHARE, goal memcg PATH used|free SHARE of PLACE, goal active|inactive|fast-share|slowdown|fast-latency|slow-latency|cpu SHARE, goal psi TIME, goal migration BYTES/s, goal user NUMBER',
  meaning: 'the quota is tuned until this is so; of several goals the best satisfied counts',
  examples: ['goal DRAM used 99.7%', 'goal DRAM free 0.5%', 'goal slowdown 5%'],
  repeats: true,
  read(words, draft) {
    const subject = words.word();
    const machineGoal = MACHINE_WORDS.find((word) => word === subject.text);
    if (machineGoal !== undefined) {
      const metric = MACHINE_GOALS[machineGoal];
      addGoal(draft, subject, { metric }, readValue(words, metric));
    } else if (subject.text === 'memcg') {
      const group = words.word();
      const metric = MEMCG_GOALS[words.choice(MEMCG_WORDS, 'goals of a cgroup')];
      const value = readValue(words, metric);
      words.expect('of');
      const place = words.word();
      const path = addGoal(draft, subject, { metric, memcg_path: group.text, target: place.text }, value);
      draft.said(`${path}/memcg_path`, group);
      draft.said(`${path}/target`, place);
    } else {
      const isPlace = NODE_WORDS.some((word) => word === words.peek()?.text);
      if (!isPlace && !PLACE_WORDS.includes(subject.text) && !/^node\d+$/.test(subject.text)) {
        const known = [...MACHINE_WORDS, 'memcg', ...PLACE_WORDS];
        throw new ClauseMistake(
          subject.offset,
          `unexpected "${subject.text}"`,
          suggest(subject.text, known, 'goals'),
        );
      }
      const metric = NODE_GOALS[words.choice(NODE_WORDS, 'goals of a node or tier')];
      addGoal(draft, subject, { metric, target: subject.text }, readValue(words, metric));
    }
  },
};

function readValue(words: Cursor, metric: GoalMetric): Value {
  return METRICS[metric].unit === 'bp' ? words.share() : words.quantity();
}

/** Returns the path of the goal in the long form. */
function addGoal(draft: Draft, subject: Value, goal: Omit<Goal, 'target_value'>, value: Value): string {
  draft.quotas.goals ??= [];
  const index = draft.quotas.goals.push({ ...goal, target_value: value.text }) - 1;
  const path = `quotas/goals/${index}`;
  draft.said(path, subject);
  draft.said(`${path}/target_value`, value);
  return path;
}
