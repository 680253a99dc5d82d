/** Reads the workload of a machine file: one by name with parameters, or one that is written out. */
import { nearestWord } from '../../../memory/nearest-word.ts';
import { type AddressRange, PAGE_SIZE } from '../../../memory/range.ts';
import { formatBytes, parseTimeUs } from '../../../memory/units.ts';
import type { YamlPath } from '../../../yaml/source-document.ts';
import type { ValueReader } from '../../../yaml/value-reader.ts';
import type { Hardware } from '../hardware.ts';
import type { MemoryKind } from '../page-facts.ts';
import type { Workload, WorkloadRange } from '../workload.ts';
import { WORKLOAD_NAMES, WORKLOADS, type WorkloadRequest } from '../workloads/index.ts';
import { COMMON_NAMES, type Parameters } from '../workloads/parameters.ts';
import type { RangeEntry, WorkloadEntry } from './machine-schema.ts';
import { type NamedRanges, readPages } from './named-ranges.ts';
import { PARAMETER_KEY_NAMES, PARAMETER_KEYS } from './parameter-keys.ts';
import { ThreadReader } from './read-thread.ts';

/** Pushes what is wrong; the result may be used only if nothing was. */
export function readWorkload(
  entry: WorkloadEntry,
  path: YamlPath,
  reader: ValueReader,
  machine: Hardware,
): WorkloadRequest | Workload {
  const isWrittenOut = entry.threads !== undefined || entry.ranges !== undefined;
  return isWrittenOut ? readWritten(entry, path, reader, machine) : readNamed(entry, path, reader);
}

function readNamed(entry: WorkloadEntry, path: YamlPath, reader: ValueReader): WorkloadRequest {
  const model = Object.hasOwn(WORKLOADS, entry.name) ? WORKLOADS[entry.name] : undefined;
  if (model === undefined) {
    const near = nearestWord(entry.name, WORKLOAD_NAMES);
    reader.fail(
      [...path, 'name'],
      `there is no workload "${entry.name}"`,
      `${near === undefined ? '' : `did you mean "${near}"? `}known: ${WORKLOAD_NAMES.join(', ')}; or write it out with ranges and threads`,
    );
  }
  if (entry.duration !== undefined) {
    reader.fail(
      [...path, 'duration'],
      'duration: has a meaning only where the workload is written out',
      'a named workload takes lasts, the time it needs if all memory is fast',
    );
  }
  const parameters: Record<string, Parameters[keyof Parameters]> = {};
  for (const key of PARAMETER_KEY_NAMES) {
    const { name, parse } = PARAMETER_KEYS[key];
    if (entry[key] === undefined) continue;
    if (model !== undefined && !COMMON_NAMES.includes(name) && !model.takes.includes(name)) {
      reader.fail(
        [...path, key],
        `${key}: has no meaning for the workload ${entry.name}`,
        `it takes ${takenBy(model.takes)}`,
      );
      continue;
    }
    const value = reader.read<Parameters[keyof Parameters]>([...path, key], entry[key], parse);
    if (value !== undefined) parameters[name] = value;
  }
  return { name: entry.name, parameters };
}

function takenBy(takes: readonly string[]): string {
  return PARAMETER_KEY_NAMES.filter((key) =>
    [...COMMON_NAMES, ...takes].includes(PARAMETER_KEYS[key].name),
  ).join(', ');
}

