/**
 * One boot under QEMU's software emulation: a node with the CPU, and a slower one without, as HMAT tells
 * the kernel. Without KVM, disk or network.
 */
import { spawn } from 'node:child_process';

/** MiB of each node. */
const NODE_MB = 1024;
const NODES = [
  { nid: 0, latencyNs: 80, bandwidth: '100G' },
  { nid: 1, latencyNs: 250, bandwidth: '20G' },
];

/**
 * One CPU of one thread, and no cmpxchg16b: QEMU 7.2 emulates it wrongly now and then, and the guest
 * crashes. Time in the guest follows the instructions executed, two nanoseconds each, and idle time passes at
 * once: however busy this machine is, no sampling interval is missed, and what is measured is the same.
 */
const CPU = [
  ...['-accel', 'tcg,thread=single', '-cpu', 'max,cx16=off', '-smp', '1'],
  ...['-icount', 'shift=1,sleep=off'],
];
const KERNEL_ARGUMENTS = 'console=ttyS0 panic=-1 mitigations=off nokaslr no_timer_check tsc=reliable quiet';

function memoryArguments() {
  const hmat = (nid, type, key, value) => [
    '-numa',
    `hmat-lb,initiator=0,target=${nid},hierarchy=memory,data-type=access-${type},${key}=${value}`,
  ];
  return [
    ...['-m', `${NODES.length * NODE_MB}M`, '-machine', 'q35,hmat=on'],
    ...NODES.flatMap(({ nid }) => ['-object', `memory-backend-ram,size=${NODE_MB}M,id=memory${nid}`]),
    ...['-numa', 'node,nodeid=0,cpus=0-0,memdev=memory0'],
    ...['-numa', 'node,nodeid=1,memdev=memory1,initiator=0'],
    ...['-numa', 'dist,src=0,dst=1,val=20'],
    ...NODES.flatMap(({ nid, latencyNs, bandwidth }) => [
      ...hmat(nid, 'latency', 'latency', latencyNs),
      ...hmat(nid, 'bandwidth', 'bandwidth', bandwidth),
    ]),
  ];
}

/**
 * Boots and waits for the power-off.
 * @param onLine called with each line of the console
 * @returns exit status of QEMU; null when it took longer than `limitS` and was ended
 */
export function boot({ kernel, image, limitS, onLine, guestArguments = '' }) {
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      ...CPU,
      ...memoryArguments(),
      ...['-nodefaults', '-display', 'none', '-no-reboot', '-serial', 'stdio'],
      ...['-kernel', kernel, '-initrd', image],
      ...['-append', `${KERNEL_ARGUMENTS} -- ${guestArguments}`],
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const end = () => qemu.kill('SIGKILL');
  // An emulator must not outlive the rig.
  process.once('exit', end);
  return new Promise((resolve, reject) => {
    let rest = '';
    const limit = setTimeout(end, limitS * 1000);
    qemu.on('error', reject);
    qemu.stdout.setEncoding('utf8');
    qemu.stdout.on('data', (text) => {
      const lines = `${rest}${text}`.split(/\r?\n/);
      rest = lines.pop();
      for (const line of lines) onLine(line);
    });
    qemu.on('close', (status) => {
      clearTimeout(limit);
      process.off('exit', end);
      if (rest !== '') onLine(rest);
      resolve(status);
    });
  });
}
