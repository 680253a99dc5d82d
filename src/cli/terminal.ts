/** The process as the commands see it: streams, environment, Ctrl-C. The only place that knows `process`. */
import type { Readable, Writable } from 'node:stream';
import { type ColorDepth, detectColorDepth } from '../view/palette.ts';

export interface Terminal {
  readonly stdin: Readable;
  /** Data. */
  readonly stdout: Writable;
  /** Talk: progress, warnings, errors. */
  readonly stderr: Writable;
  /** What was typed, for results that tell where they come from. */
  readonly commandLine: string;
  readonly width: number;
  readonly colorDepth: ColorDepth;
  /** True if stderr is a terminal whose line can be rewritten. */
  readonly canRewrite: boolean;
  /** True once the user asked to stop (Ctrl-C, SIGTERM). */
  isInterrupted(): boolean;
  /** Lets the user ask for an undo by SIGUSR2; the function is true once after each. */
  listenForUndo(): () => boolean;
  /** Runs when the process ends, however it does, unless it is killed; may be called more than once. */
  onExit(takeBack: () => void): void;
}

const DEFAULT_WIDTH = 100;
const MAX_WIDTH = 160;

/** As a shell reads it back. */
function quote(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}

export function openTerminal(): Terminal {
  let interrupted = false;
  const onSignal = (): void => {
    // The second one does not wait for the interval to end.
    if (interrupted) process.exit(130);
    interrupted = true;
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // The reader has gone (`| head`): nothing more to say.
      if (error.code === 'EPIPE') process.exit(0);
      if (stream === process.stdout)
        process.stderr.write(`thermocline: cannot write the result: ${error.message}\n`);
      process.exit(1);
    });
  }
  return {
    stdin: process.stdin,
    commandLine: ['thermocline', ...process.argv.slice(2).map(quote)].join(' '),
    stdout: process.stdout,
    stderr: process.stderr,
    width: Math.max(
      20,
      Math.min(MAX_WIDTH, process.stdout.columns ?? (Number(process.env.COLUMNS) || DEFAULT_WIDTH)),
    ),
    colorDepth: detectColorDepth(process.env, process.stdout.isTTY === true),
    canRewrite: process.stderr.isTTY === true && process.env.TERM !== 'dumb',
    isInterrupted: () => interrupted,
    listenForUndo: () => {
      let asked = 0;
      process.on('SIGUSR2', () => {
        asked++;
      });
      return () => asked > 0 && asked-- > 0;
    },
    onExit: (takeBack) => {
      process.on('exit', takeBack);
      process.on('SIGHUP', () => process.exit(129));
    },
  };
}
