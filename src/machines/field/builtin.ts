/**
 * Fields that ship with the program, by name.
 *
 * `onehot` to `moving` are fields A to E on which the kernel's DAMON was measured (measurements of the
 * DAMON core, section 2), equal in every byte for equal seeds; the others are ours.
 */
import { ThermoError } from '../../memory/error.ts';
import { suggest } from '../../memory/nearest-word.ts';
import { PAGE_SIZE } from '../../memory/range.ts';
import type { AccessField, FieldSource } from './access-field.ts';
import { anywhere, exactly, onePerSlot, type Placement, randomPages, zipfBlocks } from './generate.ts';
import { fieldRandom } from './mulberry32.ts';
import type { FieldArea } from './rate-map.ts';
import { type TimedArea, timedField } from './timed-areas.ts';

const KIB = 2 ** 10;
const MIB = 2 ** 20;
const GIB = 2 ** 30;
const CELL = 2 * MIB;
const SIZE = 160 * GIB;
/** Accesses per page per second of memory that is not hot. */
const BACKGROUND = 0.001;

function field(name: string, areas: readonly TimedArea[], sizeBytes = SIZE, hotPerS?: number): AccessField {
  return timedField({ name, sizeBytes, backgroundPerS: BACKGROUND, hotPerS, areas });
}

const place = (count: number, areaBytes: number, rate: Placement['rate'], alignBytes = CELL): Placement => ({
  sizeBytes: SIZE,
  count,
  areaBytes,
  alignBytes,
  rate,
});

const WARM = { min: 150, max: 450 };

/** A: one area of 1 GiB at 300/s. */
const onehot = (seed: number): FieldArea[] => anywhere(fieldRandom('A', seed), place(1, GIB, exactly(300)));

/** B: 64 areas of 16 MiB at 150..450/s, one in each of 64 slots. */
const spots = (seed: number, sizeBytes: number): FieldArea[] =>
  onePerSlot(fieldRandom('B', seed), { ...place(64, 16 * MIB, WARM), sizeBytes });

/**
 * D: blocks of 4 MiB in random order, popularity 1/rank^0.99, 82 million accesses per second. Hot are
 * the first ranks that together have half of the accesses; the threshold lies half-way between the
 * last of them and the next, so it separates exactly.
 */
function zipf(seed: number): AccessField {
  const areas = zipfBlocks(fieldRandom('D', seed), {
    sizeBytes: SIZE,
    blockBytes: 2 * CELL,
    exponent: 0.99,
    totalPerS: 82e6,
  });
  const half = areas.reduce((sum, area) => sum + area.perS, 0) / 2;
  let hotBlocks = 0;
  for (let before = 0; before < half; hotBlocks++) before += areas[hotBlocks].perS;
  const hotPerS = (areas[hotBlocks - 1].perS + areas[hotBlocks].perS) / 2 + BACKGROUND;
  return field('zipf', areas, SIZE, hotPerS);
}

/**
 * A working set at 300/s that grows by 512 MiB every 1.73 s until it has 5 GiB (15.57 s), splits into 8
 * pieces in 8 slots (20.37 s), of which one dies every 2.33 s from 42.7 s on (the seventh at 56.68 s);
 * the last one stays. Changes meet no aggregation interval of whole tenths of a second.
 */
function phases(seed: number): AccessField {
  const [growUs, splitUs, dieFromUs, dieUs] = [1.73e6, 20.37e6, 40.37e6, 2.33e6];
  const draw = fieldRandom('P', seed);
  const whole = anywhere(draw, place(1, 5 * GIB, exactly(300), GIB))[0];
  const grow = Array.from({ length: 9 }, (_, k) => ({
    atUs: (k + 1) * growUs,
    end: whole.start + (k + 2) * 512 * MIB,
  }));
  const pieces = onePerSlot(draw, place(8, (5 * GIB) / 8, exactly(300)));
  return field('phases', [
    { ...whole, end: whole.start + 512 * MIB, changes: [...grow, { atUs: splitUs, perS: 0 }] },
    ...pieces.map((piece, k) => ({
      ...piece,
      perS: 0,
      changes: [
        { atUs: splitUs, perS: piece.perS },
        ...(k > 0 ? [{ atUs: dieFromUs + (8 - k) * dieUs, perS: 0 }] : []),
      ],
    })),
  ]);
}

const BUILTIN = {
  onehot: (seed) => field('onehot', onehot(seed)),
  spots64: (seed) => field('spots64', spots(seed, SIZE)),
  /** C: 256 areas of 2 MiB at 150..450/s, one in each of 256 slots. */
  small256: (seed) => field('small256', onePerSlot(fieldRandom('C', seed), place(256, CELL, WARM))),
  zipf,
  /** E: 1 GiB at 300/s that jumps to the next GiB every 5.44 s. */
  moving: (seed) =>
    field(
      'moving',
      anywhere(fieldRandom('E', seed), place(1, GIB, exactly(300), GIB)).map((area) => ({
        ...area,
        movesEveryUs: 5.44e6,
      })),
    ),
  /** 2,048 areas of 64 KiB at 400/s, one in each slot of 80 MiB, at any page. */
  fine: (seed) =>
    field('fine', onePerSlot(fieldRandom('F', seed), place(2048, 64 * KIB, exactly(400), PAGE_SIZE))),
  /** The areas of B in 16 TiB. */
  huge: (seed) => field('huge', spots(seed, 2 ** 44), 2 ** 44),
  /** Each page with a chance of 1 % at 10/s. Hot from 5/s on. */
  sparse: (seed) => field('sparse', randomPages(fieldRandom('S', seed), SIZE, 0.01, exactly(10)), SIZE, 5),
  phases,
  /** A with translations that stay in the TLB: pull sees each page once. */
  tlb: (seed) =>
    field(
      'tlb',
      onehot(seed).map((area) => ({ ...area, isTlb: true })),
    ),
} as const satisfies Readonly<Record<string, FieldSource['create']>>;

export type BuiltinField = keyof typeof BUILTIN;

export const FIELD_NAMES = Object.keys(BUILTIN) as readonly BuiltinField[];

/** The built-in field of that name. Throws THERMO_FIELD_UNKNOWN for another name. */
export function builtinField(name: string): FieldSource {
  if (!Object.hasOwn(BUILTIN, name)) {
    throw new ThermoError('THERMO_FIELD_UNKNOWN', `there is no field "${name}"`, {
      hint: `${suggest(name, FIELD_NAMES, 'fields')}; or a file such as ./field.yaml`,
    });
  }
  return { name, create: BUILTIN[name as BuiltinField] };
}
