/** Says in plain words why a file cannot be read. */
import { ThermoError } from '../memory/error.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
};

export function readError(error: unknown, name: string, hint?: string): ThermoError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new ThermoError('THERMO_FILE_UNREADABLE', `cannot read ${name}: ${REASONS[code ?? ''] ?? message}`, {
    hint,
    cause: error,
  });
}
