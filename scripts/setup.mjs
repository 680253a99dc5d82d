// Sets a fresh clone up: installs dependencies when they are missing or older than the lock file, then
// builds. Runs before `npm start` and `npm test`; says what it does on stderr.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`thermocline needs Node.js 20.19 or newer; this is ${process.version}\n`);
  process.exit(1);
}

const installed = join(root, 'node_modules', '.package-lock.json');
const lock = join(root, 'package-lock.json');
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  process.stderr.write('thermocline: installing dependencies ...\n');
  // Output goes to stderr: `npm start` may be piped.
  const result = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    process.stderr.write('thermocline: npm ci failed (see above); is the registry reachable?\n');
    process.exit(1);
  }
}
await import('./build.mjs');
