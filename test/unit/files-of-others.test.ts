import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { crc32, deflateRawSync, deflateSync, inflateSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { readTrace } from '../../src/records/trace-input.ts';
import { readZip } from '../../src/records/zip.ts';
import { digitOf, levelsOf } from '../../src/view/report/level.ts';
import { base64, encodePng } from '../../src/view/report/png.ts';

const WORK = mkdtempSync(join(tmpdir(), 'thermocline-files-test-'));
afterAll(() => rmSync(WORK, { recursive: true, force: true }));

interface Member {
  readonly name: string;
  readonly content: Buffer;
  /** 0 stored, 8 deflated. */
  readonly method: number;
}

/** A zip file, as PKWARE's APPNOTE describes it. */
function zipOf(members: readonly Member[]): Buffer {
  const files: Buffer[] = [];
  const entries: Buffer[] = [];
  let offset = 0;
  for (const { name, content, method } of members) {
    const packed = method === 8 ? deflateRawSync(content) : content;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    local.writeUInt16LE(method, 8);
    local.writeUInt16LE(name.length, 26);
    local.writeUInt16LE(3, 28);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt32LE(content.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    const file = Buffer.concat([local, Buffer.from(name), Buffer.from('xyz'), packed]);
    files.push(file);
    entries.push(entry, Buffer.from(name));
    offset += file.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(members.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  end.writeUInt16LE(5, 20);
  return Buffer.concat([...files, directory, end, Buffer.from('hello')]);
}

async function unzip(content: Buffer, isWanted: (name: string) => boolean = () => true): Promise<string> {
  const path = join(WORK, 'a.zip');
  writeFileSync(path, content);
  const parts: Buffer[] = [];
  for await (const part of readZip(path, isWanted, () => undefined)) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe('a zip file', () => {
  const members = [
    { name: 'chunk.0001', content: Buffer.from('second'), method: 0 },
    { name: 'other', content: Buffer.from('not this'), method: 8 },
    { name: 'chunk.0000', content: Buffer.from('first '.repeat(1000)), method: 8 },
  ];

  test('gives its members in the order of their names, stored or deflated', async () => {
    expect(await unzip(zipOf(members), (name) => name.startsWith('chunk'))).toBe(
      `${'first '.repeat(1000)}second`,
    );
  });

  test('that was cut off, or is packed otherwise, gives one clear error', async () => {
    await expect(unzip(zipOf(members).subarray(0, 300))).rejects.toThrow('ends too early');
    await expect(unzip(zipOf([{ name: 'a', content: Buffer.from('a'), method: 14 }]))).rejects.toThrow(
      'method 14',
    );
  });
});

/** Records of drmemtrace: type, size, address. */
function drmemtraceOf(records: readonly (readonly [type: number, size: number, address: bigint])[]): Buffer {
  return Buffer.concat(
    records.map(([type, size, address]) => {
      const bytes = Buffer.alloc(12);
      bytes.writeUInt16LE(type, 0);
      bytes.writeUInt16LE(size, 2);
      bytes.writeBigUInt64LE(address, 4);
      return bytes;
    }),
  );
}

describe('a trace of DynamoRIO', () => {
  const content = drmemtraceOf([
    [25, 0, 4n],
    [24, 4, 77n],
    [10, 3, 0x401000n],
    [0, 8, 0x7ffe00001000n],
    [28, 2, 13_000_000n],
    [13, 2, 0x401003n],
    [1, 4, 0x7ffe00002000n],
    [0, 8, 2n ** 53n],
    [999, 0, 0n],
  ]);

  async function read(path: string, stdin: Buffer, includeFetches = false) {
    const accesses: (readonly [address: number, isStore: number, ticks: number, pid: number])[] = [];
    const format = path === '-' ? 'drmemtrace' : undefined;
    const parser = await readTrace(
      { path, stdin: Readable.from([stdin.subarray(0, 5), stdin.subarray(5)]), format, includeFetches },
      ({ count, address, isStore, ticks, pid }) => {
        for (let i = 0; i < count; i++) accesses.push([address[i], isStore[i], ticks[i], pid[i]]);
      },
    );
    return { accesses, parser };
  }

  test('has reads and writes on the clock of its instructions, in a zip or as it is', async () => {
    const path = join(WORK, 'trace.zip');
    writeFileSync(path, zipOf([{ name: 'chunk.0000', content, method: 8 }]));
    for (const { accesses, parser } of [await read(path, Buffer.alloc(0)), await read('-', content)]) {
      expect(accesses).toEqual([
        [0x7ffe00001000, 0, 1, 77],
        [0x7ffe00002000, 1, 2, 77],
      ]);
      expect(parser.counts).toMatchObject({
        lines: 9,
        addressesTooLarge: 1,
        unreadableLines: 1,
        firstUnreadableLine: 9,
      });
    }
  });

  test('counts fetches where it is asked to', async () => {
    expect((await read('-', content, true)).accesses.length).toBe(4);
  });
});

describe('a PNG file', () => {
  test('has the chunks, checks and pixels that it should', () => {
    const rgba = Uint8Array.from({ length: 3 * 2 * 4 }, (_, i) => i * 7);
    const png = Buffer.from(encodePng(3, 2, rgba, (bytes) => deflateSync(bytes)));
    let at = 8;
    const chunks = new Map<string, Buffer>();
    while (at < png.length) {
      const length = png.readUInt32BE(at);
      const type = png.toString('latin1', at + 4, at + 8);
      expect(png.readUInt32BE(at + 8 + length)).toBe(crc32(png.subarray(at + 4, at + 8 + length)));
      chunks.set(type, png.subarray(at + 8, at + 8 + length));
      at += 12 + length;
    }
    expect([...chunks.keys()]).toEqual(['IHDR', 'IDAT', 'IEND']);
    const lines = inflateSync(chunks.get('IDAT') ?? Buffer.alloc(0));
    expect([...lines.subarray(1, 13), ...lines.subarray(14, 26)]).toEqual([...rgba]);
    for (const bytes of [png, png.subarray(1), png.subarray(2)]) {
      expect(base64(bytes)).toBe(bytes.toString('base64'));
    }
  });
});

describe('levels of heat', () => {
  test('are linear where values are near each other, logarithmic where they are not, and keep the unknown', () => {
    expect(levelsOf(Float64Array.of(0, 10, 20, Number.NaN)).scale).toBe('linear');
    expect(levelsOf(Float64Array.of(0, 1, 1, 1000)).scale).toBe('log');
    const { of } = levelsOf(Float64Array.of(0, 5, 10), 'linear');
    expect([of(0), of(5), of(10), of(Number.NaN)]).toEqual([0, 0.5, 1, Number.NaN]);
    expect([0, 0.99, 1, Number.NaN].map(digitOf).join('')).toBe('099 ');
  });

  test('of nothing, or of one value, are 0', () => {
    expect(levelsOf(new Float64Array(0)).of(0)).toBe(0);
    expect(levelsOf(Float64Array.of(3, 3)).of(3)).toBe(0);
  });
});
