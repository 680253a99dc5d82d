/** Starts the workload of known answer, and reads from the kernel where its pages are. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

export const PAGE = 4096;
export { sleep };

export const read = (path) => readFileSync(path, 'utf8').trim();
export const write = (path, value) => writeFileSync(path, String(value));
export const seconds = () => Number(process.hrtime.bigint()) / 1e9;

export function vmstat() {
  return Object.fromEntries(
    read('/proc/vmstat')
      .split('\n')
      .map((line) => line.split(' '))
      .map(([name, value]) => [name, Number(value)]),
  );
}

/** @param options as hotset.c takes them, e.g. { mb: 64, hot: '25-50', node: 1 } */
export async function startHotset(options) {
  const child = spawn(
    '/guest/hotset',
    Object.entries(options).map(([key, value]) => `${key}=${value}`),
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const line = await new Promise((resolve, reject) => {
    child.on('exit', (status) => reject(new Error(`hotset ended with ${status}`)));
    child.stdout.once('data', (text) => resolve(String(text)));
  });
  child.removeAllListeners('exit');
  const ended = new Promise((resolve) => {
    child.once('exit', resolve);
  });
  const [, pid, ...bounds] = line.trim().split(' ');
  const [start, end, hotStart, hotEnd] = bounds.map((each) => Number.parseInt(each, 16));
  return {
    pid: Number(pid),
    start,
    end,
    hotStart,
    hotEnd,
    hotPages: (hotEnd - hotStart) / PAGE,
    coldPages: (end - start - (hotEnd - hotStart)) / PAGE,
    ended,
    async stop() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Pages of the hot and of the cold part by node, from numa_maps: { hot: [n0, n1], cold: [n0, n1] }. */
export function placement({ pid, start, end, hotStart, hotEnd }) {
  const pages = { hot: [0, 0], cold: [0, 0] };
  for (const line of read(`/proc/${pid}/numa_maps`).split('\n')) {
    const address = Number.parseInt(line.split(' ')[0], 16);
    // The area starts inside a mapping that is aligned up: what lies before it was never touched.
    if (address >= end || address < start - 2 ** 21) continue;
    const part = address >= hotStart && address < hotEnd ? pages.hot : pages.cold;
    for (const [, nid, count] of line.matchAll(/ N(\d+)=(\d+)/g)) part[Number(nid)] += Number(count);
  }
  return pages;
}

/** Runs a command of this program as users do, in a process of its own. */
export function thermocline(args) {
  const child = spawn('node', ['/app/dist/program/main.js', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const written = { out: '', err: '' };
  child.stdout.on('data', (text) => {
    written.out += text;
  });
  child.stderr.on('data', (text) => {
    written.err += text;
  });
  const ended = new Promise((resolve) => {
    child.on('close', (status, signal) => resolve({ status: status ?? signal, ...written }));
  });
  return { child, pid: child.pid, ended };
}

const SETTINGS = {
  ...{ sample: 20_000, aggr: 400_000, minRegions: 20, maxRegions: 100 },
  ...{ seed: 1, json: true, quiet: true },
};

/** Takes long the first time. */
export async function loadProgram() {
  const { runLinuxCommand } = await import('/app/dist/program/run-linux.js');
  const { parseSources } = await import('/app/dist/program/source-names.js');
  return { runLinuxCommand, parseSources };
}

/** What a command writes to, and what was written. */
export function terminalOf(isInterrupted = () => false) {
  const written = { out: '', err: '' };
  const sink = (key) =>
    new Writable({
      write(chunk, _encoding, done) {
        written[key] += String(chunk);
        done();
      },
    });
  const terminal = {
    stdin: Readable.from([]),
    stdout: sink('out'),
    stderr: sink('err'),
    width: 100,
    commandLine: '',
    colorDepth: 'none',
    canRewrite: false,
    isInterrupted,
    listenForUndo: () => () => false,
    onExit: () => {},
  };
  return { terminal, written };
}

/**
 * The command `run --machine linux` as built, in this process: emulated, a process of its own needs ten
 * seconds and more to load.
 */
export function runLinux({
  schemes,
  pid,
  source = 'damon',
  allow = [],
  apply = true,
  seconds: limit,
  ...more
}) {
  let isStopped = false;
  const { terminal, written } = terminalOf(() => isStopped);
  const start = async () => {
    const { runLinuxCommand, parseSources } = await loadProgram();
    const options = { ...SETTINGS, pid, source: parseSources(source), allow, apply, ...more };
    if (limit !== undefined) options.for = limit * 1e6;
    try {
      const status = await runLinuxCommand(schemes, options, terminal);
      return { status, report: options.json ? JSON.parse(written.out) : undefined, ...written };
    } catch (error) {
      return { status: 1, error, ...written };
    }
  };
  return {
    ended: start(),
    stop: () => {
      isStopped = true;
    },
  };
}
