/**
 * What the goals of a quota stand at: DAMOS's metrics (damos_set_quota_goal_current_value, reference
 * section 4.6) and ours, read from the machine's gauges.
 */
import type { NodeGauge, SystemGauge } from '../memory/action.ts';
import type { ResolvedScheme } from './resolve.ts';
import type { SchemeGoal } from './scheme.ts';
import type { GoalReading } from './tuners.ts';
import { METRICS } from './vocabulary.ts';

/** Numbers of the machine, and of the schemes that run on it. */
export interface GaugeSource {
  gauge(nid: number): NodeGauge;
  systemGauge(): SystemGauge;
  memcgBytes(path: string, nid: number): number;
  /** Share of one CPU that monitoring takes at present. */
  monitoringCpuShare(): number;
}

/** What a scheme itself has done since the start, and what it could do now. */
export interface SchemeTotals {
  readonly migratedBytes: number;
  readonly cpuUs: number;
  /** Bytes that match its pattern, in all and on the nodes given. */
  matchedOn(nids: readonly number[]): { readonly all: number; readonly there: number };
}

const BP = 10_000;
const NOTHING_YET = {
  timeUs: Number.NaN,
  someMemPsiUs: 0,
  accesses: 0,
  fastAccesses: 0,
  accessS: 0,
  allFastS: 0,
  migratedBytes: 0,
  cpuUs: 0,
};

/** True if what was learnt of one goal holds for the other, whatever their targets are. */
export function isSameAim(a: SchemeGoal, b: SchemeGoal): boolean {
  return (
    a.metric === b.metric &&
    a.place === b.place &&
    a.memcgPath === b.memcgPath &&
    a.currentValue === b.currentValue
  );
}

/** Reads the goals of one scheme; remembers the counters of the last time, as rates are about a window. */
export class GoalMeter {
  #resolved: ResolvedScheme;
  readonly #userInput: Map<number, number> = new Map();
  #last = NOTHING_YET;

  constructor(resolved: ResolvedScheme) {
    this.#resolved = resolved;
  }

  /** The same goals with other targets: what was fed and counted so far still holds. */
  retarget(resolved: ResolvedScheme): void {
    this.#resolved = resolved;
  }

  /** Feeds a `user_input` goal. */
  setUserInput(goalIndex: number, value: number): void {
    this.#userInput.set(goalIndex, value);
  }

  /** The goals as they stand now; call once per window. */
  read(nowUs: number, gauges: GaugeSource, totals: SchemeTotals): GoalReading[] {
    const system = gauges.systemGauge();
    const now = {
      timeUs: nowUs,
      someMemPsiUs: system.someMemPsiUs,
      accesses: system.accesses,
      fastAccesses: system.fastAccesses,
      accessS: system.accessS,
      allFastS: system.allFastS,
      migratedBytes: totals.migratedBytes,
      cpuUs: totals.cpuUs,
    };
    const last = this.#last;
    this.#last = now;
    const windowS = (now.timeUs - last.timeUs) / 1e6;
    return this.#resolved.scheme.quota.goals.map((goal, i) => {
      const { sign, kind } = METRICS[goal.metric];
      const nids = this.#resolved.goalNids[i] ?? [];
      const { current, perByte } = this.#measure(goal, i, nids, {
        gauges,
        system,
        totals,
        now,
        last,
        windowS,
      });
      return { target: goal.targetValue, current, sign, kind, perByte };
    });
  }

  #measure(
    goal: SchemeGoal,
    index: number,
    nids: readonly number[],
    facts: {
      readonly gauges: GaugeSource;
      readonly system: SystemGauge;
      readonly totals: SchemeTotals;
      readonly now: typeof NOTHING_YET;
      readonly last: typeof NOTHING_YET;
      readonly windowS: number;
    },
  ): { current: number; perByte: number } {
    const { gauges, system, totals, now, last, windowS } = facts;
    const learnt = (current: number) => ({ current, perByte: Number.NaN });
    const sum = (of: (nid: number) => number): number => nids.reduce((all, nid) => all + of(nid), 0);
    switch (goal.metric) {
      case 'user_input':
        return learnt(this.#userInput.get(index) ?? goal.currentValue);
      case 'some_mem_psi_us':
        // The first reading has no past: the kernel takes it since boot, which says nothing.
        return learnt(Number.isNaN(windowS) ? Number.NaN : now.someMemPsiUs - last.someMemPsiUs);
      case 'node_mem_used_bp':
      case 'node_mem_free_bp': {
        const total = sum((nid) => gauges.gauge(nid).totalBytes);
        const free = sum((nid) => gauges.gauge(nid).freeBytes);
        const part = goal.metric === 'node_mem_free_bp' ? free : total - free;
        return { current: (part * BP) / total, perByte: BP / total };
      }
      case 'node_memcg_used_bp':
      case 'node_memcg_free_bp': {
        const total = sum((nid) => gauges.gauge(nid).totalBytes);
        const used = sum((nid) => gauges.memcgBytes(goal.memcgPath ?? '', nid));
        const part = goal.metric === 'node_memcg_used_bp' ? used : total - used;
        return learnt((part * BP) / total);
      }
      case 'active_mem_bp':
      case 'inactive_mem_bp': {
        const { activeBytes, inactiveBytes } = system;
        const part = goal.metric === 'active_mem_bp' ? activeBytes : inactiveBytes;
        return learnt((part * BP) / (activeBytes + inactiveBytes));
      }
      case 'node_eligible_mem_bp': {
        const { all, there } = totals.matchedOn(nids);
        return {
          current: all > 0 ? (there * BP) / all : Number.NaN,
          perByte: all > 0 ? BP / all : Number.NaN,
        };
      }
      case 'fast_access_bp':
        return learnt(((now.fastAccesses - last.fastAccesses) * BP) / (now.accesses - last.accesses));
      case 'slowdown_bp': {
        const fastS = now.allFastS - last.allFastS;
        return learnt(((now.accessS - last.accessS - fastS) * BP) / fastS);
      }
      case 'fast_latency_bp':
        return learnt((system.fastNs * BP) / system.slowNs);
      case 'slow_latency_bp':
        return learnt((system.slowNs * BP) / system.fastNs);
      case 'migration_bytes_per_s':
        return {
          current: (now.migratedBytes - last.migratedBytes) / windowS,
          perByte: 1e6 / this.#resolved.scheme.quota.resetIntervalUs,
        };
      case 'cpu_bp':
        return learnt((gauges.monitoringCpuShare() + (now.cpuUs - last.cpuUs) / 1e6 / windowS) * BP);
    }
  }
}
