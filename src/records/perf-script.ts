/**
 * Reads memory samples as `perf script` prints them (IBS, PEBS, page faults), from bytes, at some 200 MB/s:
 *
 *     comm  pid/tid [cpu] seconds: period event: addr data_src |OP LOAD|LVL ... weight ip sym phys_addr page-size
 *
 * Every field may be missing; perf keeps this order whatever `-F` says. comm may hold spaces, digits and
 * colons, so a line is read from its time on, backwards to pid and CPU and forwards to the address; fields
 * may be parted by tabs. Call chains (lines that begin with a tab), comments and empty lines are passed over;
 * PERF_RECORD_LOST is counted. The clock is the time, in microseconds since the first sample.
 */
import { type AccessBatch, pushSample } from '../memory/access-batch.ts';
import { ADDRESS_LIMIT } from '../memory/range.ts';
import {
  type AccessParser,
  type AddressKind,
  addAccess,
  CARRIAGE_RETURN,
  COLON,
  createTraceBatch,
  DIGIT_0,
  DIGIT_9,
  emptyCounts,
  NEWLINE,
  noteUnreadable,
  type ParserOptions,
  SPACE,
  TAB,
  TRACE_BATCH,
  type TraceBatch,
} from './access-parser.ts';
import { readHex, readLastHex } from './hex.ts';
import { layoutOfFields, layoutOfLines, type PerfLayout } from './perf-layout.ts';
import { LineSplitter } from './text-lines.ts';

const DOT = 46;
const SLASH = 47;
const HASH = 35;
const BAR = 124;
const OPEN = 91;
const CLOSE = 93;
/** PERF_MEM_OP_STORE, in the low five bits of data_src. */
export const OP_STORE = 4;
const OP_STORE_WORDS = Uint8Array.from('|OP STORE', (letter) => letter.charCodeAt(0));
/** Lines looked at to tell the columns. */
const LAYOUT_LINES = 200;
/** Fewest digits of an address on a line that has no time. */
const MIN_UNTIMED_DIGITS = 6;
/** Longest event name that is remembered. */
const MAX_EVENT = 128;

/** What an event's name says of its accesses. */
const EVENT_UNKNOWN = 0;
const EVENT_STORE = 1;

export type PerfScriptOptions = Pick<ParserOptions, 'address' | 'pid' | 'fields'>;

export class PerfScriptParser implements AccessParser {
  readonly format = 'perf-script';
  readonly counts = emptyCounts();
  clock: 'time' | 'order' = 'time';
  startUs = Number.NaN;
  readonly #pid: number;
  readonly #wanted: AddressKind | undefined;
  #layout: PerfLayout | undefined;
  readonly #isFixed: boolean;
  #startS = Number.NaN;
  #startPart = 0;
  #periods = 0;
  #withPeriod = 0;
  /** The event of the line before: most are the same. */
  readonly #event = new Uint8Array(MAX_EVENT);
  #eventLength = -1;
  #eventKind = EVENT_UNKNOWN;

  constructor(options: PerfScriptOptions = {}) {
    this.#pid = options.pid ?? -1;
    this.#wanted = options.address;
    this.#isFixed = options.fields !== undefined;
    if (options.fields !== undefined) this.#layout = layoutOfFields(options.fields);
  }

  get period(): number {
    return this.#withPeriod > 0 ? this.#periods / this.#withPeriod : Number.NaN;
  }

