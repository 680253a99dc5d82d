/**
 * The guest's file system: two uncompressed cpio archives, which the kernel unpacks one after the other.
 * The base (busybox, Node with its libraries) changes with Node; the overlay (this program as built, its
 * dependencies, the tests) is packed anew for each boot.
 */
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
  const path = join(work, `base-node-${process.version}.cpio`);
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
export function makeImage(work, base) {
  const root = join(work, 'overlay');
  rmSync(root, { recursive: true, force: true });
  const app = join(root, 'app');
  mkdirSync(join(app, 'node_modules'), { recursive: true });
  for (const name of ['dist', 'package.json', 'schemes'])
    cpSync(join(REPOSITORY, name), join(app, name), { recursive: true });
  for (const name of ['@koromix', ...dependencies()]) copyModule(name, join(app, 'node_modules', name));
  cpSync(join(REPOSITORY, 'rig', 'guest'), join(root, 'guest'), { recursive: true });
  for (const name of ['tick', 'hotset']) {
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

function dependencies() {
  const { dependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(REPOSITORY, 'package.json'), 'utf8'),
  );
  const found = new Set();
  const add = (name) => {
    const folder = join(REPOSITORY, 'node_modules', name);
    if (found.has(name) || !existsSync(folder)) return;
    found.add(name);
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    for (const next of Object.keys(manifest.dependencies ?? {})) add(next);
  };
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) add(name);
  if (!found.has('koffi')) throw new Skip('koffi is not installed (npm ci brings it on x86-64 Linux)');
  return found;
}

/** Without what only people read, and without binaries for other C libraries. */
function copyModule(name, to) {
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
