/**
 * The record of pghot for one page, in its two formats (mm/pghot-default.c and mm/pghot-precise.c of v5
 * and later; reference tiering-systems section 1.4). Pure functions on numbers; 0 is "never seen".
 *
 * default: bits 0-1 frequency, 2-6 time in buckets of 128 ms, 7 ready. precise: bits 0-9 nid, 10-12
 * frequency, 13-26 time in ms, 31 ready. Time is stored modulo its field, 4.096 s or 16.384 s, so an age
 * beyond that looks young again: two samples at unrelated times count as within the window with
 * probability 24/32 or 5001/16384. Where the fields lie in the byte is ours; their widths are posted.
 */

export interface RecordFormat {
  /** Bytes per page of the lower tier. */
  readonly bytes: 1 | 4;
  readonly maxFrequency: number;
  readonly defaultWindowMs: number;
  /** Largest window that may be set. */
  readonly maxWindowMs: number;
  /**
   * The record after one more access: frequency 1 after a gap longer than the window, else one more; ready
   * from `threshold` on, and until it is taken.
   */
  update(record: number, nowMs: number, nid: number, windowMs: number, threshold: number): number;
  isReady(record: number): boolean;
  frequency(record: number): number;
  /** Time since the last access as far as it can be told, ms. */
  ageMs(record: number, nowMs: number): number;
  /** Node to promote to; -1: none stored. */
  nid(record: number): number;
}

const BUCKET_BITS = 7;
const BUCKETS = 32;

export const DEFAULT_FORMAT: RecordFormat = {
  bytes: 1,
  maxFrequency: 3,
  defaultWindowMs: 3_000,
  maxWindowMs: 3_968,
  update(record, nowMs, _nid, windowMs, threshold) {
    const time = Math.floor(nowMs / (1 << BUCKET_BITS)) % BUCKETS;
    const frequency = defaultAge(record, nowMs) > windowMs ? 1 : Math.min((record & 3) + 1, 3);
    const ready = frequency >= threshold ? 0x80 : record & 0x80;
    return ready | (time << 2) | frequency;
  },
  isReady: (record) => (record & 0x80) !== 0,
  frequency: (record) => record & 3,
  ageMs: defaultAge,
  nid: () => -1,
};

function defaultAge(record: number, nowMs: number): number {
  const time = Math.floor(nowMs / (1 << BUCKET_BITS)) % BUCKETS;
  return ((time - ((record >> 2) & 31) + BUCKETS) % BUCKETS) << BUCKET_BITS;
}

const TICKS = 1 << 14;
const NO_NID = 1023;

export const PRECISE_FORMAT: RecordFormat = {
  bytes: 4,
  maxFrequency: 7,
  defaultWindowMs: 5_000,
  maxWindowMs: 16_383,
  update(record, nowMs, nid, windowMs, threshold) {
    const old = (record >>> 10) & 7;
    const frequency = preciseAge(record, nowMs) > windowMs ? 1 : Math.min(old + 1, 7);
    const ready = frequency >= threshold ? 0x80000000 : record & 0x80000000;
    const node = nid >= 0 ? nid : NO_NID;
    return (ready | ((Math.floor(nowMs) % TICKS) << 13) | (frequency << 10) | node) >>> 0;
  },
  isReady: (record) => record >= 0x80000000,
  frequency: (record) => (record >>> 10) & 7,
  ageMs: preciseAge,
  nid: (record) => ((record & NO_NID) === NO_NID ? -1 : record & NO_NID),
};

function preciseAge(record: number, nowMs: number): number {
  return ((Math.floor(nowMs) % TICKS) - ((record >>> 13) & (TICKS - 1)) + TICKS) % TICKS;
}