function readWritten(entry: WorkloadEntry, path: YamlPath, reader: ValueReader, machine: Hardware): Workload {
  for (const key of PARAMETER_KEY_NAMES) {
    if (entry[key] === undefined) continue;
    reader.fail([...path, key], `${key}: has no meaning beside ranges and threads`, 'remove it');
  }
  for (const key of ['ranges', 'threads'] as const) {
    if (entry[key] === undefined) {
      reader.fail(path, `a workload that is written out lacks the key "${key}"`, 'expected a list');
    }
  }
  const { ranges, kinds, named } = readRanges(entry.ranges ?? [], [...path, 'ranges'], reader, machine);
  const threadReader = new ThreadReader(reader, machine.nodes, named);
  const threads = (entry.threads ?? []).map((thread, i) =>
    threadReader.read(thread, [...path, 'threads', i]),
  );
  const durationUs =
    reader.read([...path, 'duration'], entry.duration, parseTimeUs) ?? Number.POSITIVE_INFINITY;
  if (durationUs <= 0) reader.fail([...path, 'duration'], 'duration: 0', 'expected a time above 0');
  if (durationUs === Number.POSITIVE_INFINITY && !threadReader.hasEnd) {
    reader.fail(path, 'this workload has no end', 'expected duration, or a thread whose phases all end');
  }
  (entry.ranges ?? []).forEach(({ name, late }, i) => {
    if (late === true && !threadReader.allocated.has(name)) {
      reader.fail(
        [...path, 'ranges', i, 'late'],
        `nobody allocates the late range "${name}"`,
        'expected a phase with allocate',
      );
    }
  });
  const free = machine.nodes.reduce(
    (sum, { nid, capacityBytes }) => sum + capacityBytes - (machine.mover.systemBytes[nid] ?? 0),
    0,
  );
  const bytes = ranges.at(-1)?.end ?? 0;
  if (bytes > free) {
    reader.fail(
      [...path, 'ranges'],
      `the ranges have ${formatBytes(bytes)}`,
      `the nodes have ${formatBytes(free)} that the system does not take`,
    );
  }
  return { name: entry.name, ranges, kinds, threads, durationUs };
}

function readRanges(
  entries: readonly RangeEntry[],
  path: YamlPath,
  reader: ValueReader,
  machine: Hardware,
): { ranges: WorkloadRange[]; kinds: MemoryKind[]; named: NamedRanges } {
  const ranges: WorkloadRange[] = [];
  const kinds: MemoryKind[] = [];
  const named = new Map<string, AddressRange & { readonly isLate: boolean }>();
  let at = 0;
  entries.forEach((entry, i) => {
    const own = [...path, i];
    const bytes = readPages(entry.size, [...own, 'size'], reader) ?? PAGE_SIZE;
    if (bytes === 0) reader.fail([...own, 'size'], 'size: 0', 'expected at least one page');
    const range = { start: at, end: at + bytes };
    at = range.end;
    const isLate = entry.late ?? false;
    if (entry.node !== undefined && entry.node >= machine.nodes.length) {
      reader.fail([...own, 'node'], `there is no node ${entry.node}`, nodesOf(machine));
    }
    if (entry.node !== undefined && isLate) {
      reader.fail(
        [...own, 'node'],
        'node: a late range gets its node when it is allocated',
        'say bound in the phase that allocates it',
      );
    }
    if (named.has(entry.name)) {
      reader.fail([...own, 'name'], `two ranges are named "${entry.name}"`, 'expected names of their own');
    }
    named.set(entry.name, { ...range, isLate });
    ranges.push({
      ...range,
      ...(entry.node === undefined ? {} : { nid: entry.node }),
      ...(isLate ? { isLate } : {}),
    });
    const pageBytes = readPages(entry.page, [...own, 'page'], reader);
    kinds.push({
      ...range,
      ...(entry.anonymous === undefined ? {} : { isAnon: entry.anonymous }),
      ...(entry.mapped === undefined ? {} : { isMapped: entry.mapped }),
      ...(entry.memcg === undefined ? {} : { memcg: entry.memcg }),
      ...(pageBytes === undefined ? {} : { pageBytes }),
    });
  });
  return { ranges, kinds, named };
}

function nodesOf({ nodes }: Hardware): string {
  return `nodes: ${nodes.map(({ nid, kind }) => `${nid} (${kind})`).join(', ')}`;
}
