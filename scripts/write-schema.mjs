// Writes the JSON Schema files in schemes/ from the schemas in the source; run after changing them.
import { writeFileSync } from 'node:fs';
import { fieldJsonSchema } from '../dist/machines/field/field-schema.js';
import { schemeJsonSchema } from '../dist/schemes/schema.js';

const documents = { 'thermocline.schema.json': schemeJsonSchema(), 'field.schema.json': fieldJsonSchema() };
for (const [name, document] of Object.entries(documents)) {
  writeFileSync(new URL(`../schemes/${name}`, import.meta.url), `${JSON.stringify(document, null, 2)}\n`);
  process.stderr.write(`wrote schemes/${name}\n`);
}
