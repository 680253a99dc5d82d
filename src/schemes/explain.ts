/** Prints a scheme file in the long form, as YAML that can be run, with what it means in comments. */
import { stringify } from 'yaml';
import { describeInLines } from './describe.ts';
import type { LoadedSchemes } from './load.ts';
import { formatMonitorBlock } from './monitor-block.ts';

const COMMENT_WIDTH = 92;

/** The whole file in the long form; reading it back gives the same schemes. */
export function explainSchemes(loaded: LoadedSchemes): string {
  const monitor = formatMonitorBlock(loaded.monitor);
  const head = stringify({ version: 1, ...(monitor === undefined ? {} : { monitor }) });
  const parts = loaded.schemes.map((scheme) => {
    const comment = describeInLines(scheme, COMMENT_WIDTH).map((line) => `  # ${line}\n`);
    const body = stringify([{ name: scheme.name, ...scheme.longForm }], {
      lineWidth: 0,
      aliasDuplicateObjects: false,
    });
    return comment.join('') + body.replace(/^/gm, '  ').replace(/ +$/, '');
  });
  return `${head}schemes:\n${parts.join('\n')}`;
}
