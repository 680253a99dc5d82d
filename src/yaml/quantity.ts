/** Schemas of values with units, and the JSON Schema document of a file. */
import Type from 'typebox';

/** A text with a unit, or a bare number where the key names the unit. */
export const quantity = (description: string, examples: readonly (string | number)[]) =>
  Type.Unsafe<string | number>({ type: ['string', 'number'], description, examples: [...examples] });

/** The JSON Schema document (draft-07) that editors use. */
export function jsonSchemaDocument(schema: object): object {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    ...JSON.parse(JSON.stringify(schema)),
  };
}
