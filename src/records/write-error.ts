/** Says in plain words that a file or directory cannot be written. */
import { ThermoError } from '../memory/error.ts';

export function writeError(error: unknown, path: string, hint: string): ThermoError {
  if (error instanceof ThermoError) return error;
  const { message } = error as Error;
  return new ThermoError('THERMO_FILE_UNWRITABLE', `cannot write ${path}: ${message}`, {
    hint,
    cause: error,
  });
}
