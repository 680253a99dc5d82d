/** Keys of a machine file that set a named workload, each with its reader and limits. */
import { ThermoError } from '../../../memory/error.ts';
import { formatBytes, parseByteRate, parseBytes, parseShare, parseTimeUs } from '../../../memory/units.ts';
import { DISTRIBUTIONS, LEAST_BYTES, type ParameterName, type Parameters } from '../workloads/parameters.ts';

interface ParameterKey<N extends ParameterName = ParameterName> {
  readonly name: N;
  readonly description: string;
  readonly examples: readonly (string | number)[];
  readonly parse: (text: string) => Parameters[N];
}

const keyOf = <N extends ParameterName>(key: ParameterKey<N>): ParameterKey<N> => key;

const number = (least: number, most: number, isWhole: boolean) => (text: string) => {
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most && (!isWhole || Number.isInteger(value))) {
    return value;
  }
  throw new ThermoError('THERMO_UNITS_BAD_VALUE', `${text} is not possible`, {
    hint: `expected ${isWhole ? 'a whole number' : 'a number'} from ${least} to ${most}`,
  });
};

const shareBetween = (least: number, most: number) => (text: string) => {
  const share = parseShare(text);
  if (share >= least && share <= most) return share;
  throw new ThermoError('THERMO_UNITS_BAD_VALUE', `${text} is not possible`, {
    hint: `expected ${least * 100}% to ${most * 100}%`,
  });
};

function atLeast(least: number): (text: string) => number {
  return (text) => {
    const bytes = parseBytes(text);
    if (bytes >= least && Number.isFinite(bytes) && bytes % 4096 === 0) return bytes;
    throw new ThermoError('THERMO_UNITS_BAD_VALUE', `${text} is not possible`, {
      hint: `expected whole pages of 4 KiB, from ${formatBytes(least)} on`,
    });
  };
}

export const PARAMETER_KEYS = {
  size: keyOf({
    name: 'sizeBytes',
    description: 'memory of the workload; all fast memory and 40 % of the slow if left out',
    examples: ['100 GiB'],
    parse: atLeast(LEAST_BYTES),
  }),
  lasts: keyOf({
    name: 'lastsS',
    description: 'time that it takes if all memory is fast; 5m if left out',
    examples: ['5m'],
    parse: (text) => number(0.001, 1e6, false)(String(parseTimeUs(text) / 1e6)),
  }),
  workers: keyOf({
    name: 'threads',
    description: 'threads, which go in step',
    examples: [16],
    parse: number(1, 4096, true),
  }),
  loads: keyOf({
    name: 'loadShare',
    description: 'share of loads among its accesses',
    examples: ['70%'],
    parse: shareBetween(0, 1),
  }),
  hot: keyOf({
    name: 'hotShare',
    description: 'share of the memory that is hot: hot set, index, vertices',
    examples: ['12.5%'],
    parse: shareBetween(0.001, 0.8),
  }),
  hot_accesses: keyOf({
    name: 'hotAccesses',
    description: 'share of the accesses that go to the hot memory',
    examples: ['90%'],
    parse: shareBetween(0, 1),
  }),
  exponent: keyOf({
    name: 'exponent',
    description: 'popularity 1/rank^exponent',
    examples: [0.99],
    parse: number(0, 5, false),
  }),
  object: keyOf({
    name: 'objectBytes',
    description: 'size of a record',
    examples: ['1 KiB'],
    parse: (text) => number(1, 2 ** 20, true)(String(parseBytes(text))),
  }),
  distribution: keyOf({
    name: 'distribution',
    description: 'hashed: popular records are anywhere; latest: they are those inserted last',
    examples: ['latest'],
    parse: (text) => DISTRIBUTIONS.find((each) => each === text) ?? 'hashed',
  }),
  inserts: keyOf({
    name: 'insertBytesPerS',
    description: 'bytes inserted per second, for the distribution latest',
    examples: ['64 MiB/s'],
    parse: (text) => number(0, 2 ** 50, false)(String(parseByteRate(text))),
  }),
  fanout: keyOf({
    name: 'fanout',
    description: 'how much larger a level of a tree is than the one above',
    examples: [16],
    parse: number(2, 1024, true),
  }),
  churn: keyOf({
    name: 'churnShare',
    description: 'share of the memory that is exchanged between hot and cold each minute',
    examples: ['4%'],
    parse: shareBetween(0, 0.5),
  }),
  intensity: keyOf({
    name: 'intensity',
    description: "share of the fast node's bandwidth that others take",
    examples: ['90%'],
    parse: shareBetween(0, 1),
  }),
  iterations: keyOf({
    name: 'iterations',
    description: 'how often the edges are streamed through',
    examples: [10],
    parse: number(1, 1000, true),
  }),
} as const;

export type ParameterKeyName = keyof typeof PARAMETER_KEYS;
// Object.keys loses what the type knows.
export const PARAMETER_KEY_NAMES = Object.keys(PARAMETER_KEYS) as readonly ParameterKeyName[];
