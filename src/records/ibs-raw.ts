/**
 * Reads the IBS registers that `perf report -D` prints of samples recorded with `--raw-samples`
 * (util/amd-sample-raw.c): of each event `ibs_op_data3`, `IbsDCLinAd` and `IbsDCPhysAd`, and the line
 * PERF_RECORD_SAMPLE with CPU, time and process, which follows them (or, in some versions, comes before). A
 * sample is an access if it loads or stores and its address is valid. Other lines of the dump are passed over.
 */
import { ADDRESS_LIMIT } from '../memory/range.ts';
import {
  type AccessParser,
  type AddressKind,
  addAccess,
  emptyCounts,
  NEWLINE,
  noteUnreadable,
  type ParserOptions,
  TRACE_BATCH,
  type TraceBatch,
} from './access-parser.ts';

/** IBS_OP_DATA3: load, store, linear and physical address valid. */
const LOAD = 1n;
const STORE = 2n;
const LINEAR_VALID = 1n << 17n;
const PHYSICAL_VALID = 1n << 18n;

const LETTER_DOT = 46;
const REGISTER = /^(ibs_op_ctl|ibs_op_data3|IbsDCLinAd|IbsDCPhysAd):\s+([0-9a-f]+)(?:\s+MaxCnt\s+(\d+))?/;
const SAMPLE =
  /^(?:(\d+) )?(\d+) 0x[0-9a-f]+(?:@\S+)? \[0x[0-9a-f]+\]: PERF_RECORD_SAMPLE\([^)]*\): (-?\d+)\/-?\d+:.*?(?: addr: (?:0x)?([0-9a-f]+))?\s*$/;
const UNTIMED_SAMPLE = /PERF_RECORD_SAMPLE/;
const LOST = /PERF_RECORD_LOST: lost (\d+)|PERF_RECORD_LOST_SAMPLES: lost (\d+)/;

interface Sample {
  readonly us: number;
  readonly pid: number;
  readonly cpu: number;
  readonly address: number;
}

export class IbsRawParser implements AccessParser {
  readonly format = 'ibs-raw';
  clock: 'time' | 'order' = 'time';
  startUs = Number.NaN;
  period = Number.NaN;
  readonly counts = emptyCounts();
  readonly #pid: number;
  readonly #wanted: AddressKind | undefined;
  #data3: bigint | undefined;
  #linear = 0;
  #physical = 0;
  #sample: Sample | undefined;

  constructor(options: Pick<ParserOptions, 'address' | 'pid'> = {}) {
    this.#pid = options.pid ?? -1;
    this.#wanted = options.address;
  }

  parse(bytes: Uint8Array, start: number, end: number, batch: TraceBatch, flush: () => void): void {
    for (let at = start; at < end; ) {
      this.counts.lines++;
      const next = bytes.indexOf(NEWLINE, at) + 1;
      // Most lines are the hexadecimal dump of an event.
      if (bytes[at] !== LETTER_DOT && next - at > 8) {
        const text = Buffer.from(bytes.buffer, bytes.byteOffset + at, next - 1 - at).toString('latin1');
        this.#line(text, batch);
        if (batch.count === TRACE_BATCH) flush();
      }
      at = next;
    }
  }

  finish(batch: TraceBatch): void {
    this.#emit(batch);
  }

  #line(text: string, batch: TraceBatch): void {
    if (text.includes(': event: ')) {
      this.#emit(batch);
      this.#sample = undefined;
      return;
    }
    const register = REGISTER.exec(text);
    if (register !== null) {
      this.#register(register[1], register[2], register[3], batch);
      return;
    }
    if (UNTIMED_SAMPLE.test(text)) {
      const sample = SAMPLE.exec(text);
      if (sample === null) {
        noteUnreadable(this.counts, this.counts.lines);
        return;
      }
      const [, cpu, ns, pid, address] = sample;
      this.#sample = {
        us: Number(ns) / 1000,
        pid: Number(pid),
        cpu: cpu === undefined ? -1 : Number(cpu),
        address: address === undefined ? 0 : Number.parseInt(address, 16),
      };
      if (this.#data3 !== undefined) this.#emit(batch);
      else if (this.#sample.address > 0) this.#put(this.#sample.address, 0, this.#sample, batch);
      return;
    }
    const lost = LOST.exec(text);
    if (lost !== null) this.counts.lost += Number(lost[1] ?? lost[2]);
  }

  #register(name: string, hex: string, period: string | undefined, batch: TraceBatch): void {
    if (name === 'ibs_op_ctl') {
      this.#emit(batch);
      if (period !== undefined) this.period = Number(period);
    } else if (name === 'ibs_op_data3') this.#data3 = BigInt(`0x${hex}`);
    else if (name === 'IbsDCLinAd') this.#linear = Number.parseInt(hex, 16);
    else this.#physical = Number.parseInt(hex, 16);
  }

  /** Ends the event whose registers were read, if there are any. */
  #emit(batch: TraceBatch): void {
    const data3 = this.#data3;
    if (data3 === undefined) return;
    const hasPhysical = (data3 & PHYSICAL_VALID) !== 0n && this.#physical > 0;
    const hasLinear = (data3 & LINEAR_VALID) !== 0n && this.#linear > 0;
    const wantsPhysical = this.#wanted === 'physical' || (this.#wanted === undefined && hasPhysical);
    const address = wantsPhysical ? (hasPhysical ? this.#physical : 0) : hasLinear ? this.#linear : 0;
    if ((data3 & (LOAD | STORE)) === 0n || address === 0) this.counts.noAddress++;
    else this.#put(address, (data3 & STORE) !== 0n ? 1 : 0, this.#sample, batch);
    this.#data3 = undefined;
    this.#linear = 0;
    this.#physical = 0;
  }

  #put(address: number, isStore: number, sample: Sample | undefined, batch: TraceBatch): void {
    const { counts } = this;
    if (this.#pid >= 0 && sample?.pid !== this.#pid) return;
    if (address >= ADDRESS_LIMIT) {
      counts.addressesTooLarge++;
      return;
    }
    if (sample === undefined && counts.accesses === 0) this.clock = 'order';
    if (counts.accesses === 0 && sample !== undefined) this.startUs = sample.us;
    const ticks = this.clock === 'order' || sample === undefined ? counts.accesses : sample.us - this.startUs;
    addAccess(batch, address, isStore, ticks, sample?.pid ?? -1, sample?.cpu ?? -1);
    counts.accesses++;
    counts.ticks = Math.max(counts.ticks, ticks);
  }
}
