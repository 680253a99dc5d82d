// Writes the JSON Schema files in schemes/ from the schemas in the source; run after changing them.
import { writeFileSync } from 'node:fs';
import { fieldJsonSchema } from '../dist/machines/field/field-schema.js';
import { machineJsonSchema } from '../dist/machines/simulated/file/machine-schema.js';
import { schemeJsonSchema } from '../dist/schemes/schema.js';

const documents = {
  'thermocline.schema.json': schemeJsonSchema(),
  'field.schema.json': fieldJsonSchema(),
  'machine.schema.json': machineJsonSchema(),
};
for (const [name, document] of Object.entries(documents)) {
  writeFileSync(new URL(`../schemes/${name}`, import.meta.url), `${JSON.stringify(document, null, 2)}\n`);
  process.stderr.write(`wrote schemes/${name}\n`);
}