  /** Which address is read: physical where the text has it, unless asked otherwise. */
  get address(): AddressKind {
    if (this.#layout?.hasPhysical !== true) return 'virtual';
    if (this.#layout.hasAddress === false) return 'physical';
    return this.#wanted ?? (this.#layout.isPhysicalKnown ? 'physical' : 'virtual');
  }

  parse(bytes: Uint8Array, start: number, end: number, batch: TraceBatch, flush: () => void): void {
    if (this.#layout === undefined && !this.#isFixed) this.#layout = findLayout(bytes, start, end);
    const { counts } = this;
    for (let at = start; at < end; ) {
      counts.lines++;
      const first = bytes[at];
      let next = at;
      if (first === NEWLINE || first === TAB || first === HASH || first === CARRIAGE_RETURN) {
        next = bytes.indexOf(NEWLINE, at) + 1;
      } else {
        next = this.#parseLine(bytes, at, batch);
        if (batch.count === TRACE_BATCH) flush();
      }
      at = next;
    }
  }

  /** @returns the start of the next line */
  #parseLine(bytes: Uint8Array, at: number, batch: TraceBatch): number {
    // The time: digits, a dot, 6 or 9 digits, a colon.
    let q = at;
    for (;;) {
      const byte = bytes[q];
      if (byte === NEWLINE) return this.#parseUntimed(bytes, at, q, batch);
      if (
        byte === COLON &&
        (bytes[q - 7] === DOT || bytes[q - 10] === DOT) &&
        q - at >= 8 &&
        isTimeEnd(bytes[q + 1])
      ) {
        break;
      }
      q++;
    }
    const dot = bytes[q - 7] === DOT ? q - 7 : q - 10;
    let part = 0;
    for (let p = dot + 1; p < q; p++) part = part * 10 + (bytes[p] - DIGIT_0);
    if (q - dot === 10) part /= 1000;
    let seconds = 0;
    let scale = 1;
    let t = dot - 1;
    for (; t >= at && bytes[t] >= DIGIT_0 && bytes[t] <= DIGIT_9; t--) {
      seconds += (bytes[t] - DIGIT_0) * scale;
      scale *= 10;
    }
    // Backwards: [cpu], pid or pid/tid.
    while (t >= at && isBlank(bytes[t])) t--;
    let cpu = -1;
    if (t >= at && bytes[t] === CLOSE) {
      cpu = 0;
      scale = 1;
      for (t--; t >= at && bytes[t] !== OPEN; t--) {
        cpu += (bytes[t] - DIGIT_0) * scale;
        scale *= 10;
      }
      for (t--; t >= at && isBlank(bytes[t]); t--);
    }
    let pid = -1;
    for (let round = 0; round < 2; round++) {
      let value = 0;
      scale = 1;
      const from = t;
      for (; t >= at && bytes[t] >= DIGIT_0 && bytes[t] <= DIGIT_9; t--) {
        value += (bytes[t] - DIGIT_0) * scale;
        scale *= 10;
      }
      if (t < from) pid = value;
      if (t < at || bytes[t] !== SLASH) break;
      t--;
    }
    return this.#parseRest(bytes, q + 1, batch, seconds, part, pid, cpu);
  }

  /** Text of samples without times: the place in the file is the clock. */
  #parseUntimed(bytes: Uint8Array, at: number, end: number, batch: TraceBatch): number {
    const { counts } = this;
    // Without a time there is no anchor; only `event: addr` or a bare address can be told from prose.
    let p = at;
    while (p < end && isBlank(bytes[p])) p++;
    let colon = -1;
    for (let i = p; i < end - 1; i++) if (bytes[i] === COLON && isBlank(bytes[i + 1])) colon = i;
    const from = colon >= 0 ? colon + 1 : p;
    // Prose has colons and short words of the letters a to f, too.
    const first = skipBlanks(bytes, from);
    const isProse = colon < 0 || endOfToken(bytes, first) - first < MIN_UNTIMED_DIGITS;
    if ((isProse && !this.#isFixed) || (this.clock === 'time' && counts.accesses + batch.count > 0)) {
      noteUnreadable(counts, counts.lines);
      return end + 1;
    }
    this.clock = 'order';
    return this.#parseRest(bytes, from, batch, 0, counts.lines, -1, -1);
  }

  #parseRest(
    bytes: Uint8Array,
    from: number,
    batch: TraceBatch,
    seconds: number,
    part: number,
    pid: number,
    cpu: number,
  ): number {
    const { counts } = this;
    let p = skipBlanks(bytes, from);
    let tokenEnd = endOfToken(bytes, p);
    let kind = EVENT_UNKNOWN;
    if (tokenEnd > p && bytes[tokenEnd - 1] === COLON) {
      kind = this.#kindOf(bytes, p, tokenEnd);
      p = skipBlanks(bytes, tokenEnd);
      tokenEnd = endOfToken(bytes, p);
    } else if (areDigits(bytes, p, tokenEnd)) {
      const second = skipBlanks(bytes, tokenEnd);
      const secondEnd = endOfToken(bytes, second);
      if (secondEnd > second && bytes[secondEnd - 1] === COLON) {
        let period = 0;
        for (let i = p; i < tokenEnd; i++) period = period * 10 + (bytes[i] - DIGIT_0);
        this.#periods += period;
        this.#withPeriod++;
        kind = this.#kindOf(bytes, second, secondEnd);
        p = skipBlanks(bytes, secondEnd);
        tokenEnd = endOfToken(bytes, p);
      }
    }
    const layout = this.#layout;
    const hasAddress = layout === undefined || layout.hasAddress;
    if (layout !== undefined && !hasAddress && !layout.hasPhysical) return this.#other(bytes, p);
    let address = hasAddress ? readHex(bytes, p, tokenEnd) : 0;
    if (Number.isNaN(address)) return this.#other(bytes, p);
    // data_src in hexadecimal, then its words from |OP on; either may be missing.
    let isStore = kind === EVENT_STORE ? 1 : 0;
    const q = hasAddress ? skipBlanks(bytes, tokenEnd) : p;
    if (bytes[q] !== BAR && bytes[q] !== NEWLINE) {
      const sourceEnd = endOfToken(bytes, q);
      const bar = skipBlanks(bytes, sourceEnd);
      if (bytes[bar] === BAR) {
        const source = readHex(bytes, q, sourceEnd);
        if (!Number.isNaN(source)) isStore = source % 32 === OP_STORE ? 1 : 0;
      }
    } else if (bytes[q] === BAR && isStoreWord(bytes, q)) isStore = 1;
    const next = bytes.indexOf(NEWLINE, q) + 1;
    if (this.address === 'physical') {
      const physical = readLastHex(bytes, q, next - 1);
      address = Number.isNaN(physical) ? 0 : physical;
    }
    if (this.#pid >= 0 && pid !== this.#pid) return next;
    if (address >= ADDRESS_LIMIT) {
      counts.addressesTooLarge++;
      return next;
    }
    if (address === 0) {
      counts.noAddress++;
      return next;
    }
    if (Number.isNaN(this.#startS)) {
      this.#startS = seconds;
      this.#startPart = part;
      if (this.clock === 'time') this.startUs = seconds * 1e6 + part;
    }
    const ticks = (seconds - this.#startS) * 1e6 + (part - this.#startPart);
    addAccess(batch, address, isStore, ticks, pid, cpu);
    counts.accesses++;
    if (ticks > counts.ticks) counts.ticks = ticks;
    return next;
  }

  #kindOf(bytes: Uint8Array, start: number, end: number): number {
    const length = end - start;
    if (length === this.#eventLength) {
      let i = 0;
      while (i < length && this.#event[i] === bytes[start + i]) i++;
      if (i === length) return this.#eventKind;
    }
    const name = String.fromCharCode(...bytes.subarray(start, Math.min(end, start + MAX_EVENT)));
    this.#eventKind = name.includes('store') ? EVENT_STORE : EVENT_UNKNOWN;
    this.#eventLength = length <= MAX_EVENT ? length : -1;
    if (length <= MAX_EVENT) this.#event.set(bytes.subarray(start, end));
    return this.#eventKind;
  }

  /** A line without an address: perf's word about something else, or none at all. */
  #other(bytes: Uint8Array, at: number): number {
    const { counts } = this;
    const end = bytes.indexOf(NEWLINE, at);
    const text = String.fromCharCode(...bytes.subarray(at, Math.min(end, at + MAX_EVENT)));
    const lost = /^PERF_RECORD_LOST(?:_SAMPLES)?:? lost (\d+)/.exec(text);
    if (lost !== null) counts.lost += Number(lost[1]);
    else if (!text.startsWith('PERF_RECORD_')) noteUnreadable(counts, counts.lines);
    return end + 1;
  }
}

/**
 * The parser on a stream that is still written, such as the output of a child process: takes chunks as they
 * come and appends their samples to a batch.
 */
export class PerfScriptFeed {
  readonly parser: PerfScriptParser;
  readonly #splitter = new LineSplitter();
  readonly #batch = createTraceBatch();
  readonly #nidOfCpu: (cpu: number) => number;

  /** @param nidOfCpu node of a CPU; left out: unknown */
  constructor(options: PerfScriptOptions = {}, nidOfCpu: (cpu: number) => number = () => -1) {
    this.parser = new PerfScriptParser(options);
    this.#nidOfCpu = nidOfCpu;
  }

  /** Samples that find no room in `into` are counted there as dropped, as are those that perf lost. */
  feed(chunk: Buffer, into: AccessBatch): void {
    this.#take(into, (onLines) => this.#splitter.push(chunk, onLines));
  }

  /** The stream has ended: its last line may lack a newline. */
  finish(into: AccessBatch): void {
    this.#take(into, (onLines) => this.#splitter.finish(onLines));
  }

  #take(
    into: AccessBatch,
    split: (onLines: (bytes: Uint8Array, start: number, end: number) => void) => void,
  ): void {
    const batch = this.#batch;
    const { counts } = this.parser;
    const lostBefore = counts.lost;
    const flush = (): void => {
      for (let i = 0; i < batch.count; i++) {
        const cpu = batch.cpu[i];
        pushSample(into, batch.address[i], cpu < 0 ? -1 : this.#nidOfCpu(cpu), batch.isStore[i]);
      }
      batch.count = 0;
    };
    split((bytes, start, end) => this.parser.parse(bytes, start, end, batch, flush));
    flush();
    into.dropped += counts.lost - lostBefore;
  }
}

/** True for `|OP STORE`, where the words stand without their number. */
function isStoreWord(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < OP_STORE_WORDS.length; i++) if (bytes[at + i] !== OP_STORE_WORDS[i]) return false;
  return true;
}

function findLayout(bytes: Uint8Array, start: number, end: number): PerfLayout | undefined {
  const lines: string[] = [];
  for (let at = start; at < end && lines.length < LAYOUT_LINES; ) {
    const next = bytes.indexOf(NEWLINE, at) + 1;
    lines.push(Buffer.from(bytes.buffer, bytes.byteOffset + at, next - 1 - at).toString('latin1'));
    at = next;
  }
  return layoutOfLines(lines);
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

function isTimeEnd(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === NEWLINE;
}

function skipBlanks(bytes: Uint8Array, at: number): number {
  let p = at;
  while (bytes[p] === SPACE || bytes[p] === TAB || bytes[p] === CARRIAGE_RETURN) p++;
  return p;
}

function endOfToken(bytes: Uint8Array, at: number): number {
  let p = at;
  while (bytes[p] !== SPACE && bytes[p] !== TAB && bytes[p] !== NEWLINE && bytes[p] !== CARRIAGE_RETURN) p++;
  return p;
}

function areDigits(bytes: Uint8Array, start: number, end: number): boolean {
  for (let p = start; p < end; p++) if (bytes[p] < DIGIT_0 || bytes[p] > DIGIT_9) return false;
  return end > start;
}
