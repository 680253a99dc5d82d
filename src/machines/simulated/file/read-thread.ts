/** Reads the threads of a workload that is written out in a machine file. */
import { ThermoError } from '../../../memory/error.ts';
import type { MemoryNode } from '../../../memory/tier.ts';
import {
  formatBytes,
  formatPercent,
  parseByteRate,
  parseCount,
  parseEventRate,
  parseShare,
  parseTimeUs,
} from '../../../memory/units.ts';
import type { YamlPath } from '../../../yaml/source-document.ts';
import type { ValueReader } from '../../../yaml/value-reader.ts';
import type { Area, Pace, Phase, WorkThread } from '../workload.ts';
import type { AreaEntry, PhaseEntry, ThreadEntry } from './machine-schema.ts';
import { type NamedRanges, readPages } from './named-ranges.ts';

const DEFAULT_LOADS = 0.7;
const DEFAULT_ALLOCATION_BYTES_PER_S = 4 * 2 ** 30;
/** Shares in percent are rounded by people. */
const SHARE_TOLERANCE = 0.001;

export class ThreadReader {
  readonly #reader: ValueReader;
  readonly #nodes: readonly MemoryNode[];
  readonly #ranges: NamedRanges;
  /** Late ranges that a thread allocates. */
  readonly allocated = new Set<string>();
  /** True once a thread was read whose phases all end. */
  hasEnd = false;

  constructor(reader: ValueReader, nodes: readonly MemoryNode[], ranges: NamedRanges) {
    this.#reader = reader;
    this.#nodes = nodes;
    this.#ranges = ranges;
  }

