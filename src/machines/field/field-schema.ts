/**
 * The field file, once: TypeScript types, validation and the JSON Schema for editors all come from here.
 * The format is explained in docs/fields.md.
 */
import Type, { type Static } from 'typebox';
import { jsonSchemaDocument, quantity } from '../../yaml/quantity.ts';

const PLACEMENTS = ['one-per-slot', 'anywhere', 'pages'] as const;

export const AreaSchema = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, description: 'by which phases name it' })),
    at: Type.Optional(quantity('first byte, for an area at a fixed place', ['10 GiB'])),
    size: Type.Optional(quantity('size of the area, or of each area', ['16 MiB'])),
    rate: Type.Optional(
      quantity('accesses per page and second, or a range in which each area gets its own', [
        '300/s',
        '150/s..450/s',
      ]),
    ),
    placement: Type.Optional(
      Type.Unsafe<(typeof PLACEMENTS)[number]>({
        type: 'string',
        enum: [...PLACEMENTS],
        description:
          'one-per-slot: in each of `count` equal slots; anywhere: may overlap; pages: single pages, each with chance `share`',
      }),
    ),
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, description: 'how many areas' })),
    align: Type.Optional(quantity('areas begin at multiples of this; 4 KiB if left out', ['2 MiB'])),
    share: Type.Optional(quantity('share of all pages, for placement pages', ['1%'])),
    zipf: Type.Optional(
      Type.Object(
        {
          block: quantity('size of a block', ['4 MiB']),
          exponent: Type.Number({
            minimum: 0,
            maximum: 10,
            description: 'popularity 1/rank^exponent',
            examples: [0.99],
          }),
          total: quantity('accesses per second of all blocks together', ['82M/s']),
        },
        {
          description: 'blocks of falling popularity in random order over all memory',
          additionalProperties: false,
        },
      ),
    ),
    moves: Type.Optional(
      Type.String({
        description: 'jumps by its own size each time that long; from the top to the bottom',
        examples: ['every 5.44s'],
      }),
    ),
    node: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 1023, description: 'node whose CPUs access it; 0 if left out' }),
    ),
    stores: Type.Optional(quantity('share of stores among the accesses; none if left out', ['30%'])),
    tlb: Type.Optional(
      Type.Boolean({ description: 'translations stay in the TLB: each page is seen accessed at most once' }),
    ),
  },
  { description: 'memory that is accessed more than the background', additionalProperties: false },
);

export const PhaseSchema = Type.Object(
  {
    at: quantity('time from which on it holds', ['10s']),
    area: Type.String({ description: 'name of the area or areas' }),
    rate: Type.Optional(quantity('new rate; off: it cools to the background', ['300/s', 'off'])),
    size: Type.Optional(quantity('new size; the start stays', ['2 GiB'])),
  },
  { description: 'a change of an area', additionalProperties: false },
);

export const FIELD_SCHEMA_ID = 'https://thermocline.invalid/schema/field-1.json';

export const FieldFileSchema = Type.Object(
  {
    name: Type.String({ minLength: 1, description: 'shown in reports' }),
    size: quantity('size of the address space', ['160 GiB']),
    background: Type.Optional(
      quantity('accesses per page and second everywhere, areas come on top; none if left out', ['0.001/s']),
    ),
    hot: Type.Optional(
      quantity('rate from which on a page is hot; --hot goes before it, 30/s if left out', ['30/s']),
    ),
    letter: Type.Optional(
      Type.String({
        pattern: '^[A-Za-z]$',
        description: 'chooses the random numbers, together with the seed; Y if left out',
        examples: ['B'],
      }),
    ),
    areas: Type.Array(AreaSchema, { minItems: 1, description: 'rates of areas that overlap add up' }),
    phases: Type.Optional(Type.Array(PhaseSchema, { description: 'changes over time' })),
  },
  { $id: FIELD_SCHEMA_ID, title: 'thermocline access-rate field', additionalProperties: false },
);

export type FieldFile = Static<typeof FieldFileSchema>;
export type AreaEntry = Static<typeof AreaSchema>;
export type PhaseEntry = Static<typeof PhaseSchema>;

/** The JSON Schema document (draft-07) that editors use. */
export function fieldJsonSchema(): object {
  return jsonSchemaDocument(FieldFileSchema);
}
