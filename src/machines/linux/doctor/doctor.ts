/** What a machine offers and what is missing. Starts nothing and writes nothing. */
import type { NativeProbe } from '../native/probe.ts';
import { Permissions } from '../permissions.ts';
import type { SystemTree } from '../system-tree.ts';
import { actionFindings, permissionFindings } from './action-findings.ts';
import type { Finding } from './finding.ts';
import { machineFindings } from './machine-findings.ts';
import { sourceFindings } from './source-findings.ts';

/** @param native left out for a recorded tree, of which no call can be asked */
export function examine(tree: SystemTree, native?: NativeProbe): Finding[] {
  const permissions = new Permissions(tree);
  return [
    ...machineFindings(tree),
    ...sourceFindings(tree, permissions),
    ...actionFindings(tree, permissions, native),
    ...permissionFindings(permissions),
  ];
}