  read(entry: ThreadEntry, path: YamlPath): WorkThread {
    const reader = this.#reader;
    const nid = entry.node ?? this.#nodes.find(({ hasCpus }) => hasCpus)?.nid ?? 0;
    if (entry.node !== undefined && this.#nodes[nid]?.hasCpus !== true) {
      const withCpus = this.#nodes.filter(({ hasCpus }) => hasCpus).map((node) => node.nid);
      reader.fail([...path, 'node'], `node ${nid} has no CPUs`, `nodes with CPUs: ${withCpus.join(', ')}`);
    }
    const repeat = entry.repeat ?? 1;
    const phases = entry.phases.map((phase, i) => this.#phase(phase, [...path, 'phases', i], repeat));
    this.#checkEnds(phases, path, repeat);
    const computeUs = reader.read([...path, 'compute'], entry.compute, parseTimeUs);
    return {
      name: entry.name,
      nid,
      loadShare: reader.read([...path, 'loads'], entry.loads, parseShare) ?? DEFAULT_LOADS,
      pace: reader.read([...path, 'pace'], entry.pace, parsePace) ?? { kind: 'closed' },
      ...(entry.count === undefined ? {} : { count: entry.count }),
      ...(entry.in_flight === undefined ? {} : { inFlight: entry.in_flight }),
      ...(computeUs === undefined ? {} : { computeNs: computeUs * 1000 }),
      phaseCount: phases.length * repeat,
      phase: (index) => phases[index % phases.length],
    };
  }

  #checkEnds(phases: readonly Phase[], path: YamlPath, repeat: number): void {
    const endless = phases.findIndex(
      ({ accesses, forUs, allocates }) =>
        accesses === Number.POSITIVE_INFINITY && forUs === undefined && allocates === undefined,
    );
    const isCutOff = endless >= 0 && (endless < phases.length - 1 || repeat > 1);
    // One that was meant to end is not told twice.
    if (endless < 0 || isCutOff) this.hasEnd = true;
    if (isCutOff) {
      this.#reader.fail(
        [...path, 'phases', endless],
        'this phase has no end, and others follow it',
        'expected accesses or for',
      );
    }
  }

  #phase(entry: PhaseEntry, path: YamlPath, repeat: number): Phase {
    const reader = this.#reader;
    if (entry.allocate !== undefined) return this.#allocation(entry, entry.allocate, path, repeat);
    for (const key of ['rate', 'bound'] as const) {
      if (entry[key] === undefined) continue;
      reader.fail([...path, key], `${key}: has a meaning only beside allocate`, 'remove it');
    }
    const accesses = reader.read([...path, 'accesses'], entry.accesses, parseCount);
    const forUs = reader.read([...path, 'for'], entry.for, parseTimeUs);
    if (accesses === 0 || forUs === 0) {
      reader.fail(path, 'this phase takes no time', 'expected more than 0');
    }
    const areas = (entry.areas ?? []).map((area, i) => this.#area(area, [...path, 'areas', i]));
    const sum = areas.reduce((total, { share }) => total + share, 0);
    if (areas.length > 0 && Math.abs(sum - 1) > SHARE_TOLERANCE) {
      reader.fail(
        [...path, 'areas'],
        `the shares of this phase sum to ${formatPercent(sum)}`,
        'expected 100%',
      );
    }
    if (areas.length === 0 && entry.accesses !== undefined) {
      reader.fail([...path, 'accesses'], 'accesses: there is no area to access', 'expected areas');
    }
    return {
      areas: areas.map((area) => ({ ...area, share: area.share / sum })),
      accesses: accesses ?? Number.POSITIVE_INFINITY,
      ...(forUs === undefined || forUs === Number.POSITIVE_INFINITY ? {} : { forUs }),
    };
  }

  #allocation({ rate, bound, ...entry }: PhaseEntry, name: string, path: YamlPath, repeat: number): Phase {
    const reader = this.#reader;
    for (const key of ['areas', 'accesses', 'for'] as const) {
      if (entry[key] === undefined) continue;
      reader.fail([...path, key], `${key}: has no meaning beside allocate`, 'make it a phase of its own');
    }
    const range = this.#ranges.get(name);
    if (range === undefined) this.#unknownRange(name, [...path, 'allocate']);
    else if (!range.isLate) {
      reader.fail([...path, 'allocate'], `the range "${name}" is there from the start`, 'give it late: true');
    } else if (this.allocated.has(name) || repeat > 1) {
      reader.fail([...path, 'allocate'], `the range "${name}" is allocated twice`, 'expected once');
    }
    this.allocated.add(name);
    if (bound !== undefined && bound >= this.#nodes.length) {
      reader.fail([...path, 'bound'], `there is no node ${bound}`, `nodes: 0 to ${this.#nodes.length - 1}`);
    }
    const bytesPerS = reader.read([...path, 'rate'], rate, parseByteRate) ?? DEFAULT_ALLOCATION_BYTES_PER_S;
    if (!(bytesPerS > 0 && Number.isFinite(bytesPerS))) {
      reader.fail([...path, 'rate'], `rate: ${rate}`, 'expected a rate above 0, such as 1 GiB/s');
    }
    const { start, end } = range ?? { start: 0, end: 0 };
    return {
      areas: [],
      accesses: Number.POSITIVE_INFINITY,
      allocates: { start, end, bytesPerS, ...(bound === undefined ? {} : { nid: bound }) },
    };
  }

  #area(entry: AreaEntry, path: YamlPath): Area {
    const range = this.#ranges.get(entry.range);
    if (range === undefined) this.#unknownRange(entry.range, [...path, 'range']);
    const rangeBytes = range === undefined ? Number.POSITIVE_INFINITY : range.end - range.start;
    const at = readPages(entry.at, [...path, 'at'], this.#reader) ?? 0;
    const bytes = readPages(entry.size, [...path, 'size'], this.#reader) ?? rangeBytes - at;
    if (range !== undefined && (bytes <= 0 || at + bytes > rangeBytes)) {
      this.#reader.fail(
        path,
        `this area is not inside "${entry.range}"`,
        `the range has ${formatBytes(rangeBytes)}`,
      );
    }
    const start = (range?.start ?? 0) + at;
    const share = this.#reader.read([...path, 'share'], entry.share, parseShare) ?? 1;
    if (share === 0) this.#reader.fail([...path, 'share'], 'share: 0%', 'expected more, or no area');
    return { start, end: start + bytes, share };
  }

  #unknownRange(name: string, path: YamlPath): void {
    this.#reader.failUnknown(path, `there is no range "${name}"`, name, [...this.#ranges.keys()], 'ranges');
  }
}

/** `closed`, or accesses per second. */
function parsePace(text: string): Pace {
  if (text.trim().toLowerCase() === 'closed') return { kind: 'closed' };
  const accessesPerS = parseEventRate(text);
  if (accessesPerS > 0) return { kind: 'open', accessesPerS };
  throw new ThermoError('THERMO_UNITS_BAD_VALUE', `"${text}" is no pace`, {
    hint: 'accepted: closed, 60M/s',
  });
}
