/** From a scheme file to the kdamonds of a kernel, for whoever prints or writes them. */
import { damonFacts } from '../kdamonds/facts.ts';
import { type Exported, type ExportOptions, exportSchemes } from '../kdamonds/from-schemes.ts';
import type { MemoryNode } from '../memory/tier.ts';
import { DEFAULT_ATTRS } from '../monitor/monitor.ts';
import { resolveSchemes } from '../schemes/resolve.ts';
import { renderProblem } from '../view/problem.ts';
import { resolveMonitor } from './monitor-settings.ts';
import { readSchemes } from './scheme-input.ts';
import type { Terminal } from './terminal.ts';

/** @throws ThermoErrors with every problem of the file */
export async function readKdamonds(
  path: string,
  nodes: readonly MemoryNode[],
  target: Pick<ExportOptions, 'kernel' | 'pid' | 'nodeRanges' | 'regions'>,
  terminal: Terminal,
): Promise<Exported> {
  const loaded = await readSchemes(path, DEFAULT_ATTRS, terminal);
  const { attrs } = resolveMonitor({ seed: 1 }, loaded.monitor, loaded.monitorAt);
  const nids = nodes.map(({ nid }) => nid);
  return exportSchemes(resolveSchemes(loaded.schemes, damonFacts(nodes)), { ...target, attrs, nids });
}

/**
 * Tells what differs, and whether to go on: not where a scheme has no counterpart, unless it may be left out.
 * @param nothing what does not happen then: "nothing is written: ..."
 */
export function acceptNotes(
  { notes }: Exported,
  isPartial: boolean,
  nothing: string,
  terminal: Terminal,
): boolean {
  for (const { kind, scheme, message, hint, where } of notes) {
    const text = scheme === undefined ? message : `${scheme}: ${message}`;
    terminal.stderr.write(renderProblem({ message: text, where, hint }, kind));
  }
  if (isPartial || !notes.some(({ kind }) => kind === 'refused')) return true;
  terminal.stderr.write(`thermocline: ${nothing}\n  --partial leaves it out\n`);
  return false;
}
