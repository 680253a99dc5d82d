/**
 * The gate before a promotion to one node, as NUMA balancing mode 2 has it and pghot took it over
 * (kernel/sched/fair.c: should_numa_migrate_memory, numa_promotion_adjust_threshold,
 * numa_promotion_rate_limit; reference tiering-systems section 3.3): free memory, a threshold on the
 * age of the access that moves by itself, a limit of the rate.
 */
import type { NodeGauge } from '../memory/action.ts';
import { PAGE_SIZE } from '../memory/range.ts';

const GIB = 2 ** 30;
/** Of the threshold: 1/16 of twice the reference. */
const STEPS = 16;

export interface GateOptions {
  /** Threshold to start from, ms. */
  readonly referenceMs: number;
  /** 60 s: scan_period_max. */
  readonly adjustMs?: number;
  readonly rateLimitMBps?: number;
}

export class PromotionGate {
  readonly #referenceMs: number;
  readonly #adjustMs: number;
  /** Pages per second. */
  readonly #rateLimit: number;
  #thresholdMs: number;
  #adjustedAtMs = 0;
  #adjustedAtCandidates = 0;
  #intervalAtMs = 0;
  #intervalAtCandidates = 0;
  /** pgpromote_candidate: pages that passed the threshold; counted before the rate limit refuses. */
  candidates = 0;
  /** pgpromote_candidate_nrl: pages let through without limits, as memory was free. */
  candidatesNrl = 0;

  constructor(options: GateOptions) {
    this.#referenceMs = options.referenceMs;
    this.#thresholdMs = options.referenceMs;
    this.#adjustMs = options.adjustMs ?? 60_000;
    this.#rateLimit = ((options.rateLimitMBps ?? 65_536) * 2 ** 20) / PAGE_SIZE;
  }

  get thresholdMs(): number {
    return this.#thresholdMs;
  }

  /** Whether one page whose last access is `ageMs` old may be promoted now. */
  admits(
    ageMs: number,
    nowMs: number,
    target: Pick<NodeGauge, 'totalBytes' | 'freeBytes'>,
    promoBytes: number,
  ): boolean {
    if (target.freeBytes > promoBytes + Math.max(GIB, target.totalBytes / 16)) {
      this.#thresholdMs = this.#referenceMs;
      this.candidatesNrl++;
      return true;
    }
    this.#adjust(nowMs);
    if (ageMs >= this.#thresholdMs) return false;
    this.candidates++;
    if (nowMs - this.#intervalAtMs > 1_000) {
      this.#intervalAtMs = nowMs;
      this.#intervalAtCandidates = this.candidates;
    }
    return this.candidates - this.#intervalAtCandidates < this.#rateLimit;
  }

  #adjust(nowMs: number): void {
    if (nowMs - this.#adjustedAtMs <= this.#adjustMs) return;
    this.#adjustedAtMs = nowMs;
    const reference = (this.#rateLimit * this.#adjustMs) / 1_000;
    const found = this.candidates - this.#adjustedAtCandidates;
    const unit = (2 * this.#referenceMs) / STEPS;
    if (found > reference * 1.1) this.#thresholdMs = Math.max(this.#thresholdMs - unit, unit);
    else if (found < reference * 0.9) {
      this.#thresholdMs = Math.min(this.#thresholdMs + unit, 2 * this.#referenceMs);
    }
    this.#adjustedAtCandidates = this.candidates;
  }
}
