/** One line of the doctor's report. */

/** `missing` is what cannot be had as things are; `limited` works, with what `reason` says. */
export type FindingState = 'ok' | 'limited' | 'missing';

export interface Finding {
  readonly area: 'machine' | 'source' | 'action' | 'permission';
  readonly name: string;
  readonly state: FindingState;
  /** What was found, in few words. */
  readonly found: string;
  /** Why it is limited or missing. */
  readonly reason?: string;
  /** What can be done about it. */
  readonly remedy?: string;
}

export const ok = (area: Finding['area'], name: string, found: string): Finding => ({
  area,
  name,
  state: 'ok',
  found,
});

export const limited = (
  area: Finding['area'],
  name: string,
  found: string,
  reason: string,
  remedy: string,
): Finding => ({ area, name, state: 'limited', found, reason, remedy });

export const missing = (area: Finding['area'], name: string, reason: string, remedy: string): Finding => ({
  area,
  name,
  state: 'missing',
  found: 'not available',
  reason,
  remedy,
});
