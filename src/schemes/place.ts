/** Names of places in a scheme: node kinds, nodes, ends of the speed order. */
import { ThermoError } from '../memory/error.ts';
import { nearestWord } from '../memory/nearest-word.ts';
import { NODE_KINDS } from '../memory/tier.ts';

/** What a place may be called besides `nodeN`. */
export const PLACE_WORDS: readonly string[] = [...NODE_KINDS, 'fast', 'slow'];

/**
 * The name of a place as it is; whether a machine has it is for the machine to say.
 * @throws ThermoError THERMO_SCHEME_UNKNOWN_TIER for what no machine has
 */
export function parsePlace(text: string): string {
  const isKnown =
    /^node\d+$/i.test(text) || PLACE_WORDS.some((word) => word.toLowerCase() === text.toLowerCase());
  if (isKnown) return text;
  const near = nearestWord(text, [...PLACE_WORDS, 'node0', 'node1']);
  throw new ThermoError('THERMO_SCHEME_UNKNOWN_TIER', `no memory is called "${text}"`, {
    hint: `${near === undefined ? '' : `did you mean "${near}"? `}known: ${PLACE_WORDS.join(', ')}, and nodes: node0, node1`,
  });
}
