/**
 * Where NUMA balancing protects next (kernel/sched/fair.c task_numa_work; reference tiering-systems
 * section 3.2): one call goes on at the saved offset, until it has gone over scan_size of ranges in which
 * it changed at least one entry, or 8 times as much of address space; at the end it wraps.
 *
 * Rules about VMAs, of which a machine's ranges are one each:
 *   all   before 6.4: every VMA in every pass;
 *   6.4   VMAs are skipped that were not recently touched by the scanning thread, but for the first two
 *         passes and the first second of a VMA;
 *   6.7   besides: a VMA once per pass; a pass that has begun a VMA ends it; a VMA left out for more
 *         passes than there are threads, or where nothing else is left, is scanned all the same.
 * The reference has these from memory ("also skip VMAs not recently touched by the scanning thread and stamp
 * per-VMA scan sequence"); here they follow the patches of 2023. Inferred: threads are told apart by number
 * modulo 32, where the kernel hashes a pid to 6 bits; where threads are not known, all are number 0.
 */
import type { PageSignals } from '../memory/page-signals.ts';
import { type AddressRange, PAGE_SIZE, roundUp } from '../memory/range.ts';

export type VmaRules = 'all' | '6.4' | '6.7';

export interface ScannerOptions {
  readonly rules: VmaRules;
  /** Pages of a call. */
  readonly pages: number;
  readonly scanDelayUs: number;
}

/** What a call did, pages. */
export interface ScanResult {
  /** Entries changed. */
  readonly updated: number;
  /** Entries looked at. */
  readonly looked: number;
}

const VIRTUAL_FACTOR = 8;
const HUGE_PAGE = 2 * 2 ** 20;
/** VMA_PID_RESET_PERIOD in units of scan_delay. */
const RESET_DELAYS = 4;

interface Vma extends AddressRange {
  /** A first call has seen it. */
  isKnown: boolean;
  startSeq: number;
  prevSeq: number;
  nextScanUs: number;
  resetUs: number;
  /** Threads that touched it in the window before, and in the present one, a bit each. */
  readonly touched: [number, number];
}

export class Numab2Scanner {
  readonly #signals: PageSignals;
  readonly #isScanned: Uint8Array;
  readonly #options: ScannerOptions;
  readonly #vmas: readonly Vma[];
  #offset = 0;
  #sequence = 0;
  #lastTouched = 0;

  /** @param isScanned by nid: 1 where pages are protected */
  constructor(
    signals: PageSignals,
    ranges: readonly AddressRange[],
    isScanned: Uint8Array,
    options: ScannerOptions,
  ) {
    this.#signals = signals;
    this.#isScanned = isScanned;
    this.#options = options;
    this.#vmas = ranges.map(({ start, end }) => ({
      start,
      end,
      isKnown: false,
      startSeq: 0,
      prevSeq: -1,
      nextScanUs: 0,
      resetUs: 0,
      touched: [0, 0],
    }));
  }

  /** Passes ended (mm->numa_scan_seq). */
  get sequence(): number {
    return this.#sequence;
  }

  /** A thread had a hint fault (vma_set_access_pid_bit). */
  touch(address: number, thread: number): void {
    let vma = this.#vmas[this.#lastTouched];
    if (address < vma.start || address >= vma.end) {
      this.#lastTouched = Math.min(this.#firstAfter(address), this.#vmas.length - 1);
      vma = this.#vmas[this.#lastTouched];
    }
    vma.touched[1] |= 1 << (thread % 32);
  }

  /**
   * One call in the context of `thread`.
   * @param threads of the process
   */
  scan(nowUs: number, thread: number, threads: number): ScanResult {
    let [pages, virtualPages] = [this.#options.pages, VIRTUAL_FACTOR * this.#options.pages];
    let [updated, looked] = [0, 0];
    let isForced = false;
    for (;;) {
      let index = this.#firstAfter(this.#offset);
      if (index === this.#vmas.length) {
        this.#wrap();
        index = 0;
      }
      let at = this.#offset;
      let hasSkipped = false;
      for (; index < this.#vmas.length; index++) {
        const vma = this.#vmas[index];
        const choice = this.#choose(vma, nowUs, thread, threads, isForced);
        if (choice === 'untouched') hasSkipped = true;
        if (choice !== 'scan') continue;
        at = Math.max(at, vma.start);
        while (at < vma.end) {
          const end = Math.min(vma.end, roundUp(at + pages * PAGE_SIZE, HUGE_PAGE));
          const count = this.#signals.protect(at, end, this.#isScanned);
          const walked = (end - at) / PAGE_SIZE;
          updated += count;
          looked += walked;
          if (count > 0) pages -= walked;
          virtualPages -= walked;
          at = end;
          if (pages > 0 && virtualPages > 0) continue;
          this.#offset = at;
          return { updated, looked };
        }
        vma.prevSeq = this.#sequence;
        if (!isForced) continue;
        this.#offset = at;
        return { updated, looked };
      }
      if (isForced || !hasSkipped || this.#options.rules !== '6.7') break;
      isForced = true;
    }
    this.#wrap();
    return { updated, looked };
  }

  #choose(
    vma: Vma,
    nowUs: number,
    thread: number,
    threads: number,
    isForced: boolean,
  ): 'scan' | 'skip' | 'untouched' {
    const { rules, scanDelayUs } = this.#options;
    if (rules === 'all') return 'scan';
    const seq = this.#sequence;
    if (!vma.isKnown) {
      vma.isKnown = true;
      vma.startSeq = rules === '6.7' ? seq : 0;
      vma.prevSeq = seq - 1;
      vma.nextScanUs = nowUs + scanDelayUs;
      vma.resetUs = vma.nextScanUs + RESET_DELAYS * scanDelayUs;
    }
    if (seq > 0 && nowUs < vma.nextScanUs) return 'skip';
    if (seq > 0 && nowUs > vma.resetUs) {
      vma.resetUs += RESET_DELAYS * scanDelayUs;
      vma.touched[0] = vma.touched[1];
      vma.touched[1] = 0;
    }
    if (rules === '6.7' && vma.prevSeq === seq) {
      this.#offset = vma.end;
      return 'skip';
    }
    if (isForced || seq - vma.startSeq < 2) return 'scan';
    if (((vma.touched[0] | vma.touched[1]) & (1 << (thread % 32))) !== 0) return 'scan';
    if (rules === '6.7' && (this.#offset > vma.start || seq > vma.prevSeq + threads)) return 'scan';
    return 'untouched';
  }

  #wrap(): void {
    this.#sequence++;
    this.#offset = 0;
  }

  /** Index of the first VMA that ends after `address`. */
  #firstAfter(address: number): number {
    let [low, high] = [0, this.#vmas.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#vmas[middle].end <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
