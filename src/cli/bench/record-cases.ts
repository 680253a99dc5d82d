/** How fast recordings are read: text to accesses, on one core. */
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { RandomStream } from '../../memory/random.ts';
import { readTrace } from '../../records/trace-input.ts';
import { type Numbers, peakMemory } from './numbers.ts';

/** Lines of each text: 395 and 145 MB. */
const LINES = { 'perf-script': 2_000_000, lackey: 10_000_000 };

/** A sample of IBS as `perf script -F comm,tid,cpu,time,period,event,addr,data_src,weight,phys_addr` prints it. */
function perfLine(random: RandomStream, i: number): string {
  const frame = random.below(1 << 22) * 4096;
  const offset = random.below(512) * 8;
  const address = (0x7f0000000000 + frame + offset).toString(16).padStart(16);
  const physical = (0x100000000 + random.below(1 << 22) * 4096 + offset).toString(16).padStart(16);
  const us = 82_820_000_000 + i * 170;
  const time = `${Math.floor(us / 1e6)}.${String(us % 1e6).padStart(6, '0')}`;
  const source =
    random.unit() < 0.3
      ? '      1e05080184 |OP STORE|LVL N/A|SNP N/A|TLB L1 or L2 hit|LCK No|BLK  N/A     '
      : '     6868100142 |OP LOAD|LVL RAM hit|SNP N/A|TLB L1 or L2 hit|LCK No|BLK  N/A  ';
  return `      memcached  4452/4460  [${String(random.below(64)).padStart(3, '0')}] ${time}:      10000 ibs_op//: ${address}${source}${String(random.below(900)).padStart(16)}${physical}\n`;
}

function lackeyLine(random: RandomStream, i: number): string {
  if (i % 4 !== 3) return `I  ${(0x4000000 + random.below(1 << 18)).toString(16).padStart(8, '0')},4\n`;
  return ` ${random.unit() < 0.3 ? 'S' : 'L'} ${(0x1ffe000000 + random.below(1 << 16) * 64).toString(16)},8\n`;
}

const TEXTS = { 'perf-script': perfLine, lackey: lackeyLine };

/** Time from text to accesses. */
export function readText(format: keyof typeof TEXTS): () => Promise<Numbers> {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), 'thermocline-bench-'));
    const path = join(folder, 'trace.txt');
    try {
      writeText(path, LINES[format], TEXTS[format]);
      const bytes = statSync(path).size;
      let accesses = 0;
      const start = performance.now();
      const parser = await readTrace(
        { path, format: undefined, stdin: Readable.from([]), includeFetches: false },
        (batch) => {
          accesses += batch.count;
        },
      );
      const seconds = (performance.now() - start) / 1000;
      return {
        'MB/s': bytes / seconds / 1e6,
        'M lines/s': parser.counts.lines / seconds / 1e6,
        'M accesses': accesses / 1e6,
        ...peakMemory(),
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

function writeText(path: string, count: number, line: (random: RandomStream, i: number) => string): void {
  const random = new RandomStream(1, 'bench/text');
  const fd = openSync(path, 'w');
  try {
    let lines: string[] = [];
    for (let i = 0; i < count; i++) {
      lines.push(line(random, i));
      if (lines.length === 50_000) {
        writeSync(fd, lines.join(''));
        lines = [];
      }
    }
    writeSync(fd, lines.join(''));
  } finally {
    closeSync(fd);
  }
}
