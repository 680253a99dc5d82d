/** Values of options: mistakes in them are wrong usage. */
import { InvalidArgumentError } from 'commander';
import { ThermoError } from '../memory/error.ts';

/** Turns a reader of units into a reader of option values. */
export function argument<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof ThermoError)
        throw new InvalidArgumentError(`${error.message}\n  ${error.hint ?? ''}`.trimEnd());
      throw error;
    }
  };
}
