/** Schemas of values with units, and the JSON Schema document of a file. */
import Type from 'typebox';

/** A text with a unit, or a bare number where the key names the unit. */
export const quantity = (description: string, examples: readonly (string | number)[]) =>
  Type.Unsafe<string | number>({ type: ['string', 'number'], description, examples: [...examples] });

/** One of a table's words; `description` says what the choice is, the table what each word means. */
export const wordOf = <W extends string>(words: readonly W[], description: string) =>
  Type.Unsafe<W>({ type: 'string', enum: [...words], description });

/** The JSON Schema document (draft-07) that editors use. */
export function jsonSchemaDocument(schema: object): object {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    ...JSON.parse(JSON.stringify(schema)),
  };
}
