/**
 * Reads the text of a machine file (docs/machines.md). Everything that can be wrong with it is found here,
 * with line and column, but for a workload that finds no room.
 */
import { ThermoError } from '../../../memory/error.ts';
import { type PushSetting, parsePush } from '../../../memory/push-setting.ts';
import { PAGE_SIZE } from '../../../memory/range.ts';
import { formatBytes, parseByteRate, parseBytes, parseShare, parseTimeUs } from '../../../memory/units.ts';
import { collectProblems, readYaml } from '../../../yaml/read-yaml.ts';
import type { YamlPath } from '../../../yaml/source-document.ts';
import { structureCheck, type YamlCodes } from '../../../yaml/structure.ts';
import { ValueReader } from '../../../yaml/value-reader.ts';
import { type Hardware, hardware, type NodeModel } from '../hardware.ts';
import type { Workload } from '../workload.ts';
import type { WorkloadRequest } from '../workloads/index.ts';
import { type MachineFile, MachineFileSchema, type NodeEntry } from './machine-schema.ts';
import { readWorkload } from './read-workload.ts';

const CODES: YamlCodes = {
  syntax: 'THERMO_MACHINE_SYNTAX',
  unknownKey: 'THERMO_MACHINE_UNKNOWN_KEY',
  missingKey: 'THERMO_MACHINE_MISSING_KEY',
  badType: 'THERMO_MACHINE_BAD_TYPE',
  badValue: 'THERMO_MACHINE_BAD_VALUE',
};

const EXAMPLE = `name: my-box
    nodes:
      - { kind: DRAM, size: 64 GiB, cpus: true, latency: 110ns, bandwidth: 250 GB/s }
      - { kind: CXL, size: 96 GiB, latency: 265ns, bandwidth: 25 GB/s }
    workload: { name: zipf-kv }`;

const checkStructure = structureCheck<MachineFile>(MachineFileSchema, { codes: CODES });

/** Largest node: 1 PiB. */
const MAX_NODE = 2 ** 50;

export interface LoadedMachine {
  readonly hardware: Hardware;
  /** Asked for by name, or written out; undefined: the file has none. */
  readonly workload: WorkloadRequest | Workload | undefined;
}

/**
 * @param text the file's bytes as UTF-8
 * @param file its name, for messages
 * @throws ThermoErrors with every problem found
 */
export function loadMachine(text: string, file: string): LoadedMachine {
  return collectProblems((problems) => {
    const read = readYaml(text, file, CODES, EXAMPLE, problems);
    const entry = read && checkStructure(read.value, read.source, problems);
    return entry && compile(entry, new ValueReader(read.source, CODES, problems), problems);
  });
}

function compile(
  file: MachineFile,
  reader: ValueReader,
  problems: readonly ThermoError[],
): LoadedMachine | undefined {
  const models = file.nodes.map((node, i) => readNode(node, ['nodes', i], reader));
  if (!models.some(({ hasCpus }) => hasCpus)) {
    reader.fail(['nodes'], 'no node has CPUs', 'expected cpus: true on at least one node');
  }
  const rate = (key: 'migration' | 'kswapd' | 'swap'): number | undefined =>
    reader.read([key], file[key], parseBandwidth);
  const migrationBytesPerS = rate('migration');
  const kswapdBytesPerS = file.kswapd === 'off' ? 0 : rate('kswapd');
  const swapBytesPerS = rate('swap');
  const sampledShare = reader.read(['sampled'], file.sampled, parseShare);
  const push: PushSetting | undefined = reader.read(['push'], file.push, parsePush);
  const machine = hardware(file.name, models, {
    ...(migrationBytesPerS === undefined ? {} : { migrationBytesPerS }),
    ...(kswapdBytesPerS === undefined ? {} : { kswapdBytesPerS }),
    ...(swapBytesPerS === undefined ? {} : { swapBytesPerS }),
    ...(sampledShare === undefined ? {} : { sampledShare }),
    ...(push === undefined ? {} : { push }),
    useWatermarks: file.watermarks ?? true,
    followsLoad: file.contention ?? false,
  });
  const workload =
    file.workload === undefined ? undefined : readWorkload(file.workload, ['workload'], reader, machine);
  return problems.length > 0 ? undefined : { hardware: machine, workload };
}

function readNode(node: NodeEntry, path: YamlPath, reader: ValueReader): NodeModel {
  const sizeBytes = reader.read([...path, 'size'], node.size, parseBytes) ?? PAGE_SIZE;
  if (sizeBytes < PAGE_SIZE || sizeBytes % PAGE_SIZE !== 0 || sizeBytes > MAX_NODE) {
    reader.fail([...path, 'size'], `size: ${formatBytes(sizeBytes)}`, 'expected whole pages, at most 1 PiB');
  }
  const systemBytes = reader.read([...path, 'system'], node.system, parseBytes) ?? 0;
  if (systemBytes % PAGE_SIZE !== 0 || systemBytes >= sizeBytes) {
    reader.fail(
      [...path, 'system'],
      `system: ${formatBytes(systemBytes)} of ${formatBytes(sizeBytes)}`,
      'expected whole pages, less than the node has',
    );
  }
  const latencyNs = (reader.read([...path, 'latency'], node.latency, parseTimeUs) ?? 0.1) * 1000;
  if (!(latencyNs >= 1 && latencyNs <= 1e6)) {
    reader.fail([...path, 'latency'], `latency: ${node.latency}`, 'expected 1ns to 1ms');
  }
  return {
    kind: node.kind,
    sizeBytes,
    hasCpus: node.cpus ?? false,
    latencyNs,
    bandwidthBytesPerS: reader.read([...path, 'bandwidth'], node.bandwidth, parseBandwidth) ?? 1,
    systemBytes,
  };
}

function parseBandwidth(text: string): number {
  const bytesPerS = parseByteRate(text);
  if (bytesPerS > 0 && Number.isFinite(bytesPerS)) return bytesPerS;
  throw new ThermoError('THERMO_UNITS_BAD_VALUE', `${text} is not possible`, {
    hint: 'expected a rate above 0, such as 25 GB/s',
  });
}
