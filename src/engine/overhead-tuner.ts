/**
 * Keeps what monitoring costs near a CPU budget, by the rates of pull checks and push samples.
 *
 * The rule is MEMTIS's (SOSP'23, mm/htmm_sampler.c; reference tiering-systems section 7.1): smooth the
 * measured share of one CPU as 0.8 new + 0.2 old, and act only when it is off the target by more than 5
 * of 30 per mill. Differences: MEMTIS measures its sampler thread every 15 s and moves one step along a
 * list of periods 17 % apart; here time is known per event, a window is a second, a step goes to the
 * target (upwards by a factor of 2 at most, as a load that pauses looks cheap), smoothing starts anew
 * after a step, and pull checks share the budget.
 */
import type { EvidenceCosts } from '../machines/machine.ts';
import type { PushSetting } from '../memory/push-setting.ts';

/** Share of one CPU, by source. */
export interface CpuShares {
  readonly pull: number;
  readonly push: number;
}

export interface EvidenceRates {
  /** 0: no pull checks. */
  readonly pullPerS: number;
  readonly push: PushSetting;
}

/** Events since the start; lost push samples have cost time too. */
export interface EvidenceCounts {
  readonly pullChecks: number;
  readonly pushSamples: number;
}

/** Half the width of the band around the budget in which nothing is done, as a share of the budget. */
export const HYSTERESIS = 5 / 30;
const NEW_WEIGHT = 0.8;
const WINDOW_US = 1e6;
const LARGEST_RISE = 2;
const LARGEST_FALL = 100;
/** Where both sources run, each gets half. */
const PUSH_PART = 0.5;
/** MEMTIS's shortest period, and the longest of AMD IBS (2^27 - 1 ops). */
const MIN_PERIOD = 199;
const MAX_PERIOD = 2 ** 27 - 1;
/** The most that monitoring attributes allow. */
const MAX_PULL_PER_S = 1e8;

/**
 * The rates for the next window, or `rates` itself while the cost is near enough to the budget. What one
 * source leaves unused the other may have; a source that cost nothing cannot be judged and is left alone.
 * @param spent smoothed shares of one CPU at these rates
 * @param budget share of one CPU for both
 */
export function tuneRates(rates: EvidenceRates, spent: CpuShares, budget: number): EvidenceRates {
  if (Math.abs(spent.pull + spent.push - budget) <= HYSTERESIS * budget) return rates;
  const pushTarget = spent.pull > 0 ? PUSH_PART * budget : budget;
  const pushStep = spent.push > 0 ? stepTo(pushTarget, spent.push) : 1;
  const push = scalePush(rates.push, pushStep);
  // A period at its limit does not take the whole step.
  const pushExpected = push === rates.push ? spent.push : spent.push * pushStep;
  const pullStep = spent.pull > 0 ? stepTo(budget - pushExpected, spent.pull) : 1;
  return { pullPerS: Math.min(MAX_PULL_PER_S, rates.pullPerS * pullStep), push };
}

/**
 * The rates to start with: those given, cut to the budget where their cost is known beforehand. That of a
 * period depends on the load and shows after the first window.
 */
export function limitRates(rates: EvidenceRates, costs: EvidenceCosts, budget: number): EvidenceRates {
  const { pullPerS, push } = rates;
  const pushPart = push.kind === 'off' ? 0 : pullPerS === 0 ? 1 : PUSH_PART;
  const affordable = (part: number, ns: number): number => (budget * part * 1e9) / ns;
  const mostPush = affordable(pushPart, costs.pushSampleNs);
  return {
    pullPerS: Math.min(pullPerS, affordable(1 - pushPart, costs.pullCheckNs)),
    push: push.kind === 'rate' && push.perS > mostPush ? { kind: 'rate', perS: mostPush } : push,
  };
}

function stepTo(target: number, spent: number): number {
  return Math.min(LARGEST_RISE, Math.max(1 / LARGEST_FALL, target / spent));
}

function scalePush(push: PushSetting, step: number): PushSetting {
  if (push.kind === 'off' || step === 1) return push;
  if (push.kind === 'rate') return { kind: 'rate', perS: push.perS * step };
  const accesses = Math.min(MAX_PERIOD, Math.max(MIN_PERIOD, Math.round(push.accesses / step)));
  return accesses === push.accesses ? push : { kind: 'period', accesses };
}

/** Turns counts of events into shares of one CPU, window after window. */
export class OverheadMeter {
  readonly #costs: EvidenceCosts;
  #startUs: number;
  #counts: EvidenceCounts = { pullChecks: 0, pushSamples: 0 };
  /** Of the last window; 0 before the first has ended. */
  now: CpuShares = { pull: 0, push: 0 };
  /** Smoothed over the windows since the rates changed. */
  smoothed: CpuShares | undefined;

  constructor(costs: EvidenceCosts, startUs: number) {
    this.#costs = costs;
    this.#startUs = startUs;
  }

  /** Ends the window if a second or more has passed; true if it did. */
  measure(nowUs: number, counts: EvidenceCounts): boolean {
    const us = nowUs - this.#startUs;
    if (us < WINDOW_US) return false;
    const last = this.smoothed;
    const share = (events: number, ns: number): number => (events * ns) / (us * 1e3);
    this.now = {
      pull: share(counts.pullChecks - this.#counts.pullChecks, this.#costs.pullCheckNs),
      push: share(counts.pushSamples - this.#counts.pushSamples, this.#costs.pushSampleNs),
    };
    this.smoothed = {
      pull: smooth(this.now.pull, last?.pull),
      push: smooth(this.now.push, last?.push),
    };
    this.#startUs = nowUs;
    this.#counts = counts;
    return true;
  }

  /** After a change of the rates: what was measured says nothing about the next window. */
  forget(): void {
    this.smoothed = undefined;
  }
}

function smooth(now: number, last: number | undefined): number {
  return last === undefined ? now : NEW_WEIGHT * now + (1 - NEW_WEIGHT) * last;
}
