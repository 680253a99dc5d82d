/**
 * Page faults of one thread with their addresses, by perf_event_open(2): a software event, which needs no
 * PMU. The kernel writes records into a ring that is mapped here.
 *
 * Draining is a hot path: about a million samples a second, 32-bit words instead of BigInt.
 */
import { closeSync } from 'node:fs';
import { ThermoError } from '../../../memory/error.ts';
import { type Libc, loadLibc } from './koffi.ts';

const PAGE = 4096;
/** Bytes of perf_event_attr up to sig_data's predecessor (PERF_ATTR_SIZE_VER5). */
const ATTRIBUTE_BYTES = 112;
const PERF_TYPE_SOFTWARE = 1;
const PERF_COUNT_SW_PAGE_FAULTS = 2;
/** PERF_SAMPLE_TID, TIME, ADDR, CPU: the fields of a record come in this order. */
const SAMPLE_TYPE = 2 | 4 | 8 | 128;
const FLAG_DISABLED = 1;
const FLAG_USE_CLOCKID = 1 << 25;
const CLOCK_MONOTONIC = 1;
const PERF_FLAG_FD_CLOEXEC = 8;
const IOC_ENABLE = 0x2400;
const IOC_DISABLE = 0x2401;
const RECORD_LOST = 2;
const RECORD_SAMPLE = 9;
/** 64-bit words of data_head and data_tail in the ring's first page. */
const HEAD = 128;
const TAIL = 129;

/** @param timeUs by CLOCK_MONOTONIC */
export type FaultVisitor = (address: number, timeUs: number, cpu: number) => void;

interface Calls {
  readonly libc: Libc;
  readonly open: (...args: unknown[]) => unknown;
  readonly ioctl: (...args: unknown[]) => unknown;
  readonly mmap: (...args: unknown[]) => unknown;
  readonly munmap: (...args: unknown[]) => unknown;
}

let declared: Calls | undefined;

function calls(): Calls {
  if (declared !== undefined) return declared;
  const libc = loadLibc();
  declared = {
    libc,
    open: libc.declare('syscall', 'long', ['long', 'void *', 'int', 'int', 'int', 'ulong']),
    ioctl: libc.declare('ioctl', 'int', ['int', 'ulong', 'void *']),
    mmap: libc.declare('mmap', 'void *', ['void *', 'size_t', 'int', 'int', 'int', 'int64']),
    munmap: libc.declare('munmap', 'int', ['void *', 'size_t']),
  };
  return declared;
}

export class FaultEvent {
  readonly #calls = calls();
  readonly #fd: number;
  readonly #bytes: number;
  readonly #mapped: unknown;
  readonly #header: BigUint64Array;
  readonly #words: Uint32Array;

  /**
   * Opens the event and starts it.
   * @param pages of the ring, a power of two
   * @throws ThermoError THERMO_MACHINE_CONFIG when the kernel refuses
   */
  constructor(tid: number, pages: number) {
    const { libc, open, mmap, ioctl } = this.#calls;
    this.#fd = Number(open(libc.number('perf_event_open'), attributes(), tid, -1, -1, PERF_FLAG_FD_CLOEXEC));
    if (this.#fd < 0) {
      throw new ThermoError(
        'THERMO_MACHINE_CONFIG',
        `page faults of thread ${tid} cannot be sampled (${libc.errorName()})`,
        { hint: 'run as root, or with CAP_PERFMON' },
      );
    }
    this.#bytes = (1 + pages) * PAGE;
    const [readWrite, shared] = [3, 1];
    this.#mapped = mmap(null, this.#bytes, readWrite, shared, this.#fd, 0);
    const view = libc.koffi.view(this.#mapped, this.#bytes);
    this.#header = new BigUint64Array(view, 0, PAGE / 8);
    this.#words = new Uint32Array(view, PAGE, (pages * PAGE) / 4);
    ioctl(this.#fd, IOC_ENABLE, null);
  }

  /** Visits the samples since the last call; returns how many were lost. */
  drain(visit: FaultVisitor): number {
    const header = this.#header;
    const words = this.#words;
    const mask = words.length - 1;
    // Positions only grow; below 2^53 bytes they are exact as doubles.
    let at = Number(header[TAIL]) / 4;
    const head = Number(Atomics.load(header, HEAD)) / 4;
    let lost = 0;
    while (at < head) {
      const type = words[at & mask];
      const size = (words[(at + 1) & mask] >>> 16) / 4;
      if (size === 0) break;
      if (type === RECORD_SAMPLE) {
        const timeNs = words[(at + 4) & mask] + words[(at + 5) & mask] * 2 ** 32;
        const address = words[(at + 6) & mask] + words[(at + 7) & mask] * 2 ** 32;
        visit(address, timeNs / 1000, words[(at + 8) & mask]);
      } else if (type === RECORD_LOST) {
        lost += words[(at + 4) & mask];
      }
      at += size;
    }
    Atomics.store(header, TAIL, BigInt(at * 4));
    return lost;
  }

  close(): void {
    const { ioctl, munmap } = this.#calls;
    ioctl(this.#fd, IOC_DISABLE, null);
    munmap(this.#mapped, this.#bytes);
    closeSync(this.#fd);
  }
}

function attributes(): Buffer {
  const bytes = Buffer.alloc(ATTRIBUTE_BYTES);
  bytes.writeUInt32LE(PERF_TYPE_SOFTWARE, 0);
  bytes.writeUInt32LE(ATTRIBUTE_BYTES, 4);
  bytes.writeUInt32LE(PERF_COUNT_SW_PAGE_FAULTS, 8);
  const everyOne = 1;
  bytes.writeUInt32LE(everyOne, 16);
  bytes.writeUInt32LE(SAMPLE_TYPE, 24);
  bytes.writeUInt32LE(FLAG_DISABLED | FLAG_USE_CLOCKID, 40);
  bytes.writeUInt32LE(1, 48);
  bytes.writeInt32LE(CLOCK_MONOTONIC, 92);
  return bytes;
}
