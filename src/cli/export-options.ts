/** Options of `export` and `deploy`. */
import { Option } from 'commander';
import { formatKernelVersion, NEWEST_KERNEL, parseKernelVersion } from '../kdamonds/kernel.ts';
import type { Region } from '../kdamonds/model.ts';
import { ThermoError } from '../memory/error.ts';
import { parseBytes, parseCount } from '../memory/units.ts';
import { parseAllowances } from '../sources/source-names.ts';
import { argument } from './option-value.ts';

/** `4G-64G`, the end outside. */
export function parseRegion(text: string): Region {
  const parts = text.split('-');
  if (parts.length !== 2) {
    throw new ThermoError('THERMO_USAGE', `"${text}" is no address range`, {
      hint: 'expected for example 4G-64G',
    });
  }
  const [start, end] = parts.map((part) => (/^0x/i.test(part.trim()) ? Number(part) : parseBytes(part)));
  if (!(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start < end)) {
    throw new ThermoError('THERMO_USAGE', `"${text}" is no address range`, {
      hint: 'expected a start below its end, for example 4G-64G or 0x100000000-0x1000000000',
    });
  }
  return { start, end };
}

/** `0=4G-64G,1=64G-160G`; a node may come more than once. */
export function parseNodeRegions(text: string): ReadonlyMap<number, readonly Region[]> {
  const regions = new Map<number, Region[]>();
  for (const part of text.split(',')) {
    const [node, range] = part.split('=', 2);
    if (range === undefined)
      throw new ThermoError('THERMO_USAGE', `"${part}" names no node`, {
        hint: 'expected for example 0=4G-64G',
      });
    const nid = parseCount(node.replace(/^node/i, ''));
    regions.set(nid, [...(regions.get(nid) ?? []), parseRegion(range)]);
  }
  return regions;
}

export function kernelOption(): Option {
  return plainKernelOption().default(NEWEST_KERNEL, formatKernelVersion(NEWEST_KERNEL));
}

function plainKernelOption(): Option {
  return new Option('--kernel <version>', 'Linux that it is for, such as 6.12').argParser(
    argument(parseKernelVersion),
  );
}

/** Who is watched. */
export function targetOptions(): Option[] {
  return [
    pidOption(),
    new Option('--regions <start-end,...>', 'physical memory to watch, e.g. 4G-64G').argParser(
      argument((text) => text.split(',').map(parseRegion)),
    ),
    ...nodeOptions(),
  ];
}

function pidOption(): Option {
  return new Option('--pid <n>', 'watch this process instead of physical memory').argParser(
    argument(parseCount),
  );
}

function nodeOptions(): Option[] {
  return [
    new Option(
      '--node-regions <node=start-end,...>',
      'physical memory of nodes, so that schemes can say "from", e.g. 0=4G-64G,1=64G-160G',
    ).argParser(argument(parseNodeRegions)),
    new Option('--partial', 'leave out schemes that have no counterpart'),
  ];
}

export function deployOptions(): Option[] {
  return [
    pidOption(),
    plainKernelOption(),
    ...nodeOptions(),
    new Option('--allow <settings>', 'damon_stat: switch DAMON_STAT off until undeploy').argParser(
      argument(parseAllowances),
    ),
    new Option('--apply', 'write it, read it back, and start'),
    new Option('--tune', 'stay, and feed the goals that the kernel cannot measure, until interrupted'),
  ];
}
