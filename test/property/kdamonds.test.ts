/** What goes to damo and comes back asks the kernel for the same. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { stringify } from 'yaml';
import { toDamoJson } from '../../src/kdamonds/damo-json.ts';
import { damonFacts } from '../../src/kdamonds/facts.ts';
import { fromDamo } from '../../src/kdamonds/from-damo.ts';
import { exportSchemes } from '../../src/kdamonds/from-schemes.ts';
import { parseKernelVersion } from '../../src/kdamonds/kernel.ts';
import type { Kdamond } from '../../src/kdamonds/model.ts';
import { toSysfs } from '../../src/kdamonds/sysfs.ts';
import type { MemoryNode } from '../../src/memory/tier.ts';
import { DEFAULT_ATTRS } from '../../src/monitor/monitor.ts';
import { loadSchemes } from '../../src/schemes/load.ts';
import { resolveSchemes } from '../../src/schemes/resolve.ts';
import type { LongScheme } from '../../src/schemes/schema.ts';
import { longScheme } from './scheme-arbitraries.ts';

const node = (nid: number, kind: MemoryNode['kind'], rank: number): MemoryNode => ({
  nid,
  kind,
  hasCpus: kind === 'DRAM',
  adistance: rank * 300,
  capacityBytes: 2 ** 36,
  accessNs: 100 * rank,
  bandwidthBytesPerS: 1e11 / rank,
});
const NODES = [
  node(2, 'HBM', 1),
  node(0, 'DRAM', 2),
  node(1, 'CXL', 3),
  node(12, 'CXL', 4),
  node(3, 'PMEM', 5),
];
const NIDS = NODES.map(({ nid }) => nid);
const NODE_RANGES = new Map(NIDS.map((nid) => [nid, [{ start: nid * 2 ** 36, end: (nid + 1) * 2 ** 36 }]]));

function kdamondsOf(text: string, kernel: string) {
  const { schemes } = loadSchemes(text, 'property.yaml', DEFAULT_ATTRS);
  return exportSchemes(resolveSchemes(schemes, damonFacts(NODES)), {
    kernel: parseKernelVersion(kernel),
    pid: undefined,
    nodeRanges: NODE_RANGES,
    attrs: DEFAULT_ATTRS,
    nids: NIDS,
  });
}

const fileOf = (scheme: LongScheme): string => stringify({ version: 1, schemes: [scheme] });
const kernel = fc.constantFrom('6.12', '6.16', '6.18', '7.1', '7.3');

/** Files that do not make sense (a range with its ends swapped, a move to where memory is) are not of interest. */
function exportedOrSkip(scheme: LongScheme, version: string) {
  try {
    return kdamondsOf(fileOf(scheme), version);
  } catch {
    return undefined;
  }
}

/** Where memory is watched is not part of a scheme, nor what feeds a user_input. */
function schemesOf({ schemes }: Kdamond): unknown {
  return schemes.map((scheme) => ({
    ...scheme,
    quota: { ...scheme.quota, goals: scheme.quota.goals.map((goal) => ({ ...goal, feed: undefined })) },
  }));
}

describe('a scheme that is handed over', () => {
  test.prop([longScheme, kernel], { numRuns: 500 })(
    'comes back from damo as a scheme that asks for the same',
    (scheme, version) => {
      const first = exportedOrSkip(scheme, version);
      fc.pre(first !== undefined && first.kdamonds.length > 0);
      const damo = JSON.stringify(toDamoJson(first.kdamonds));
      const again = kdamondsOf(fromDamo(damo, 'damo.json').text, version);
      expect(again.kdamonds.map(schemesOf)).toEqual(first.kdamonds.map(schemesOf));
      expect(again.notes.filter(({ kind }) => kind === 'refused')).toEqual([]);
    },
  );

  test.prop([longScheme, kernel], { numRuns: 300 })(
    'is written in whole numbers and words, each file once',
    (scheme, version) => {
      const exported = exportedOrSkip(scheme, version);
      fc.pre(exported !== undefined);
      const writes = toSysfs(exported.kdamonds, parseKernelVersion(version));
      for (const { value } of writes) expect(value).toMatch(/^(-?\d+|[a-zA-Z_]+|\/.*)$/);
      expect(new Set(writes.map(({ path }) => path)).size).toBe(writes.length);
    },
  );

  test.prop([longScheme, kernel])('is either handed over or refused, with a reason', (scheme, version) => {
    const exported = exportedOrSkip(scheme, version);
    fc.pre(exported !== undefined);
    const refused = exported.notes.filter(({ kind }) => kind === 'refused');
    expect(exported.kdamonds.length > 0).toBe(refused.length === 0);
  });
});
