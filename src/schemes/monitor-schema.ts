/** Schema of the `monitor:` block of a scheme file; keys are damo's where damo has the thing. */
import Type from 'typebox';
import { MONITOR_NAMES, type MonitorName } from '../monitor/create-monitor.ts';
import { quantity } from '../yaml/quantity.ts';

const IntervalsGoalSchema = Type.Object(
  {
    access_bp: Type.Optional(
      quantity('share of the accesses to observe; a bare number counts 1/10000', ['4 %', 400]),
    ),
    aggrs: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'aggregation intervals between two adjustments; 0: never',
        examples: [3],
      }),
    ),
    min_sample_us: Type.Optional(quantity('shortest sampling interval', ['5ms'])),
    max_sample_us: Type.Optional(quantity('longest sampling interval', ['10s'])),
  },
  {
    description: 'tune both intervals; what is left out: 4 %, 3, 5ms, 10s, as DAMON recommends',
    additionalProperties: false,
  },
);

export const MonitorBlockSchema = Type.Object(
  {
    name: Type.Optional(
      Type.Unsafe<MonitorName>({
        type: 'string',
        enum: [...MONITOR_NAMES],
        description: 'how memory is watched; evidence if left out',
      }),
    ),
    intervals: Type.Optional(
      Type.Object(
        {
          sample_us: Type.Optional(quantity('sampling interval', ['5ms'])),
          aggr_us: Type.Optional(quantity('aggregation interval', ['100ms'])),
          intervals_goal: Type.Optional(IntervalsGoalSchema),
        },
        {
          description: 'how often memory is looked at, and how often the regions are updated',
          additionalProperties: false,
        },
      ),
    ),
    nr_regions: Type.Optional(
      Type.Object(
        {
          min: Type.Optional(Type.Integer({ description: 'fewest regions, at least 3', examples: [10] })),
          max: Type.Optional(Type.Integer({ description: 'most regions', examples: [1000] })),
        },
        { description: 'bounds of the number of regions', additionalProperties: false },
      ),
    ),
    min_region_sz: Type.Optional(quantity('smallest region, a power of two', ['4 KiB', '2 MiB'])),
    pull: Type.Optional(quantity('Accessed-bit checks per second, or off', ['15000/s', 'off'])),
    push: Type.Optional(
      quantity('access samples: per second, each N-th access that misses the cache, or off', [
        '5876/s',
        'period=10000',
        'off',
      ]),
    ),
    weights: Type.Optional(
      Type.Object(
        {
          pull: Type.Optional(quantity('weight of pull evidence', [1, '50 %'])),
          push: Type.Optional(quantity('weight of push evidence', [1, 0.5])),
        },
        {
          description: "how much one source's evidence counts beside the other's, 0 to 1; 1 each if left out",
          additionalProperties: false,
        },
      ),
    ),
    overhead: Type.Optional(
      quantity('share of one CPU to which the rates of checks and samples are tuned, or off', ['1 %', 'off']),
    ),
  },
  {
    description:
      'how memory is watched; the command line goes before it. Defaults: 5ms, 100ms, 10..1000 regions, 4 KiB',
    additionalProperties: false,
  },
);
