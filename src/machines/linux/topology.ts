/** Memory nodes, tiers and demotion targets of a Linux machine, as sysfs tells. */
import {
  ADISTANCE_CHUNK,
  ADISTANCE_DRAM,
  fastTierOf,
  type MemoryNode,
  type NodeKind,
  tierOf,
} from '../../memory/tier.ts';
import { nodeMemory } from './node-memory.ts';
import { parseNumberList, type SystemTree } from './system-tree.ts';

const NODES = '/sys/devices/system/node';
const TIERS = '/sys/devices/virtual/memory_tiering';

/** Node's access by its nearest initiator, from HMAT or CDAT. */
export interface NodePerformance {
  /** ns; mean of read and write. */
  readonly latencyNs: number;
  /** Bytes/s; of reading, where the two differ. */
  readonly bandwidthBytesPerS: number;
}

export interface LinuxNode extends MemoryNode {
  /** undefined where the firmware tells nothing. */
  readonly performance: NodePerformance | undefined;
  /** SLIT distances to all nodes, by position in the list of nodes that are online. */
  readonly distances: readonly number[];
}

export interface MemoryTier {
  /** N of memory_tierN. */
  readonly number: number;
  readonly nids: readonly number[];
}

export interface Topology {
  /** With memory, by nid. */
  readonly nodes: readonly LinuxNode[];
  /** Fastest first; empty where the kernel has no memory tiers. */
  readonly tiers: readonly MemoryTier[];
  /** undefined where the kernel has no such switch. */
  readonly isDemotionEnabled: boolean | undefined;
}

export function readTopology(tree: SystemTree): Topology {
  const tiers = readTiers(tree);
  const withMemory = tree.read(`${NODES}/has_memory`);
  const nids = parseNumberList(withMemory ?? tree.read(`${NODES}/online`) ?? '');
  const found = nids.map((nid) => describeNode(tree, nid, tiers));
  return { nodes: nameKinds(tree, found), tiers, isDemotionEnabled: readSwitch(tree) };
}

function readTiers(tree: SystemTree): MemoryTier[] {
  const tiers: MemoryTier[] = [];
  for (const name of tree.list(TIERS)) {
    const number = /^memory_tier(\d+)$/.exec(name)?.[1];
    const list = tree.read(`${TIERS}/${name}/nodelist`);
    if (number !== undefined && list !== undefined)
      tiers.push({ number: Number(number), nids: parseNumberList(list) });
  }
  return tiers.sort((a, b) => a.number - b.number);
}

function describeNode(tree: SystemTree, nid: number, tiers: readonly MemoryTier[]): LinuxNode {
  const performance = readPerformance(tree, nid);
  const tier = tiers.find(({ nids }) => nids.includes(nid))?.number;
  return {
    nid,
    kind: 'DRAM',
    capacityBytes: nodeMemory(tree, nid).totalBytes,
    hasCpus: (tree.read(`${NODES}/node${nid}/cpulist`) ?? '') !== '',
    accessNs: performance?.latencyNs ?? Number.NaN,
    bandwidthBytesPerS: performance?.bandwidthBytesPerS ?? Number.NaN,
    // The kernel shows only the chunk; without tiers it treats all memory as DRAM.
    adistance: tier === undefined ? ADISTANCE_DRAM : tier * ADISTANCE_CHUNK,
    performance,
    distances: (tree.read(`${NODES}/node${nid}/distance`) ?? '')
      .split(/\s+/)
      .filter((each) => each !== '')
      .map(Number),
  };
}

function readPerformance(tree: SystemTree, nid: number): NodePerformance | undefined {
  const read = (name: string): number | undefined =>
    tree.readNumber(`${NODES}/node${nid}/access0/initiators/${name}`);
  const [readNs, writeNs] = [read('read_latency'), read('write_latency')];
  const readMb = read('read_bandwidth') ?? read('write_bandwidth');
  if (readNs === undefined || readMb === undefined || readNs === 0 || readMb === 0) return undefined;
  return { latencyNs: (readNs + (writeNs ?? readNs)) / 2, bandwidthBytesPerS: readMb * 1e6 };
}

/**
 * The kernel knows distances, not kinds: what is faster than the nearest memory with CPUs is taken for
 * HBM, what is slower for CXL, or for PMEM on a machine with NVDIMMs and without CXL.
 */
function nameKinds(tree: SystemTree, nodes: readonly LinuxNode[]): LinuxNode[] {
  if (nodes.length === 0) return [];
  const fastTier = fastTierOf(nodes);
  const hasOnlyNvdimms =
    tree.list('/sys/bus/nd/devices').length > 0 && tree.list('/sys/bus/cxl/devices').length === 0;
  const slow: NodeKind = hasOnlyNvdimms ? 'PMEM' : 'CXL';
  return nodes.map((node) => {
    const tier = tierOf(node);
    return { ...node, kind: tier > fastTier ? slow : tier < fastTier ? 'HBM' : 'DRAM' };
  });
}

function readSwitch(tree: SystemTree): boolean | undefined {
  const text = tree.read('/sys/kernel/mm/numa/demotion_enabled');
  return text === undefined ? undefined : /^(true|1|y)/i.test(text);
}
