/** Finds access-rate fields: built-in ones by name, others in files. */
import type { FieldSource } from '../machines/field/access-field.ts';
import { builtinField } from '../machines/field/builtin.ts';
import { loadField } from '../machines/field/load-field.ts';
import { ThermoError } from '../memory/error.ts';
import type { Terminal } from './terminal.ts';
import { isFileName, readInput } from './text-input.ts';

/** @param names of built-in fields, or paths of YAML files */
export async function openFields(names: readonly string[], terminal: Terminal): Promise<FieldSource[]> {
  const fields: FieldSource[] = [];
  for (const name of names) {
    const field = isFileName(name) ? await openFile(name, terminal) : builtinField(name);
    if (fields.some((other) => other.name === field.name)) {
      throw new ThermoError('THERMO_USAGE', `two fields are named "${field.name}"`, {
        hint: 'rows of a report are told apart by the name of their field',
      });
    }
    fields.push(field);
  }
  return fields;
}

async function openFile(path: string, terminal: Terminal): Promise<FieldSource> {
  const { text, file } = await readInput(path, 'expected a field file (docs/fields.md)', terminal);
  return loadField(text, file);
}
