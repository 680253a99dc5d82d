/** Goals of a quota as the kernel's, or as numbers that the user feeds. */
import type { ResolvedScheme } from '../schemes/resolve.ts';
import type { SchemeGoal } from '../schemes/scheme.ts';
import {
  featureOfMetric,
  formatKernelVersion,
  hasFeature,
  type KernelVersion,
  sinceVersion,
} from './kernel.ts';
import type { DamonGoal, DamonScheme, FedMetric, Kdamond, KernelMetric } from './model.ts';
import type { SchemeNotes } from './notes.ts';

export function exportGoals(
  { scheme, goalNids }: ResolvedScheme,
  kernel: KernelVersion,
  notes: SchemeNotes,
): Pick<DamonScheme['quota'], 'goals' | 'goalTuner'> {
  const { goals, tuner } = scheme.quota;
  const exported = goals.flatMap((goal, i) => exportGoal(goal, goalNids[i], kernel, notes) ?? []);
  if (goals.length === 0) return { goals: [], goalTuner: 'consist' };
  const hasTuners = hasFeature(kernel, 'goal_tuner');
  if (tuner === 'settle') {
    notes.changed(
      'settle, which learns what a byte does to the goal, is replaced by consist, which doubles from 1 byte on',
      hasTuners ? 'tuner temporal runs flat out until the goal is met' : undefined,
    );
  } else if (tuner === 'temporal' && !hasTuners) {
    notes.changed(
      `Linux ${formatKernelVersion(kernel)} has the tuner consist alone (since ${sinceVersion('goal_tuner')} temporal)`,
    );
  }
  return { goals: exported, goalTuner: tuner === 'temporal' && hasTuners ? 'temporal' : 'consist' };
}

function exportGoal(
  goal: SchemeGoal,
  nids: readonly number[] | undefined,
  kernel: KernelVersion,
  notes: SchemeNotes,
): DamonGoal | undefined {
  const { metric, targetValue, currentValue, memcgPath } = goal;
  const feature = featureOfMetric(metric);
  if (feature === undefined) {
    notes.refused(
      `the goal ${metric} is none of DAMON's`,
      'without it the scheme would do more than it should; use a goal of DRAM used or free',
      goal.where,
    );
    return undefined;
  }
  const name = `Linux ${formatKernelVersion(kernel)}`;
  if (!hasFeature(kernel, 'goals')) {
    notes.refused(
      `${name} has no goals (since ${sinceVersion('goals')})`,
      'leave it out, or choose a newer kernel',
      goal.where,
    );
    return undefined;
  }
  const nid = nids?.[0] ?? -1;
  if ((nids?.length ?? 0) > 1)
    notes.changed(`the goal is about node ${nid} alone: DAMON's have one node`, undefined, goal.where);
  const base = { targetValue, currentValue, nid, memcgPath: memcgPath ?? '', feed: undefined };
  if (hasFeature(kernel, feature)) {
    // A metric with a feature is one of the kernel's.
    return { ...base, metric: metric as KernelMetric };
  }
  if (metric !== 'node_mem_used_bp' && metric !== 'node_mem_free_bp') {
    notes.refused(`${name} has no goal ${metric} (since ${sinceVersion(feature)})`, undefined, goal.where);
    return undefined;
  }
  notes.changed(
    `${name} has no goal ${metric} (since ${sinceVersion(feature)}): it becomes user_input`,
    'deploy --tune measures and feeds it; without that the quota grows to its size',
    goal.where,
  );
  return { ...base, metric: 'user_input', nid: -1, feed: { metric, nid } };
}

/** A goal that user space must feed. */
export interface FedGoal {
  /** Of its current_value, below the kdamonds directory. */
  readonly path: string;
  readonly metric: FedMetric;
  readonly nid: number;
  readonly resetIntervalMs: number;
}

export function fedGoals(kdamonds: readonly Kdamond[]): FedGoal[] {
  return kdamonds.flatMap(({ schemes }, k) =>
    schemes.flatMap(({ quota }, s) =>
      quota.goals.flatMap(({ feed }, g) =>
        feed === undefined
          ? []
          : {
              ...feed,
              path: `${k}/contexts/0/schemes/${s}/quotas/goals/${g}/current_value`,
              resetIntervalMs: quota.resetIntervalMs,
            },
      ),
    ),
  );
}
