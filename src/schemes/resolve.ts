/** Binds schemes to a machine: tier names to nodes, actions to what the machine can do. */
import { ThermoError, ThermoErrors } from '../memory/error.ts';
import { type MemoryNode, resolveTier } from '../memory/tier.ts';
import type { ResolvedScheme } from './executor.ts';
import type { Scheme } from './scheme.ts';

/** @throws ThermoErrors with every scheme that does not fit the machine */
export function resolveSchemes(
  schemes: readonly Scheme[],
  machine: {
    readonly name: string;
    readonly nodes: readonly MemoryNode[];
    readonly actions: readonly string[];
  },
): ResolvedScheme[] {
  const problems: ThermoError[] = [];
  const nidsOf = (name: string | undefined, where: ThermoError['where']): number[] | undefined => {
    if (name === undefined) return undefined;
    try {
      return resolveTier(name, machine.nodes).map((node) => node.nid);
    } catch (error) {
      if (!(error instanceof ThermoError)) throw error;
      problems.push(
        new ThermoError(error.code, `the machine ${machine.name} has no memory "${name}"`, {
          where,
          hint: error.hint,
        }),
      );
      return [];
    }
  };
  const resolved = schemes.map((scheme) => {
    if (!machine.actions.includes(scheme.action)) {
      problems.push(
        new ThermoError(
          'THERMO_SCHEME_UNSUPPORTED_ACTION',
          `the machine ${machine.name} cannot do "${scheme.action}"`,
          {
            where: scheme.where.action,
            hint: `it can: ${machine.actions.join(', ')}`,
          },
        ),
      );
    }
    const targetNids = nidsOf(scheme.target, scheme.where.target) ?? [];
    const fromNids = nidsOf(scheme.from, scheme.where.from);
    if (fromNids !== undefined && fromNids.length > 0 && fromNids.every((nid) => targetNids.includes(nid))) {
      problems.push(
        new ThermoError(
          'THERMO_SCHEME_BAD_VALUE',
          `memory from ${scheme.from} is at ${scheme.target} already: nothing can move`,
          {
            where: scheme.where.from,
            hint: 'name another source or target, or leave "from" out',
          },
        ),
      );
    }
    return { scheme, targetNids, fromNids };
  });
  if (problems.length > 0) throw new ThermoErrors(problems);
  return resolved;
}
