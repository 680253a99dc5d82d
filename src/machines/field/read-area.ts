/** Reads one entry under `areas` of a field file: which of the four kinds it is, and its numbers. */
import { ThermoError } from '../../memory/error.ts';
import { PAGE_SIZE } from '../../memory/range.ts';
import { formatBytes, parseBytes, parseEventRate, parseShare, parseTimeUs } from '../../memory/units.ts';
import type { YamlPath } from '../../yaml/source-document.ts';
import type { ValueReader } from '../../yaml/value-reader.ts';
import type { AreaEntry } from './field-schema.ts';
import {
  anywhere,
  exactly,
  onePerSlot,
  type Placement,
  type RateRange,
  randomPages,
  zipfBlocks,
} from './generate.ts';
import type { AreaMaker } from './timed-areas.ts';

/** Most areas or blocks that one entry makes. */
const MAX_AREAS = 1_000_000;

type Key = Exclude<keyof AreaEntry, 'zipf'>;

/** Keys that say what an area is like, of any kind. */
const COMMON: readonly Key[] = ['name', 'node', 'stores', 'tlb', 'moves'];

/** Pushes what is wrong; the maker may be used only if nothing was. */
export function readArea(
  area: AreaEntry,
  path: YamlPath,
  reader: ValueReader,
  fieldBytes: number,
): AreaMaker {
  const entry = new AreaReader(area, path, reader, fieldBytes);
  const make = entry.layout();
  const traits = entry.traits();
  return (draw) => make(draw).map((each) => ({ ...each, ...traits }));
}

class AreaReader {
  readonly #area: AreaEntry;
  readonly #path: YamlPath;
  readonly #reader: ValueReader;
  readonly #fieldBytes: number;

  constructor(area: AreaEntry, path: YamlPath, reader: ValueReader, fieldBytes: number) {
    this.#area = area;
    this.#path = path;
    this.#reader = reader;
    this.#fieldBytes = fieldBytes;
  }

  layout(): AreaMaker {
    const { zipf, at, placement } = this.#area;
    if (zipf !== undefined) return this.#zipf(zipf);
    if (at !== undefined) return this.#listed();
    if (placement === 'pages') return this.#pages();
    if (placement !== undefined) return this.#generated(placement);
    return this.#failed(undefined, 'an area needs a place', 'expected one of the keys at, placement, zipf');
  }

  /** What every area of the entry has. */
  traits(): Partial<ReturnType<AreaMaker>[number]> {
    const { node, stores, tlb, moves } = this.#area;
    const storeShare = this.#reader.read(this.#at('stores'), stores, parseShare);
    const movesEveryUs = this.#reader.read(this.#at('moves'), moves, parseEvery);
    return {
      ...(node === undefined ? {} : { nid: node }),
      ...(storeShare === undefined ? {} : { storeShare }),
      ...(tlb === undefined ? {} : { isTlb: tlb }),
      ...(movesEveryUs === undefined ? {} : { movesEveryUs }),
    };
  }

