#!/usr/bin/env node
/**
 * `npm run e2e`: this program on real kernels, in a machine with two memory tiers that QEMU emulates.
 *
 *   node rig/run.mjs [--kernel 6.12]... [--only NAME]... [--log FILE]
 *
 * Standard output has the guests' lines and, last, "N passed, N failed". What cannot run here is skipped
 * loudly, with status 0: a machine without QEMU is not a broken program.
 */
import { appendFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { boot } from './boot.mjs';
import { PROMOTE } from './guest/scheme.mjs';
import { ensurePrograms, REPOSITORY, run, Skip, say, workDirectory } from './host.mjs';
import { makeBase, makeImage } from './image.mjs';
import { fetchKernel, KERNEL_NAMES } from './kernels.mjs';
import { predictedLine } from './predict.mjs';

const { values } = parseArgs({
  options: {
    kernel: { type: 'string', multiple: true, default: KERNEL_NAMES },
    only: { type: 'string', multiple: true, default: [] },
    log: { type: 'string' },
    limit: { type: 'string', default: '700' },
  },
});

/** A boot that never came to the tests is tried once more; a failed test is not. */
const BOOTS = 2;
const SHOWN = /^(ok|FAIL|skip|#|\|)( |$)/;

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130));

let passed = 0;
let failed = 0;

async function testOn(name, kernel, image) {
  for (let attempt = 1; attempt <= BOOTS; attempt++) {
    const [startMs, tail] = [Date.now(), []];
    let [hasStarted, hasEnded] = [false, false];
    await boot({
      kernel,
      image,
      limitS: Number(values.limit),
      guestArguments: values.only.map((each) => `only=${each}`).join(' '),
      onLine: (line) => {
        if (values.log !== undefined) appendFileSync(values.log, `${name} ${line}\n`);
        tail.push(line);
        if (tail.length > 30) tail.shift();
        if (line.startsWith('# start')) hasStarted = true;
        if (line.startsWith('# end')) hasEnded = true;
        if (line.startsWith('ok ')) passed++;
        if (line.startsWith('FAIL ')) failed++;
        if (SHOWN.test(line)) process.stdout.write(`${name} ${line}\n`);
      },
    });
    say(`${name}: ${((Date.now() - startMs) / 1000).toFixed(0)} s`);
    if (hasEnded) return;
    process.stdout.write(tail.map((line) => `${name} console: ${line}\n`).join(''));
    if (hasStarted || attempt === BOOTS) {
      failed++;
      process.stdout.write(
        `${name} FAIL the guest ${hasStarted ? 'stopped in the middle of the tests' : 'did not boot'}\n`,
      );
      return;
    }
    say(`${name}: did not boot; once more`);
  }
}

async function main() {
  ensurePrograms();
  const work = workDirectory();
  run(process.execPath, [join(REPOSITORY, 'scripts', 'build.mjs')]);
  const image = await makeImage(work, makeBase(work));
  try {
    const kernels = values.kernel.map((name) => ({ name, path: fetchKernel(name, work) }));
    for (const { name, path } of kernels) say(`${name}: ${basename(path)}`);
    const boots = kernels.map(
      ({ name, path }) =>
        () =>
          testOn(name, path, image),
    );
    // A guest has one CPU, whose time does not depend on how busy this machine is.
    if (availableParallelism() > 1) await Promise.all(boots.map((start) => start()));
    else for (const start of boots) await start();
    // Told, not judged: how far off is the model?
    process.stdout.write(`model ${predictedLine(PROMOTE)}\n`);
  } finally {
    rmSync(image, { force: true });
  }
}

let skipped = 0;
try {
  await main();
} catch (error) {
  if (!(error instanceof Skip)) throw error;
  skipped++;
  process.stdout.write(`SKIPPED: the tests on real kernels did not run: ${error.message}\n`);
}
process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`);
process.exitCode = failed > 0 ? 1 : 0;
