/**
 * The built program in a few files: emulated, a thousand modules take twenty seconds and more to load, and
 * the tests start it several times. The bundler is the one that the test runner brings along.
 */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY, Skip } from './host.mjs';

/** By name in the guest: what tests run, and the workers, which must lie where they are looked for. */
const ENTRIES = {
  main: 'cli/main.js',
  deploy: 'cli/commands/deploy.js',
  'run-linux': 'cli/commands/run-linux.js',
  'source-names': 'sources/source-names.js',
  'region-worker': 'sources/region-worker.js',
  'native/move-worker': 'machines/linux/native/move-worker.js',
};

/** @param app folder of the program in the guest, where its package.json lies */
export async function bundleProgram(app) {
  let build;
  try {
    ({ build } = await import('rolldown'));
  } catch {
    throw new Skip('the bundler rolldown, a dependency of vitest, is not installed (npm ci)');
  }
  const dist = join(REPOSITORY, 'dist');
  await build({
    cwd: REPOSITORY,
    input: Object.fromEntries(Object.entries(ENTRIES).map(([name, path]) => [name, join(dist, path)])),
    platform: 'node',
    external: ['koffi'],
    logLevel: 'silent',
    // Two levels below package.json, as dist/cli/ is.
    output: { dir: join(app, 'dist', 'program'), format: 'esm', chunkFileNames: '[name]-[hash].js' },
  });
  for (const name of ['package.json', 'schemes']) {
    cpSync(join(REPOSITORY, name), join(app, name), { recursive: true });
  }
}
