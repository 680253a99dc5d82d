// Writes schemes/thermocline.schema.json from the schema in the source; run after changing it.
import { writeFileSync } from 'node:fs';
import { schemeJsonSchema } from '../dist/schemes/schema.js';

const target = new URL('../schemes/thermocline.schema.json', import.meta.url);
writeFileSync(target, `${JSON.stringify(schemeJsonSchema(), null, 2)}\n`);
process.stderr.write('wrote schemes/thermocline.schema.json\n');
