/**
 * The one error type that reaches a user, and the check for our own bugs.
 *
 * A `ThermoError` is about input or environment: it is printed without a stack and ends the
 * program with exit status 1 (2 for wrong usage). An `InvariantError` is a bug of thermocline
 * itself: it is thrown at once and keeps its stack.
 */

/** Every error code with what it means; a code is stable across versions. */
export const ERROR_CODES = {
  THERMO_UNITS_BAD_VALUE: 'a size, time, rate, count or percentage could not be read',
  THERMO_USAGE: 'a command line option or argument is wrong',
  THERMO_FILE_UNREADABLE: 'a file could not be opened or read',
  THERMO_FILE_UNWRITABLE: 'a file or directory could not be written',
  THERMO_SCHEME_SYNTAX: 'a scheme file is not YAML, or is empty',
  THERMO_SCHEME_UNKNOWN_KEY: 'a scheme file has a key that thermocline does not know',
  THERMO_SCHEME_MISSING_KEY: 'a scheme file lacks a required key',
  THERMO_SCHEME_BAD_TYPE: 'a value in a scheme file has the wrong type',
  THERMO_SCHEME_BAD_VALUE: 'a value in a scheme file is impossible',
  THERMO_SCHEME_BAD_SENTENCE: 'a scheme sentence could not be understood',
  THERMO_SCHEME_UNKNOWN_TIER: 'a scheme names a tier or node that the machine lacks',
  THERMO_SCHEME_UNSUPPORTED_ACTION: 'a scheme asks for an action that the machine cannot do',
  THERMO_SCHEME_UNSUPPORTED_FILTER: 'a scheme filters by what the machine cannot tell of pages',
  THERMO_SCHEME_UNSUPPORTED_METRIC: 'a goal is about what the machine cannot measure',
  THERMO_WARN_QUOTA_ABOVE_TARGET: 'the quota of one window is larger than the memory it fills (warning)',
  THERMO_WARN_QUOTA_BELOW_REGION: 'the quota of one window is smaller than any region (warning)',
  THERMO_WARN_NO_DEMOTION: 'memory is promoted to where no scheme makes room (warning)',
  THERMO_WARN_INTERVAL_BELOW_AGGREGATION: 'rounds come faster than the regions change (warning)',
  THERMO_WARN_SCHEMES_UNDO: 'two schemes move the same memory to and fro (warning)',
  THERMO_WARN_WRONG_DIRECTION: 'hot memory moves down, or cold memory up (warning)',
  THERMO_WARN_GOAL_UNREACHABLE: 'a goal can never be reached (warning)',
  THERMO_WARN_RATE_SATURATED: 'a rate is asked for that samples cannot tell from higher ones (warning)',
  THERMO_WARN_MATCHES_ALL: 'memory is paged out whether it is in use or not (warning)',
  THERMO_TRACE_FORMAT: 'a trace is in no known format, or holds no access',
  THERMO_TRACE_TRUNCATED: 'a compressed trace ends too early or is damaged',
  THERMO_RECORD_FORMAT: 'a record of regions is in no known format, or is not in order',
  THERMO_MONITOR_CONFIG: 'monitoring attributes contradict each other or the machine',
  THERMO_FIELD_UNKNOWN: 'there is no access-rate field of that name',
  THERMO_FIELD_SYNTAX: 'a field file is not YAML, or is empty',
  THERMO_FIELD_UNKNOWN_KEY: 'a field file has a key that thermocline does not know',
  THERMO_FIELD_MISSING_KEY: 'a field file lacks a required key',
  THERMO_FIELD_BAD_TYPE: 'a value in a field file has the wrong type',
  THERMO_FIELD_BAD_VALUE: 'a value in a field file is impossible',
  THERMO_MACHINE_SYNTAX: 'a machine file is not YAML, or is empty',
  THERMO_MACHINE_UNKNOWN_KEY: 'a machine file has a key that thermocline does not know',
  THERMO_MACHINE_MISSING_KEY: 'a machine file lacks a required key',
  THERMO_MACHINE_BAD_TYPE: 'a value in a machine file has the wrong type',
  THERMO_MACHINE_BAD_VALUE: 'a value in a machine file is impossible',
  THERMO_MACHINE_CONFIG: 'a machine cannot be built from its description',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;
/** Codes of what is legal and yet unwise. */
export type WarningCode = Extract<ErrorCode, `THERMO_WARN_${string}`>;

/** Where in a text a problem is; line and column count from 1. */
export interface TextPosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** What stands there, to be shown: a part of the line, and the index in it that is meant. */
  readonly source?: { readonly text: string; readonly caret: number };
}

export class ThermoError extends Error {
  readonly code: ErrorCode;
  readonly where: TextPosition | undefined;
  /** What to do about it, or what is accepted; printed on a line of its own. */
  readonly hint: string | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { where?: TextPosition | undefined; hint?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ThermoError';
    this.code = code;
    this.where = options.where;
    this.hint = options.hint;
  }

  /** The text a user sees: `file:line:column: message`, then an indented hint. */
  format(): string {
    const at = this.where ? `${this.where.file}:${this.where.line}:${this.where.column}: ` : '';
    return `${at}${this.message}${this.hint ? `\n  ${this.hint}` : ''}`;
  }
}

/** All problems of one input, reported together. */
export class ThermoErrors extends Error {
  readonly errors: readonly ThermoError[];

  constructor(errors: readonly ThermoError[]) {
    super(errors.map((error) => error.format()).join('\n'));
    this.name = 'ThermoErrors';
    this.errors = errors;
  }
}

export class InvariantError extends Error {
  constructor(message: string) {
    super(`broken invariant (a bug in thermocline): ${message}`);
    this.name = 'InvariantError';
  }
}

/** Throws an {@link InvariantError} unless `condition` holds. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
