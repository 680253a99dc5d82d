/**
 * clear_refs and smaps: how much of each mapping was accessed between two looks. Without privileges for
 * one's own processes, on nearly every kernel; and the coarsest source.
 */
import { writeFileSync } from 'node:fs';
import type { AccessSource } from '../machines/linux/access-source.ts';
import type { SystemTree } from '../machines/linux/system-tree.ts';
import { type AreaChecks, addArea } from '../memory/area-checks.ts';
import { ThermoError } from '../memory/error.ts';
import type { AddressRange } from '../memory/range.ts';

/** Time between two looks: each walks over all page tables of the process. */
const LOOK_US = 1e6;
/** Checks that a look at a mapping counts for: it is one look, however many pages it saw. */
const MOST_TRIALS = 64;
/** Clears the Accessed bits of all pages (Documentation/filesystems/proc.rst). */
const CLEAR_ALL = '1';

export interface ReferencedMapping extends AddressRange {
  readonly residentKb: number;
  readonly referencedKb: number;
}

/** Mappings with resident pages, from the text of smaps. */
export function parseSmaps(text: string): ReferencedMapping[] {
  const mappings: ReferencedMapping[] = [];
  let [start, end, residentKb] = [0, 0, 0];
  for (const line of text.split('\n')) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line);
    if (head !== null) [start, end] = [Number.parseInt(head[1], 16), Number.parseInt(head[2], 16)];
    const value = /^(Rss|Referenced):\s+(\d+) kB/.exec(line);
    if (value?.[1] === 'Rss') residentKb = Number(value[2]);
    if (value?.[1] === 'Referenced' && residentKb > 0)
      mappings.push({ start, end, residentKb, referencedKb: Number(value[2]) });
  }
  return mappings;
}

/**
 * Share of the pages that one sampling interval would have found accessed, from the share that a longer
 * time did. Where all were, the rate is only known to be high: half a page is taken off.
 */
export function shareOfInterval(
  { residentKb, referencedKb }: Pick<ReferencedMapping, 'residentKb' | 'referencedKb'>,
  elapsedUs: number,
  sampleUs: number,
): number {
  const pages = residentKb / 4;
  const share = Math.min(referencedKb / 4, pages - 0.5) / pages;
  return 1 - (1 - Math.max(0, share)) ** (sampleUs / elapsedUs);
}

export interface ClearRefsOptions {
  readonly tree: SystemTree;
  readonly pid: number;
  readonly sampleUs: number;
  readonly nowUs: () => number;
}

export class ClearRefsSource implements AccessSource {
  readonly name = 'clear_refs';
  readonly kind = 'areas';
  readonly cost =
    'two walks over all page tables of the process a second, which it waits for where it maps memory';
  readonly blindSpots = [
    'where in a mapping accesses are',
    'rates above a few per second: within a look everything that is used has been used',
    'it clears the Accessed bits that reclaim and other sources rely on',
  ];
  readonly #options: ClearRefsOptions;
  #clearedUs = Number.NaN;
  #looks = 0;
  #mappings: readonly ReferencedMapping[] = [];
  #elapsedUs = LOOK_US;

  constructor(options: ClearRefsOptions) {
    this.#options = options;
  }

  start(): void {
    try {
      this.#clear();
    } catch (error) {
      const { pid } = this.#options;
      throw new ThermoError('THERMO_MACHINE_CONFIG', `/proc/${pid}/clear_refs cannot be written`, {
        hint: 'run as root or as the owner of the process, or choose another --source',
        cause: error,
      });
    }
  }

  #clear(): void {
    const { tree, pid, nowUs } = this.#options;
    writeFileSync(tree.path(`/proc/${pid}/clear_refs`), CLEAR_ALL);
    this.#clearedUs = nowUs();
  }

  poll(): void {
    const { tree, pid, nowUs } = this.#options;
    const elapsedUs = nowUs() - this.#clearedUs;
    if (!(elapsedUs >= LOOK_US)) return;
    const text = tree.read(`/proc/${pid}/smaps`);
    if (text === undefined) return;
    this.#mappings = parseSmaps(text);
    this.#elapsedUs = elapsedUs;
    this.#looks++;
    try {
      this.#clear();
    } catch {
      // The process has gone.
      this.#clearedUs = Number.NaN;
    }
  }

  takeAreas(areas: AreaChecks): void {
    const { sampleUs } = this.#options;
    for (const mapping of this.#mappings) {
      const trials = Math.min(MOST_TRIALS, Math.ceil(mapping.residentKb / 4));
      const hits = trials * shareOfInterval(mapping, this.#elapsedUs, sampleUs);
      addArea(areas, mapping.start, mapping.end, trials, hits);
    }
    this.#mappings = [];
  }

  stop(): void {
    this.#clearedUs = Number.NaN;
  }

  facts(): Readonly<Record<string, number | string>> {
    return { looks: this.#looks };
  }
}
