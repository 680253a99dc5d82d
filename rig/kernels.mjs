/**
 * Debian kernels for the guest, found by pattern (versions roll) and unpacked without being installed.
 *
 * Other suites than the configured ones are read with an apt state of their own, from the same mirror
 * and with the same keys: nothing of the system's changes.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { findProgram, run, Skip, say } from './host.mjs';

/** By the name that users give: where to look for it, in order. `undefined`: the configured suites. */
const KERNELS = {
  6.12: [
    { suite: undefined, pattern: String.raw`^linux-image-6\.12\.[0-9]+.*-cloud-amd64$` },
    { suite: 'bookworm-backports', pattern: String.raw`^linux-image-6\.12\.[0-9]+.*-cloud-amd64$` },
    { suite: 'trixie', pattern: String.raw`^linux-image-6\.12\.[0-9]+.*-cloud-amd64$` },
  ],
  // Since 7.0 the image is a package of its own.
  7.3: [{ suite: 'trixie-backports', pattern: String.raw`^linux-binary-7\..*-cloud-amd64$` }],
};
export const KERNEL_NAMES = Object.keys(KERNELS);

/** A kernel that was downloaded is used for so long before a newer one is looked for. */
const KEEP_MS = 7 * 24 * 3600e3;

/** @returns path of the kernel image. @throws Skip when none can be had */
export function fetchKernel(name, work) {
  const folder = join(work, 'kernels', name);
  mkdirSync(folder, { recursive: true });
  const kept = readdirSync(folder)
    .filter((file) => file.startsWith('vmlinuz-'))
    .map((file) => join(folder, file))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0];
  if (kept !== undefined && Date.now() - statSync(kept).mtimeMs < KEEP_MS) return kept;
  if (findProgram('apt-get') === undefined) {
    if (kept !== undefined) return kept;
    throw new Skip('kernels come from Debian, and there is no apt-get here');
  }
  const problems = [];
  for (const { suite, pattern } of KERNELS[name]) {
    try {
      const path = download(suite, pattern, folder);
      if (path !== undefined) return path;
      problems.push(`${suite ?? 'configured suites'}: no package ${pattern}`);
    } catch (error) {
      problems.push(`${suite ?? 'configured suites'}: ${error.message.split('\n')[0]}`);
    }
  }
  if (kept !== undefined) return kept;
  throw new Skip(`no kernel ${name} to be had: ${problems.join('; ')}`);
}

function download(suite, pattern, folder) {
  const env = { ...process.env, ...(suite === undefined ? {} : { APT_CONFIG: ownState(suite, folder) }) };
  if (suite !== undefined) run('apt-get', ['update', '-qq'], { env });
  const packages = run('apt-cache', ['search', '--names-only', pattern], { env })
    .split('\n')
    .map((line) => line.split(' ')[0])
    .filter((each) => each !== '');
  const newest = packages.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).at(-1);
  if (newest === undefined) return undefined;
  say(`downloading ${newest}`);
  const unpacked = join(folder, 'unpacked');
  rmSync(unpacked, { recursive: true, force: true });
  mkdirSync(unpacked);
  run('apt-get', ['download', '-qq', newest], { env, cwd: unpacked });
  const archive = readdirSync(unpacked).find((file) => file.endsWith('.deb'));
  run('dpkg-deb', ['-x', archive, 'root'], { cwd: unpacked });
  const image = findImage(join(unpacked, 'root'));
  if (image === undefined) throw new Error(`${newest} holds no kernel image`);
  const path = join(folder, `vmlinuz-${newest}`);
  renameSync(image, path);
  // The package keeps the time at which the kernel was built.
  utimesSync(path, new Date(), new Date());
  rmSync(unpacked, { recursive: true });
  return path;
}

function findImage(root) {
  const boot = join(root, 'boot');
  const inBoot = existsSync(boot) ? readdirSync(boot).find((file) => file.startsWith('vmlinuz')) : undefined;
  if (inBoot !== undefined) return join(boot, inBoot);
  const modules = join(root, 'usr', 'lib', 'modules');
  for (const version of existsSync(modules) ? readdirSync(modules) : []) {
    if (existsSync(join(modules, version, 'vmlinuz'))) return join(modules, version, 'vmlinuz');
  }
  return undefined;
}

/** An apt configuration that knows one suite and no installed package. @returns its path */
function ownState(suite, folder) {
  const apt = join(folder, 'apt', suite);
  for (const part of ['state/lists/partial', 'cache/archives/partial', 'etc']) {
    mkdirSync(join(apt, part), { recursive: true });
  }
  const targets = run('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages']);
  const mirror = targets.split('\n').find((uri) => /\/debian\/?$/.test(uri));
  if (mirror === undefined) throw new Error('no Debian mirror is configured');
  writeFileSync(join(apt, 'status'), '');
  writeFileSync(
    join(apt, 'etc', 'sources.list'),
    `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror} ${suite} main\n`,
  );
  const settings = {
    'Dir::State': join(apt, 'state'),
    'Dir::State::status': join(apt, 'status'),
    'Dir::Cache': join(apt, 'cache'),
    'Dir::Etc': join(apt, 'etc'),
    'Dir::Etc::sourcelist': join(apt, 'etc', 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'APT::Architecture': 'amd64',
    'Acquire::Languages': 'none',
  };
  const path = join(apt, 'apt.conf');
  writeFileSync(
    path,
    Object.entries(settings)
      .map(([key, value]) => `${key} "${value}";\n`)
      .join(''),
  );
  return path;
}
