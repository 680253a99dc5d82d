/** `thermocline convert IN OUT`: a record or a trace in another format. */
import { describeCounts } from '../../machines/replayed/open-replay.ts';
import { ThermoError } from '../../memory/error.ts';
import { formatCount } from '../../memory/units.ts';
import type { AddressKind, ParserOptions } from '../../records/access-parser.ts';
import { detectInput, type InputFormat } from '../../records/detect.ts';
import { describeRegionCounts } from '../../records/load-record.ts';
import { isRecordDirectory, tablesOf } from '../../records/record-reader.ts';
import { readRegions } from '../../records/region-input.ts';
import { readTrace } from '../../records/trace-input.ts';
import { OUTPUT_FORMATS, type OutputFormat, openOutput } from '../convert-output.ts';
import { Progress } from '../progress.ts';
import type { Terminal } from '../terminal.ts';
import { VERSION } from '../version.ts';

export interface ConvertCommandOptions {
  readonly from?: InputFormat;
  readonly to?: OutputFormat;
  readonly address?: AddressKind;
  readonly pid?: number;
  readonly fields?: readonly string[];
  readonly fetches?: boolean;
  readonly quiet?: boolean;
}

/** @returns the exit status */
export async function convertCommand(
  from: string,
  to: string,
  options: ConvertCommandOptions,
  terminal: Terminal,
): Promise<number> {
  const format = options.to ?? formatOfName(to);
  const progress = new Progress(terminal, options.quiet === true);
  const detected = await detectInput({ path: from, stdin: terminal.stdin }, options.from);
  const onProgress = (share: number): void => progress.update('converting', share, from);
  const facts = {
    'thermocline.version': VERSION,
    'thermocline.command': terminal.commandLine,
    'thermocline.source': from,
  };
  const control = {
    path: detected.path,
    stdin: detected.stdin,
    onProgress,
    shouldStop: terminal.isInterrupted,
  };
  const out = openOutput(format, to, facts, terminal);
  try {
    const warnings: string[] = [];
    let summary: string;
    if (detected.kind === 'regions') {
      const { counts, format: read } = await readRegions(
        { ...control, format: detected.format },
        out.onSnapshot,
      );
      warnings.push(...describeRegionCounts(counts));
      summary = `${read}: ${formatCount(counts.snapshots)} snapshots, ${formatCount(counts.regions)} regions`;
    } else summary = '';
    // Our own record may have both.
    const isBoth = detected.kind === 'regions' && format === 'record' && isRecordDirectory(from);
    if (detected.kind === 'accesses' || (isBoth && tablesOf(from).samples)) {
      const parsing: ParserOptions = {
        includeFetches: options.fetches === true,
        address: options.address,
        pid: options.pid,
        fields: options.fields,
      };
      const trace = detected.kind === 'accesses' ? detected.format : undefined;
      const parser = await readTrace({ ...control, ...parsing, format: trace }, out.onAccesses);
      warnings.push(...describeCounts(parser));
      summary += `${summary === '' ? '' : ', '}${parser.format}: ${formatCount(parser.counts.accesses)} accesses`;
    }
    progress.end();
    if (terminal.isInterrupted()) {
      out.discard();
      return 130;
    }
    warnings.push(...out.finish());
    for (const warning of warnings) terminal.stderr.write(`warning: ${warning}\n`);
    terminal.stderr.write(`${summary} -> ${format} ${to}\n`);
    return 0;
  } catch (error) {
    progress.end();
    out.discard();
    throw error;
  }
}

/** `.json`: damo's, `.data` and `.zlib`: damo's default, `.txt`: text, a name without any: a record. */
function formatOfName(name: string): OutputFormat {
  if (name === '-' || /\.(txt|tsv)$/i.test(name)) return 'text';
  if (/\.json$/i.test(name)) return 'damo-json';
  if (/\.(data|zlib|zz)$/i.test(name)) return 'damo-zlib';
  if (/^[^.]*$|\/$/.test(name.slice(name.lastIndexOf('/', name.length - 2) + 1))) return 'record';
  throw new ThermoError('THERMO_USAGE', `the name ${name} does not tell its format`, {
    hint: `expected --to ${OUTPUT_FORMATS.join('|')}, or a name that ends in .json, .data or .txt, or a directory`,
  });
}
