/** Kernel, nodes, tiers, demotion, huge pages and pressure. */
import { tierOf } from '../../../memory/tier.ts';
import { formatBytes } from '../../../memory/units.ts';
import { nodeMemory, somePressureUs } from '../node-memory.ts';
import type { SystemTree } from '../system-tree.ts';
import { type LinuxNode, readTopology } from '../topology.ts';
import { type Finding, limited, missing, ok } from './finding.ts';

export function machineFindings(tree: SystemTree): Finding[] {
  const topology = readTopology(tree);
  const { nodes, tiers, isDemotionEnabled } = topology;
  const found: Finding[] = [kernel(tree)];
  for (const node of nodes) found.push(ok('machine', `node${node.nid}`, describeNode(tree, node)));
  found.push(tiersFinding(nodes, tiers));
  const withoutNumbers = nodes.filter(({ performance }) => performance === undefined);
  if (nodes.length > 1 && withoutNumbers.length > 0) {
    found.push(
      limited(
        'machine',
        'latency and bandwidth',
        `unknown of ${withoutNumbers.map(({ nid }) => `node${nid}`).join(', ')}`,
        'the firmware has no HMAT or CDAT for them',
        'schemes work by tiers; only predictions lack these numbers',
      ),
    );
  }
  found.push(demotion(isDemotionEnabled, tiers.length));
  found.push(hugePages(tree));
  found.push(
    Number.isNaN(somePressureUs(tree))
      ? missing(
          'machine',
          'pressure',
          'the kernel has no PSI',
          'boot with psi=1; goals on some_mem_psi_us need it',
        )
      : ok('machine', 'pressure', '/proc/pressure/memory'),
  );
  return found;
}

function kernel(tree: SystemTree): Finding {
  const release = tree.read('/proc/sys/kernel/osrelease');
  return release === undefined
    ? missing('machine', 'kernel', 'no /proc/sys/kernel/osrelease: this is no Linux', 'run it on Linux')
    : ok('machine', 'kernel', release);
}

function describeNode(tree: SystemTree, node: LinuxNode): string {
  const { freeBytes } = nodeMemory(tree, node.nid);
  const { performance } = node;
  return [
    `${node.kind} ${formatBytes(node.capacityBytes)}, ${formatBytes(freeBytes)} free`,
    node.hasCpus ? 'with CPUs' : 'no CPU',
    `tier ${tierOf(node)}`,
    ...(node.distances.length > 0 ? [`distances ${node.distances.join(' ')}`] : []),
    ...(performance === undefined
      ? []
      : [`${performance.latencyNs} ns`, `${formatBytes(performance.bandwidthBytesPerS)}/s`]),
  ].join(', ');
}

function tiersFinding(nodes: readonly LinuxNode[], tiers: ReturnType<typeof readTopology>['tiers']): Finding {
  const text = tiers.map(({ number, nids }) => `memory_tier${number} = node ${nids.join(',')}`).join('; ');
  if (tiers.length > 1) return ok('machine', 'tiers', text);
  if (nodes.length > 1) {
    return limited(
      'machine',
      'tiers',
      text || 'none',
      'all nodes are in one tier: the kernel takes no node for slower than another',
      'the firmware must describe the slow node (HMAT, CDAT), or its driver (kmem) must be bound',
    );
  }
  return missing(
    'machine',
    'tiers',
    `one memory node${text === '' ? '' : ` (${text})`}: there is nowhere to move memory to`,
    'observing works; moving needs a second node (CXL, PMEM, or numa=fake to try it out)',
  );
}

function demotion(isEnabled: boolean | undefined, tiers: number): Finding {
  const name = 'demotion by the kernel';
  if (isEnabled === undefined) {
    return missing(
      'machine',
      name,
      'no /sys/kernel/mm/numa/demotion_enabled',
      'demote by schemes (move_pages)',
    );
  }
  if (tiers < 2) return ok('machine', name, `${isEnabled ? 'on' : 'off'}; without effect on one tier`);
  if (isEnabled) return ok('machine', name, 'on');
  return limited(
    'machine',
    name,
    'off',
    'reclaim pages out or drops instead of moving to the slow tier',
    'echo true > /sys/kernel/mm/numa/demotion_enabled; schemes demote without it',
  );
}

function hugePages(tree: SystemTree): Finding {
  const text = tree.read('/sys/kernel/mm/transparent_hugepage/enabled');
  return ok('machine', 'huge pages', /\[(\w+)\]/.exec(text ?? '')?.[1] ?? 'none');
}
