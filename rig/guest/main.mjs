/** Runs the tests of the guest, one after the other, and prints a line for each promise kept or broken. */
import { tests as balancing } from './balancing.mjs';
import { tests as demotion } from './demotion.mjs';
import { tests as deploy } from './deploy.mjs';
import { tests as doctor } from './doctor.mjs';
import { setUp } from './machine.mjs';
import { tests as promotion } from './promotion.mjs';
import { tests as speed } from './speed.mjs';
import { tests as trouble } from './trouble.mjs';
import { loadProgram, read, seconds } from './workload.mjs';

const only = process.argv.flatMap((argument) => (argument.startsWith('only=') ? [argument.slice(5)] : []));

function check(isKept, promise, facts) {
  console.log(`${isKept ? 'ok' : 'FAIL'} ${promise} ${JSON.stringify(facts)}`);
}

console.log('# start');
console.log(`# kernel ${read('/proc/sys/kernel/osrelease')}`);
await setUp();
const loadStart = seconds();
await loadProgram();
console.log(`# loading the program: ${(seconds() - loadStart).toFixed(1)} s`);
const all = [...doctor, ...promotion, ...deploy, ...demotion, ...trouble, ...balancing, ...speed];
for (const { name, run } of all) {
  if (only.length > 0 && !only.includes(name)) continue;
  const start = seconds();
  try {
    await run(check);
  } catch (error) {
    check(false, name, { error: error.stack });
  }
  console.log(`# ${name}: ${(seconds() - start).toFixed(1)} s`);
}
console.log('# end');
process.exit(0);
