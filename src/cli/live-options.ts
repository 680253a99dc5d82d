/** Options of a run on the machine that the program stands on. */
import { Option } from 'commander';
import { ALLOWANCES, parseAllowances, parseSources, SOURCE_NAMES } from '../sources/source-names.ts';
import { argument } from './option-value.ts';

export function liveOptions(): Option[] {
  return [
    new Option(
      '--source <names>',
      `with --machine linux: where accesses are seen, several with commas: ${SOURCE_NAMES.join(', ')} (default: damon)`,
    ).argParser(argument(parseSources)),
    new Option(
      '--allow <settings>',
      `with --machine linux: what may be changed for the time of the run: ${ALLOWANCES.join(', ')}`,
    ).argParser(argument(parseAllowances)),
    new Option('--apply', 'with --machine linux: move memory; without it the run tells what it would do'),
  ];
}
