/**
 * The one place that knows koffi, an optional package: calls into libc from JavaScript. It is loaded when
 * the first call is needed, so that everything else works without it.
 *
 * System calls go through libc's `syscall`, declared once for each call with fixed argument types. The
 * numbers are those of x86-64 and of arm64 (include/uapi/asm-generic/unistd.h).
 */
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import { ThermoError } from '../../../memory/error.ts';

export type KoffiModule = typeof Koffi;

const NUMBERS: Readonly<Record<string, Readonly<Record<SystemCall, number>>>> = {
  x64: { move_pages: 279, perf_event_open: 298, pidfd_open: 434, process_madvise: 440 },
  arm64: { move_pages: 239, perf_event_open: 241, pidfd_open: 434, process_madvise: 440 },
};
export type SystemCall = 'move_pages' | 'perf_event_open' | 'pidfd_open' | 'process_madvise';

export interface Libc {
  readonly koffi: KoffiModule;
  /** Declares a function of libc. */
  declare(name: string, result: string, args: readonly string[]): (...args: unknown[]) => unknown;
  number(call: SystemCall): number;
  /** Name of the error of the last call, as `ENOMEM`. */
  errorName(): string;
}

let loaded: Libc | undefined;

/** @throws ThermoError THERMO_MACHINE_CONFIG where koffi or the numbers of calls are missing */
export function loadLibc(): Libc {
  if (loaded !== undefined) return loaded;
  const numbers = NUMBERS[process.arch];
  if (process.platform !== 'linux' || numbers === undefined) {
    throw new ThermoError(
      'THERMO_MACHINE_CONFIG',
      `calls into the kernel are known for Linux on ${Object.keys(NUMBERS).join(' and ')}, and this is ${process.platform} on ${process.arch}`,
    );
  }
  let koffi: KoffiModule;
  try {
    // Synchronous, since callers are; koffi comes as CommonJS too.
    koffi = createRequire(import.meta.url)('koffi') as KoffiModule;
  } catch (error) {
    throw new ThermoError('THERMO_MACHINE_CONFIG', 'the package koffi cannot be loaded', {
      hint: 'npm install koffi; it calls move_pages and perf_event_open',
      cause: error,
    });
  }
  const library = koffi.load('libc.so.6');
  const names = new Map(Object.entries(koffi.os.errno).map(([name, number]) => [number, name]));
  loaded = {
    koffi,
    declare: (name, result, args) => library.func(name, result, [...args]),
    number: (call) => numbers[call],
    errorName: () => names.get(koffi.errno()) ?? `errno ${koffi.errno()}`,
  };
  return loaded;
}
