/** Schema of `quotas`: how much a scheme may do, in which order, and what tunes that. Keys are damo's. */
import Type from 'typebox';
import { quantity, wordOf } from '../yaml/quantity.ts';
import { METRICS, TUNERS, wordsOf } from './vocabulary.ts';

const NID = Type.Integer({ minimum: 0, description: 'a NUMA node by its number', examples: [0] });

const GoalSchema = Type.Object(
  {
    metric: wordOf(
      wordsOf(METRICS),
      `what is measured. ${wordsOf(METRICS)
        .map((metric) => `${metric}: ${METRICS[metric].description}`)
        .join('; ')}`,
    ),
    nid: Type.Optional(NID),
    target: Type.Optional(
      Type.String({
        description:
          'the node or tier that a node_ metric is measured of: DRAM, CXL, HBM, PMEM, nodeN, fast or slow',
        examples: ['DRAM', 'node0'],
      }),
    ),
    memcg_path: Type.Optional(
      Type.String({
        description: 'the memory cgroup that a node_memcg_ metric is measured of',
        examples: ['/app'],
      }),
    ),
    target_value: quantity(
      'the value to reach: a share ("99.7 %", or 9970 in 1/10000), a time (some_mem_psi_us), bytes per second ("200M/s") or a number (user_input)',
      ['99.7 %', 9970, '10ms'],
    ),
    current_value: Type.Optional(
      quantity('user_input: its value until the user feeds another; 0 if left out', [0]),
    ),
  },
  { description: 'what the quota is tuned towards', additionalProperties: false },
);

const WeightsSchema = Type.Object(
  {
    sz_permil: Type.Optional(quantity('weight of the size in the priority', [0, '10 %'])),
    nr_accesses_permil: Type.Optional(quantity('weight of the access rate', [1000, '100 %'])),
    age_permil: Type.Optional(quantity('weight of the age', [0, '50 %'])),
  },
  {
    description: 'what makes a region come first when the quota is short; the access rate alone if left out',
    additionalProperties: false,
  },
);

export const QuotasSchema = Type.Object(
  {
    time_ms: Type.Optional(
      quantity('most CPU time spent on acting per window; left out: no limit', ['10ms', 10]),
    ),
    sz_bytes: Type.Optional(quantity('most bytes tried per window; left out: no limit', ['1 GiB', '200M'])),
    reset_interval_ms: Type.Optional(quantity('length of the window; 1 s if left out', ['1s', 1000])),
    top: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'act on at most this many regions per round, those of highest priority',
        examples: [1000],
      }),
    ),
    prioritize: Type.Optional(
      wordOf(
        ['exact', 'damon'],
        "exact (the default): by falling priority; damon: by DAMON's histogram of 100 scores, then by address",
      ),
    ),
    weights: Type.Optional(WeightsSchema),
    fail_charge_num: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'with fail_charge_denom: the share of bytes tried in vain that is charged to the quota',
        examples: [1],
      }),
    ),
    fail_charge_denom: Type.Optional(
      Type.Integer({ minimum: 0, description: '0: charge them in full, the default', examples: [1000] }),
    ),
    goals: Type.Optional(
      Type.Array(GoalSchema, { description: 'what the quota is tuned towards; the best satisfied counts' }),
    ),
    goal_tuner: Type.Optional(
      wordOf(
        wordsOf(TUNERS),
        `how the quota follows its goals. ${wordsOf(TUNERS)
          .map((tuner) => `${tuner}: ${TUNERS[tuner]}`)
          .join('; ')}. Default: settle`,
      ),
    ),
  },
  { description: 'how much the scheme may do, and what comes first', additionalProperties: false },
);
