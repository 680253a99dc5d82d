/** What the rig does on this machine: runs programs, keeps a work directory, tells why it must skip. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPOSITORY = dirname(dirname(fileURLToPath(import.meta.url)));

/** The rig cannot run here: a reason, not a failure. */
export class Skip extends Error {}

/** Kernels and images are kept outside of the repository, from run to run. */
export function workDirectory() {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  const directory = process.env.THERMOCLINE_RIG ?? join(cache, 'thermocline-rig');
  mkdirSync(directory, { recursive: true });
  return directory;
}

export function say(text) {
  process.stderr.write(`rig: ${text}\n`);
}

export function findProgram(name) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}

/** Runs to the end and returns its output. @throws Error with what it said */
export function run(program, args, options = {}) {
  const result = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    timeout: 300_000,
    ...options,
  });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) {
    throw new Error(`${program} ${args.join(' ')}: status ${result.status}\n${result.stderr ?? ''}`);
  }
  return result.stdout;
}

/** Debian's package of each program that the rig needs. */
const PROGRAMS = {
  'qemu-system-x86_64': 'qemu-system-x86',
  busybox: 'busybox-static',
  cpio: 'cpio',
  gcc: 'gcc',
  strip: 'binutils',
};

/** Installs what is missing, where that is possible. @throws Skip */
export function ensurePrograms() {
  if (process.arch !== 'x64' || process.platform !== 'linux') {
    throw new Skip(
      `the guest is an x86-64 Linux with this machine's Node; this is ${process.platform} ${process.arch}`,
    );
  }
  const missing = Object.keys(PROGRAMS).filter((name) => findProgram(name) === undefined);
  const isStatic = missing.includes('busybox') || isStaticBusybox();
  if (missing.length === 0 && isStatic) return;
  const packages = [...new Set([...missing, ...(isStatic ? [] : ['busybox'])].map((name) => PROGRAMS[name]))];
  const remedy = `apt-get install --no-install-recommends ${packages.join(' ')}`;
  if (findProgram('apt-get') === undefined) throw new Skip(`${missing.join(', ')} missing, and no apt-get`);
  if (process.getuid() !== 0) throw new Skip(`${missing.join(', ')} missing; as root: ${remedy}`);
  say(`installing ${packages.join(', ')}`);
  try {
    run('apt-get', ['update', '-qq']);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  } catch (error) {
    throw new Skip(`${remedy} failed: ${error.message}`);
  }
}

function isStaticBusybox() {
  const result = spawnSync('ldd', [findProgram('busybox') ?? 'busybox'], { encoding: 'utf8' });
  return /not a dynamic|statically linked/.test(`${result.stdout}${result.stderr}`);
}
