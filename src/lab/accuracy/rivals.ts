/** The monitors that the accuracy lab compares, each at its best setting. */
import type { AccessField } from '../../machines/field/access-field.ts';
import type { RandomStream } from '../../memory/random.ts';
import { createMonitor, type MonitorName } from '../../monitor/create-monitor.ts';
import { GridMonitor } from '../../monitor/grid-monitor.ts';
import type { Monitor, MonitorAttrs } from '../../monitor/monitor.ts';

/**
 * Half-life of the grid's counts on fields that change. Those of the built-in fields gave the highest
 * mean F1 over 60 s of those tried (seed 1, 15000/s pull, 5876/s push; moving: 0.125 s 0.951, 0.2 s
 * 0.945, 0.5 s 0.872; phases: 0.5 s 0.936, 0.7 s 0.938, 1 s 0.920); the other is the reference grid's.
 * On fields that stand still the grid does best if it never forgets.
 */
const GRID_HALF_LIFE_S: ReadonlyMap<string, number> = new Map([
  ['moving', 0.125],
  ['phases', 0.7],
]);
const DEFAULT_GRID_HALF_LIFE_S = 0.5;

export function createRival(
  name: MonitorName,
  field: AccessField,
  attrs: MonitorAttrs,
  random: RandomStream,
): Monitor {
  if (name === 'grid' && field.nextChangeUs(0) < Number.POSITIVE_INFINITY) {
    return new GridMonitor(attrs, random, {
      halfLifeS: GRID_HALF_LIFE_S.get(field.name) ?? DEFAULT_GRID_HALF_LIFE_S,
    });
  }
  return createMonitor(name, attrs, random);
}
