/** Whether the kernel takes the calls that move and advise memory: asked with arguments that change nothing. */
import { ThermoError } from '../../../memory/error.ts';
import { type Libc, loadLibc } from './koffi.ts';

export interface NativeProbe {
  /** Why no call can be made. */
  readonly problem: string | undefined;
  /** `works`, or the name of the error. */
  readonly movePages: string;
  readonly processMadvise: string;
}

export function probeNative(): NativeProbe {
  let libc: Libc;
  try {
    libc = loadLibc();
  } catch (error) {
    if (!(error instanceof ThermoError)) throw error;
    return { problem: error.message, movePages: 'unknown', processMadvise: 'unknown' };
  }
  const call = libc.declare('syscall', 'long', [
    'long',
    'long',
    'long',
    'void *',
    'void *',
    'void *',
    'long',
  ]);
  // Asking for the nodes of no page of this process succeeds wherever the call exists.
  const moved = Number(call(libc.number('move_pages'), 0, 0, null, null, null, 0));
  const movePages = moved === 0 ? 'works' : libc.errorName();
  // No process has the descriptor -1: EBADF says that the call exists.
  const advised = Number(call(libc.number('process_madvise'), -1, 0, null, null, null, 0));
  const error = advised === 0 ? 'EBADF' : libc.errorName();
  return {
    problem: undefined,
    movePages,
    processMadvise: error === 'EBADF' || error === 'EINVAL' ? 'works' : error,
  };
}
