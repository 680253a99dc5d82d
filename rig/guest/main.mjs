console.log('# start');

import { existsSync, readdirSync, readFileSync } from 'node:fs';

console.log('# kernel', readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim());
for (const f of readdirSync('/sys/devices/virtual/memory_tiering')) console.log('#', f);
console.log(
  '# tracing',
  existsSync('/sys/kernel/tracing/events/damon')
    ? readdirSync('/sys/kernel/tracing/events/damon').join(' ')
    : 'none',
);
for (const e of existsSync('/sys/kernel/tracing/events/damon')
  ? readdirSync('/sys/kernel/tracing/events/damon')
  : []) {
  try {
    console.log(readFileSync(`/sys/kernel/tracing/events/damon/${e}/format`, 'utf8'));
  } catch {}
}
console.log(process.argv);
try {
  console.log(readFileSync('/sys/module/damon_stat/parameters/enabled', 'utf8'));
} catch (e) {
  console.log(e.message);
}
console.log('# end');
