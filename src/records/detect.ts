/** What a file holds: regions, or accesses; and in which format. */
import { Readable } from 'node:stream';
import { ThermoError } from '../memory/error.ts';
import { TRACE_FORMATS, type TraceFormat } from './access-parser.ts';
import { type ByteInputOptions, explainReadError, openBytes, peek } from './byte-input.ts';
import { perfScript } from './perf-data.ts';
import { isRecordDirectory, tablesOf } from './record-reader.ts';
import { detectRegionFormat, REGION_FORMATS, type RegionFormat } from './region-input.ts';
import { DETECT_BYTES, detectTraceFormat, withoutAddresses } from './trace-formats.ts';

export const INPUT_FORMATS = [...REGION_FORMATS, ...TRACE_FORMATS] as const;

export type InputFormat = (typeof INPUT_FORMATS)[number];

/** What is to be read: a pipe's beginning was taken to see what it is, so it is read as standard input. */
interface Source {
  readonly path: string;
  readonly stdin: Readable;
}

export type Detected =
  | (Source & { readonly kind: 'regions'; readonly format: RegionFormat | undefined })
  | (Source & { readonly kind: 'accesses'; readonly format: TraceFormat | undefined });

/**
 * @throws ThermoError THERMO_FILE_UNREADABLE, THERMO_RECORD_FORMAT
 */
export async function detectInput(options: ByteInputOptions, given?: InputFormat): Promise<Detected> {
  const { path, stdin } = options;
  const known = kindOf(given, { path, stdin });
  if (known !== undefined) return known;
  if (isRecordDirectory(path)) {
    return { kind: tablesOf(path).regions ? 'regions' : 'accesses', format: undefined, path, stdin };
  }
  const input = openBytes(options);
  try {
    const { head, all, close } = await peek(input.stream, DETECT_BYTES);
    const isFile = !Number.isNaN(input.size);
    if (isFile) await close();
    const source = isFile ? { path, stdin } : { path: '-', stdin: Readable.from(all) };
    const region = detectRegionFormat(head);
    if (region === 'perf-data' && !(await holdsDamonEvents(path))) {
      return { kind: 'accesses', format: undefined, ...source };
    }
    if (region !== undefined) return { kind: 'regions', format: region, ...source };
    const trace = detectTraceFormat(head, { includeFetches: false });
    if (trace !== undefined) return { kind: 'accesses', format: trace, ...source };
    if (head.length === 0) throw new ThermoError('THERMO_RECORD_FORMAT', `${input.name} is empty`);
    throw withoutAddresses(head, input.name) ?? unknown(input.name);
  } catch (error) {
    throw explainReadError(error, input.name);
  }
}

function unknown(name: string): ThermoError {
  return new ThermoError('THERMO_RECORD_FORMAT', `${name} is neither a record nor a trace that is known`, {
    hint: `--format of run and compare, --from of convert and report name its format: ${INPUT_FORMATS.join(', ')}`,
  });
}

function kindOf(given: InputFormat | undefined, source: Source): Detected | undefined {
  const region = REGION_FORMATS.find((each) => each === given);
  if (region !== undefined) return { kind: 'regions', format: region, ...source };
  const trace = TRACE_FORMATS.find((each) => each === given);
  return trace === undefined ? undefined : { kind: 'accesses', format: trace, ...source };
}

/** Looks at the first lines of what perf makes of its file. */
async function holdsDamonEvents(path: string): Promise<boolean> {
  for await (const chunk of perfScript(path)) return detectRegionFormat(chunk) === 'damon-trace';
  return false;
}