  #listed(): AreaMaker {
    this.#allowOnly('an area with a fixed place', ['at', 'size', 'rate']);
    const start = this.#bytes('at', PAGE_SIZE, 0);
    const areaBytes = this.#bytes('size', PAGE_SIZE, PAGE_SIZE);
    const { min, max } = this.#rate();
    if (min !== max) this.#failed('rate', 'a single area has one rate', 'expected for example 300/s');
    if (start <= this.#fieldBytes && start + areaBytes > this.#fieldBytes) {
      this.#failed('size', `the area ends at ${formatBytes(start + areaBytes)}`, this.#fieldEnd());
    }
    return () => [{ start, end: start + areaBytes, perS: min }];
  }

  #generated(placement: 'one-per-slot' | 'anywhere'): AreaMaker {
    this.#allowOnly(`placement ${placement}`, ['placement', 'count', 'size', 'rate', 'align']);
    const alignBytes =
      this.#area.align === undefined ? PAGE_SIZE : this.#bytes('align', PAGE_SIZE, PAGE_SIZE);
    const areaBytes = this.#bytes('size', PAGE_SIZE, PAGE_SIZE);
    if (areaBytes % alignBytes !== 0) {
      this.#failed(
        'size',
        `size ${formatBytes(areaBytes)} is no multiple of align`,
        `expected multiples of ${formatBytes(alignBytes)}`,
      );
    }
    const count = this.#area.count ?? 1;
    const slots = placement === 'one-per-slot' ? count : 1;
    const slotBytes = Math.floor(this.#fieldBytes / alignBytes / slots) * alignBytes;
    if (areaBytes > slotBytes) {
      this.#failed(
        'size',
        `an area of ${formatBytes(areaBytes)} does not fit`,
        `there are ${formatBytes(slotBytes)} for each`,
      );
    }
    const spec: Placement = { sizeBytes: this.#fieldBytes, count, areaBytes, alignBytes, rate: this.#rate() };
    const place = placement === 'one-per-slot' ? onePerSlot : anywhere;
    return (draw) => place(draw, spec);
  }

  #pages(): AreaMaker {
    this.#allowOnly('placement pages', ['placement', 'share', 'rate']);
    this.#require('share');
    const share = this.#reader.read(this.#at('share'), this.#area.share, parseShare) ?? 0;
    if ((share * this.#fieldBytes) / PAGE_SIZE > MAX_AREAS) {
      this.#failed('share', 'these are too many pages', `expected at most ${MAX_AREAS} pages of the field`);
    }
    const rate = this.#rate();
    return (draw) => (share === 0 ? [] : randomPages(draw, this.#fieldBytes, share, rate));
  }

  #zipf({ block, exponent, total }: NonNullable<AreaEntry['zipf']>): AreaMaker {
    this.#allowOnly('zipf', []);
    const path = [...this.#path, 'zipf'];
    const blockBytes = this.#reader.read([...path, 'block'], block, parseBytes) ?? this.#fieldBytes;
    const totalPerS = this.#reader.read([...path, 'total'], total, parseEventRate) ?? 0;
    const blocks = this.#fieldBytes / blockBytes;
    if (blockBytes === 0 || blockBytes % PAGE_SIZE !== 0 || blocks < 1 || blocks > MAX_AREAS) {
      this.#reader.fail(
        [...path, 'block'],
        `block: ${formatBytes(blockBytes)}`,
        `expected whole pages of 4 KiB, so that there are 1 to ${MAX_AREAS} blocks`,
      );
    }
    return (draw) => zipfBlocks(draw, { sizeBytes: this.#fieldBytes, blockBytes, exponent, totalPerS });
  }

  #rate(): RateRange {
    this.#require('rate');
    return this.#reader.read(this.#at('rate'), this.#area.rate, parseRates) ?? exactly(0);
  }

  /** A required size: at least `least`, a multiple of `unit`, inside the field. */
  #bytes(key: 'at' | 'size' | 'align', unit: number, least: number): number {
    this.#require(key);
    const bytes = this.#reader.read(this.#at(key), this.#area[key], parseBytes) ?? unit;
    if (bytes % unit !== 0 || bytes < least) {
      this.#failed(key, `${key}: ${formatBytes(bytes)}`, 'expected whole pages of 4 KiB');
    } else if (bytes > this.#fieldBytes) {
      this.#failed(key, `${key}: ${formatBytes(bytes)}`, this.#fieldEnd());
    }
    return bytes;
  }

  #require(key: Key): void {
    if (this.#area[key] === undefined) this.#failed(undefined, `this area lacks the key "${key}"`, undefined);
  }

  #allowOnly(kind: string, keys: readonly Key[]): void {
    const allowed = [...keys, ...COMMON, 'zipf'];
    for (const key of Object.keys(this.#area)) {
      if (allowed.includes(key)) continue;
      const own = keys.length > 0 ? `${keys.join(', ')} and ` : '';
      this.#reader.fail(
        [...this.#path, key],
        `${key}: has no meaning with ${kind}`,
        `it takes ${own}${COMMON.join(', ')}`,
      );
    }
  }

  #failed(key: Key | undefined, message: string, hint: string | undefined): AreaMaker {
    this.#reader.fail(key === undefined ? this.#path : this.#at(key), message, hint);
    return () => [];
  }

  #fieldEnd(): string {
    return `the field has ${formatBytes(this.#fieldBytes)}`;
  }

  #at(key: Key): YamlPath {
    return [...this.#path, key];
  }
}

/** `300/s`, or `150/s..450/s`. */
function parseRates(text: string): RateRange {
  const [first, last = first, ...rest] = text.split('..');
  const [min, max] = [parseEventRate(first), parseEventRate(last)];
  if (rest.length > 0 || min > max) {
    throw new ThermoError('THERMO_UNITS_BAD_VALUE', `"${text}" is not a range of rates`, {
      hint: 'accepted: 300/s, 150/s..450/s',
    });
  }
  return { min, max };
}

/** Microseconds of `every 5.44s`. */
function parseEvery(text: string): number {
  const match = /^every\s+(.+)$/i.exec(text.trim());
  const us = match ? parseTimeUs(match[1]) : 0;
  if (us >= 1 && Number.isFinite(us)) return us;
  throw new ThermoError('THERMO_UNITS_BAD_VALUE', `"${text}" is not understood`, {
    hint: 'accepted: every 5.44s',
  });
}
