/** What this process may do, by the capabilities in /proc/self/status. */
import type { SystemTree } from './system-tree.ts';

/** Bits of capabilities (include/uapi/linux/capability.h). */
const CAPABILITIES = {
  CAP_SYS_PTRACE: 19,
  CAP_SYS_ADMIN: 21,
  CAP_SYS_NICE: 23,
  CAP_PERFMON: 38,
} as const;
export type Capability = keyof typeof CAPABILITIES;
export const CAPABILITY_NAMES = Object.keys(CAPABILITIES) as Capability[];

export class Permissions {
  readonly #bits: bigint;
  /** undefined where it is not told. */
  readonly uid: number | undefined;

  constructor(tree: SystemTree) {
    const status = tree.read('/proc/self/status') ?? '';
    this.#bits = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
    const uid = /^Uid:\s*\d+\s+(\d+)/m.exec(status)?.[1];
    this.uid = uid === undefined ? undefined : Number(uid);
  }

  has(capability: Capability): boolean {
    return ((this.#bits >> BigInt(CAPABILITIES[capability])) & 1n) === 1n;
  }

  get missing(): Capability[] {
    return CAPABILITY_NAMES.filter((name) => !this.has(name));
  }
}
