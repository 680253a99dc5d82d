/** What a task changes of its contestant: monitoring attributes, rates, budget, schemes. Plain data. */
import type { PushSetting } from '../../memory/push-setting.ts';
import type { MonitorAttrs } from '../../monitor/monitor.ts';
import type { OverheadSetting } from '../../schemes/monitor-block.ts';
import type { Contestant } from './contestants.ts';

export interface TaskSettings {
  readonly attrs?: Partial<MonitorAttrs>;
  /** How samples are taken, of those who take them as the machine gives them. */
  readonly push?: PushSetting;
  readonly overhead?: OverheadSetting;
  /** Text of the scheme file that it runs instead of its own or that of the comparison. */
  readonly schemes?: string;
}

/**
 * Rates of checks or samples that are set stay as they are set: the budget that would tune them is off
 * unless it is set as well.
 */
export function applySettings(contestant: Contestant, settings: TaskSettings | undefined): Contestant {
  if (settings === undefined || contestant.kind !== 'monitor') return contestant;
  const { attrs, push, overhead, schemes } = settings;
  const setsRates = attrs?.pullPerS !== undefined || push !== undefined;
  return {
    ...contestant,
    attrs: { ...contestant.attrs, ...attrs },
    overheadShare:
      overhead !== undefined
        ? overhead === 'off'
          ? undefined
          : overhead
        : setsRates
          ? undefined
          : contestant.overheadShare,
    schemes: schemes ?? contestant.schemes,
  };
}
