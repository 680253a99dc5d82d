/**
 * The guest's file system: two uncompressed cpio archives, which the kernel unpacks one after the other.
 * The base (busybox, Node with its libraries) changes with Node; the overlay (this program as built, koffi,
 * the tests) is packed anew for each boot.
 */
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { bundleProgram } from './bundle.mjs';
import { findProgram, REPOSITORY, run, Skip } from './host.mjs';

/** Commands that init and tests use. */
const APPLETS = [
  'sh',
  'mount',
  'mkdir',
  'cat',
  'echo',
  'ls',
  'poweroff',
  'sleep',
  'kill',
  'dmesg',
  'grep',
  'tail',
  'cut',
];

/** @returns path of the base archive */
export function makeBase(work) {
  const content = createHash('sha256').update(`${process.version} ${APPLETS}`).digest('hex').slice(0, 12);
  const path = join(work, `base-${content}.cpio`);
  if (existsSync(path)) return path;
  const root = join(work, 'base');
  rmSync(root, { recursive: true, force: true });
  for (const folder of ['bin', 'proc', 'sys', 'dev', 'tmp', 'run', 'root'])
    mkdirSync(join(root, folder), { recursive: true });
  copyFileSync(findProgram('busybox'), join(root, 'bin', 'busybox'));
  for (const name of APPLETS) symlinkSync('busybox', join(root, 'bin', name));
  copyFileSync(realpathSync(process.execPath), join(root, 'bin', 'node'));
  chmodSync(join(root, 'bin', 'node'), 0o755);
  run('strip', ['-s', join(root, 'bin', 'node')]);
  for (const library of librariesOf(process.execPath)) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    copyFileSync(realpathSync(library), join(root, library));
  }
  pack(root, path);
  rmSync(root, { recursive: true });
  return path;
}

/** The program, its tests and `init`, on top of the base. @returns path of the whole image */
export async function makeImage(work, base) {
  const root = join(work, 'overlay');
  rmSync(root, { recursive: true, force: true });
  const app = join(root, 'app');
  mkdirSync(join(app, 'node_modules'), { recursive: true });
  await bundleProgram(app);
  for (const name of ['koffi', '@koromix']) copyModule(name, join(app, 'node_modules', name));
  cpSync(join(REPOSITORY, 'rig', 'guest'), join(root, 'guest'), { recursive: true });
  for (const name of ['tick', 'hotset', 'moveloop']) {
    run('gcc', [
      '-O2',
      '-static',
      '-o',
      join(root, 'guest', name),
      join(REPOSITORY, 'rig', 'guest', `${name}.c`),
    ]);
  }
  copyFileSync(join(REPOSITORY, 'rig', 'guest', 'init.sh'), join(root, 'init'));
  chmodSync(join(root, 'init'), 0o755);
  const overlay = join(work, 'overlay.cpio');
  pack(root, overlay);
  const path = join(work, `image-${process.pid}.cpio`);
  writeFileSync(path, readFileSync(base));
  appendFileSync(path, readFileSync(overlay));
  return path;
}

/** Without what only people read, and without binaries for other C libraries. */
function copyModule(name, to) {
  if (!existsSync(join(REPOSITORY, 'node_modules', name))) {
    throw new Skip(`${name} is not installed (npm ci brings it on x86-64 Linux)`);
  }
  cpSync(join(REPOSITORY, 'node_modules', name), to, {
    recursive: true,
    dereference: true,
    filter: (path) => !/\/koffi\/(doc|vendor)(\/|$)|\/musl_x64(\/|$)|\.(md|map|ts|cc|hh)$/.test(path),
  });
}

function librariesOf(program) {
  return [...run('ldd', [program]).matchAll(/(?:=> )?(\/\S+) \(/g)].map((match) => match[1]);
}

function pack(root, path) {
  run('sh', ['-c', 'find . | cpio --quiet -o -H newc > "$0"', path], { cwd: root });
}
