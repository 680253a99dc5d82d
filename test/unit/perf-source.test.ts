/** Samples of a live machine as text that perf prints: from a file or pipe, or a child. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { clearAccessBatch, createAccessBatch } from '../../src/memory/access-batch.ts';
import { PerfSource } from '../../src/sources/perf-source.ts';
import { parsePerfVariant, parseSources } from '../../src/sources/source-names.ts';

const WORK = mkdtempSync(join(tmpdir(), 'thermocline-perf-'));
afterAll(() => rmSync(WORK, { recursive: true }));

const line = (pid: number, address: string): string =>
  `  app 1 thread ${pid}/${pid} [003] 12.000001: ibs_op//: ${address} |OP STORE|LVL L3 miss|SNP None\n`;

/** Waits until the source has taken so many samples. */
async function samplesOf(source: PerfSource, count: number) {
  const batch = createAccessBatch(64);
  for (let i = 0; i < 100 && batch.count < count; i++) {
    await sleep(5);
    source.poll();
    source.takeSamples(batch);
  }
  return batch;
}

describe('samples of perf', () => {
  test('of a pipe are those of the process, with their exposure while somebody writes', async () => {
    const stdin = new PassThrough();
    let nowUs = 0;
    const source = new PerfSource({ pid: 7, from: '-', period: 1000, stdin, nowUs: () => nowUs });
    source.start();
    stdin.write(line(7, '7f0000001000') + line(8, '7f0000009000') + line(7, '7f0000002000').slice(0, 30));
    nowUs = 2e6;
    const batch = await samplesOf(source, 1);
    expect([batch.count, batch.address[0]]).toEqual([1, 0x7f0000001000]);
    expect(batch.exposureS).toBeCloseTo(2 / 1000, 12);
    stdin.write(line(7, '7f0000002000').slice(30));
    clearAccessBatch(batch);
    const more = await samplesOf(source, 1);
    expect(more.address[0]).toBe(0x7f0000002000);
    stdin.end();
    await sleep(20);
    nowUs = 9e6;
    clearAccessBatch(more);
    source.takeSamples(more);
    expect(more.exposureS).toBe(0);
    source.stop();
  });

  test('of a file come once', async () => {
    const path = join(WORK, 'perf.txt');
    writeFileSync(path, line(7, '7f0000001000') + line(7, '7f0000002000'));
    const source = new PerfSource({
      pid: 7,
      from: path,
      period: 1,
      stdin: new PassThrough(),
      nowUs: () => 0,
    });
    source.start();
    expect((await samplesOf(source, 2)).count).toBe(2);
    expect(source.facts()).toMatchObject({ samples: 2, from: path });
    source.stop();
  });

  test('that never come end the run, with what was said', async () => {
    const source = new PerfSource({
      pid: 7,
      from: join(WORK, 'missing'),
      period: 1,
      stdin: new PassThrough(),
      nowUs: () => 0,
    });
    source.start();
    await sleep(30);
    expect(() => source.poll()).toThrow(/gave no sample: ENOENT/);
    source.stop();
  });
});

describe('--source perf', () => {
  test.each([
    ['perf', { from: 'ibs', period: 10_000 }],
    ['perf:pebs@2000', { from: 'pebs', period: 2000 }],
    ['perf:-', { from: '-', period: 10_000 }],
    ['perf:/tmp/a:b@4k', { from: '/tmp/a:b', period: 4000 }],
  ])('%s', (text, expected) => {
    const [{ variant }] = parseSources(text);
    expect(parsePerfVariant(variant)).toEqual(expected);
  });

  test('without a place is refused', () => {
    expect(() => parseSources('perf:@10')).toThrow('does not say where samples come from');
  });
});
