/** What schemes may ask of DAMON before it is looked at which kernel it is: all that any of them can. */
import type { GaugeKind } from '../memory/action.ts';
import type { MemoryNode } from '../memory/tier.ts';
import type { MachineFacts } from '../schemes/resolve.ts';
import { ACTIONS, FILTERS, isPageProperty, wordsOf } from '../schemes/vocabulary.ts';

/** Every kind: goals that are none of DAMON's are refused with a better reason when they are exported. */
const GAUGES: readonly GaugeKind[] = ['pressure', 'lru', 'accesses', 'access_time', 'latency', 'memcg'];

export function damonFacts(nodes: readonly MemoryNode[]): MachineFacts {
  return {
    name: 'DAMON',
    nodes,
    actions: wordsOf(ACTIONS),
    pageProperties: wordsOf(FILTERS).filter(isPageProperty),
    gauges: GAUGES,
  };
}
