/** Binds schemes to a machine: tier names to nodes, actions, filters and goals to what the machine can do. */
import type { Action, GaugeKind, PageProperty } from '../memory/action.ts';
import { ThermoError, ThermoErrors } from '../memory/error.ts';
import { type MemoryNode, resolveTier } from '../memory/tier.ts';
import type { Scheme } from './scheme.ts';
import { type GoalMetric, isPageProperty, METRICS, wordsOf } from './vocabulary.ts';

/** What schemes need to know of a machine before they run on it. */
export interface MachineFacts {
  readonly name: string;
  readonly nodes: readonly MemoryNode[];
  readonly actions: readonly Action[];
  readonly pageProperties: readonly PageProperty[];
  readonly gauges: readonly GaugeKind[];
}

/** The place of a migration whose target is the node that accesses the memory. */
export const ACCESSING = 'accessing';

export interface ResolvedDest {
  /** Any of them will do; of {@link ACCESSING} those to take where no sample told the node. */
  readonly nids: readonly number[];
  readonly isAccessing: boolean;
  readonly weight: number;
}

/** A scheme with the nodes that its names of nodes and tiers mean on the machine. */
export interface ResolvedScheme {
  readonly scheme: Scheme;
  readonly dests: readonly ResolvedDest[];
  /** undefined: everywhere. */
  readonly fromNids: readonly number[] | undefined;
  /** By goal; undefined where the metric is not of a node. */
  readonly goalNids: readonly (readonly number[] | undefined)[];
  /** By filter; undefined where the filter is not about a place. */
  readonly filterNids: readonly (readonly number[] | undefined)[];
}

/** @throws ThermoErrors with every scheme that does not fit the machine */
export function resolveSchemes(schemes: readonly Scheme[], machine: MachineFacts): ResolvedScheme[] {
  const resolver = new Resolver(machine);
  const resolved = schemes.map((scheme) => resolver.resolve(scheme));
  if (resolver.problems.length > 0) throw new ThermoErrors(resolver.problems);
  return resolved;
}

class Resolver {
  readonly problems: ThermoError[] = [];
  readonly #machine: MachineFacts;

  constructor(machine: MachineFacts) {
    this.#machine = machine;
  }

  resolve(scheme: Scheme): ResolvedScheme {
    const { where } = scheme;
    const { actions, name } = this.#machine;
    if (!actions.includes(scheme.action)) {
      this.#fail(
        'THERMO_SCHEME_UNSUPPORTED_ACTION',
        `the machine ${name} cannot do "${scheme.action}"`,
        where.action,
        `it can: ${actions.join(', ')}`,
      );
    }
    const dests = scheme.dests.map(({ place, weight }) => {
      const isAccessing = place === ACCESSING;
      return { nids: this.#nidsOf(isAccessing ? 'fast' : place, where.target), isAccessing, weight };
    });
    const fromNids = scheme.from === undefined ? undefined : this.#nidsOf(scheme.from, where.from);
    this.#checkMoves(scheme, dests, fromNids);
    return {
      scheme,
      dests,
      fromNids,
      goalNids: scheme.quota.goals.map((goal) => {
        this.#checkGoal(goal.metric, goal.where);
        return goal.place === undefined ? undefined : this.#nidsOf(goal.place, goal.where);
      }),
      filterNids: scheme.filters.map((filter) => {
        const { pageProperties } = this.#machine;
        if (isPageProperty(filter.type) && !pageProperties.includes(filter.type)) {
          this.#fail(
            'THERMO_SCHEME_UNSUPPORTED_FILTER',
            `the machine ${name} cannot tell whether pages are "${filter.type}"`,
            filter.where,
            `it can tell: ${pageProperties.join(', ') || 'nothing of pages but their node'}`,
          );
        }
        return filter.place === undefined ? undefined : this.#nidsOf(filter.place, filter.where);
      }),
    };
  }

  #checkMoves(scheme: Scheme, dests: readonly ResolvedDest[], fromNids: readonly number[] | undefined): void {
    if (fromNids === undefined || fromNids.length === 0 || dests.length !== 1 || dests[0].isAccessing) return;
    if (!fromNids.every((nid) => dests[0].nids.includes(nid))) return;
    this.#fail(
      'THERMO_SCHEME_BAD_VALUE',
      `memory from ${scheme.from} is at ${scheme.dests[0].place} already: nothing can move`,
      scheme.where.from,
      'name another source or target, or leave "from" out',
    );
  }

  #checkGoal(metric: GoalMetric, where: ThermoError['where']): void {
    const { gauges, name } = this.#machine;
    const isKnown = (each: GoalMetric): boolean => {
      const { needs } = METRICS[each];
      return needs === 'nothing' || gauges.includes(needs);
    };
    if (isKnown(metric)) return;
    this.#fail(
      'THERMO_SCHEME_UNSUPPORTED_METRIC',
      `the machine ${name} cannot measure "${metric}"`,
      where,
      `it can measure: ${wordsOf(METRICS).filter(isKnown).join(', ')}`,
    );
  }

  #nidsOf(name: string, where: ThermoError['where']): readonly number[] {
    try {
      return resolveTier(name, this.#machine.nodes).map((node) => node.nid);
    } catch (error) {
      if (!(error instanceof ThermoError)) throw error;
      this.#fail(error.code, `the machine ${this.#machine.name} has no memory "${name}"`, where, error.hint);
      return [];
    }
  }

  #fail(
    code: ThermoError['code'],
    message: string,
    where: ThermoError['where'],
    hint: string | undefined,
  ): void {
    this.problems.push(new ThermoError(code, message, { where, hint }));
  }
}
