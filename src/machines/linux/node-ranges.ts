/** Which physical addresses are memory of which node, by the blocks that sysfs shows for each node. */
import type { AddressRange } from '../../memory/range.ts';
import type { SystemTree } from './system-tree.ts';

const NODES = '/sys/devices/system/node';
const MEMORY = '/sys/devices/system/memory';

/** By nid, in address order; without the nodes for which sysfs shows no blocks. */
export function readNodeRanges(tree: SystemTree, nids: readonly number[]): Map<number, AddressRange[]> {
  const blockBytes = Number.parseInt(tree.read(`${MEMORY}/block_size_bytes`) ?? '', 16);
  const found = new Map<number, AddressRange[]>();
  if (!(blockBytes > 0)) return found;
  for (const nid of nids) {
    const blocks = tree
      .list(`${NODES}/node${nid}`)
      .flatMap((name) => /^memory(\d+)$/.exec(name)?.[1] ?? [])
      .filter((block) => tree.read(`${MEMORY}/memory${block}/state`) !== 'offline')
      .map((block) => startOf(tree, block, blockBytes))
      .sort((a, b) => a - b);
    const ranges: { start: number; end: number }[] = [];
    for (const start of blocks) {
      const last = ranges.at(-1);
      if (last !== undefined && last.end === start) last.end += blockBytes;
      else ranges.push({ start, end: start + blockBytes });
    }
    if (ranges.length > 0) found.set(nid, ranges);
  }
  return found;
}

/** The number of a block is that of its address in blocks, and its file says so in hexadecimal. */
function startOf(tree: SystemTree, block: string, blockBytes: number): number {
  const index = tree.read(`${MEMORY}/memory${block}/phys_index`);
  return (index === undefined ? Number(block) : Number.parseInt(index, 16)) * blockBytes;
}
