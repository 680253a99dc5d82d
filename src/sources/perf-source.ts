/**
 * Samples as text that `perf script` prints: of a child that samples now (IBS, PEBS), or from a pipe, a file or
 * standard input into which anything writes the same text.
 *
 * Chunks arrive between two looks of the engine and are parsed as they come; what finds no room is counted as lost,
 * so that no sample is older than the time between two looks and what perf itself holds back.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import type { AccessSource } from '../machines/linux/access-source.ts';
import { type AccessBatch, createAccessBatch, pushSample } from '../memory/access-batch.ts';
import { ThermoError } from '../memory/error.ts';
import { PerfScriptFeed } from '../records/perf-script.ts';

const HELD = 65536;

/** Columns that are asked of perf, so that nothing has to be guessed. */
const FIELDS = ['pid', 'tid', 'cpu', 'time', 'event', 'addr', 'data_src'] as const;

/** Hardware samplers by the name that `--source perf:NAME` takes. */
export const PERF_EVENTS: Readonly<Record<string, string>> = {
  ibs: 'ibs_op//',
  pebs: 'cpu/mem-loads,ldlat=30/P',
};
export interface PerfSourceOptions {
  readonly pid: number;
  /** A name of {@link PERF_EVENTS}, `-`, or the path of a pipe or file. */
  readonly from: string;
  /** Accesses per sample. */
  readonly period: number;
  readonly stdin: Readable;
  readonly nowUs: () => number;
}

export class PerfSource implements AccessSource {
  readonly name = 'perf';
  readonly kind = 'push';
  readonly cost =
    'an interrupt for each sample, paid by the CPU that accesses, and two perf processes that turn them into text';
  readonly blindSpots = [
    'pages that fewer than one access in a period hits: they need many periods to be seen',
    'what the caches serve, where the event counts only what leaves them',
  ];
  readonly #options: PerfSourceOptions;
  readonly #feed: PerfScriptFeed;
  readonly #held = createAccessBatch(HELD);
  #stream: Readable | undefined;
  #children: ChildProcess[] = [];
  #said = '';
  #lastUs = 0;
  #samples = 0;
  #isEnded = false;

  constructor(options: PerfSourceOptions) {
    this.#options = options;
    const isChild = options.from in PERF_EVENTS;
    this.#feed = new PerfScriptFeed({
      pid: options.pid,
      address: 'virtual',
      ...(isChild ? { fields: FIELDS } : {}),
    });
  }

  start(): void {
    const { from, stdin, nowUs } = this.#options;
    const stream = from in PERF_EVENTS ? this.#startPerf() : from === '-' ? stdin : createReadStream(from);
    this.#stream = stream;
    this.#lastUs = nowUs();
    stream.on('data', (chunk: Buffer) => this.#feed.feed(chunk, this.#held));
    stream.on('end', () => {
      this.#feed.finish(this.#held);
      this.#isEnded = true;
    });
    stream.on('error', (error: Error) => {
      this.#said = error.message;
      this.#isEnded = true;
    });
  }

  #startPerf(): Readable {
    const { pid, from, period } = this.#options;
    const record = spawn(
      'perf',
      ['record', '-q', '-e', PERF_EVENTS[from], '-c', String(period), '-d', '-p', String(pid), '-o', '-'],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const script = spawn('perf', ['script', '-i', '-', '-F', FIELDS.join(',')], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    record.stdout.pipe(script.stdin);
    this.#children = [record, script];
    for (const child of [record, script]) {
      child.stderr?.on('data', (text: Buffer) => {
        this.#said = String(text).trim().split('\n').at(-1) ?? '';
      });
      child.on('error', (error) => {
        this.#said = error.message;
        this.#isEnded = true;
      });
    }
    // Who ends first breaks the pipe of the other: that is no error of its own.
    script.stdin.on('error', () => {});
    return script.stdout;
  }

  poll(): void {
    if (!this.#isEnded) return;
    const { from } = this.#options;
    if (this.#samples > 0 || this.#held.count > 0) return;
    throw new ThermoError(
      'THERMO_MACHINE_CONFIG',
      `perf (${from}) gave no sample${this.#said && `: ${this.#said}`}`,
      {
        hint: 'expected text of perf script with addresses (perf script -F pid,tid,time,event,addr); thermocline doctor tells which sources there are',
      },
    );
  }

  takeSamples(batch: AccessBatch): void {
    const { nowUs, period } = this.#options;
    const held = this.#held;
    for (let i = 0; i < held.count; i++) pushSample(batch, held.address[i], held.nid[i], held.isStore[i]);
    this.#samples += held.count;
    batch.dropped += held.dropped;
    held.count = 0;
    held.dropped = 0;
    const now = nowUs();
    // What nobody writes any more says nothing about what is not seen.
    if (!this.#isEnded) batch.exposureS += (now - this.#lastUs) / 1e6 / period;
    this.#lastUs = now;
  }

  stop(): void {
    for (const child of this.#children) child.kill('SIGINT');
    this.#children = [];
    if (this.#stream !== this.#options.stdin) this.#stream?.destroy();
    this.#stream = undefined;
  }

  facts(): Readonly<Record<string, number | string>> {
    const { counts } = this.#feed.parser;
    return {
      from: this.#options.from,
      samples: this.#samples,
      unreadable: counts.unreadableLines,
      lost: counts.lost,
    };
  }
}
