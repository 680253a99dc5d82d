import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { fc, test as propTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { ThermoError } from '../../src/memory/error.ts';
import { createTraceBatch } from '../../src/records/access-parser.ts';
import { LackeyParser } from '../../src/records/lackey.ts';
import { SpoolReader } from '../../src/records/spool-reader.ts';
import { readTrace } from '../../src/records/trace-input.ts';
import { MAX_STEP, TraceSpool } from '../../src/records/trace-spool.ts';

interface Access {
  readonly address: number;
  readonly isStore: boolean;
  readonly instructions: number;
}

async function read(
  data: Buffer | string,
  options: { format?: 'lackey' | 'ramulator'; fetches?: boolean; chunk?: number } = {},
) {
  const bytes = Buffer.from(data);
  const size = options.chunk ?? 4096;
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
  const accesses: Access[] = [];
  const parser = await readTrace(
    {
      path: '-',
      format: options.format,
      stdin: Readable.from(chunks),
      includeFetches: options.fetches === true,
    },
    (batch) => {
      for (let i = 0; i < batch.count; i++) {
        accesses.push({
          address: batch.address[i],
          isStore: batch.isStore[i] === 1,
          instructions: batch.ticks[i],
        });
      }
    },
  );
  return { accesses, parser };
}

const LACKEY = `==12== Lackey, an example Valgrind tool
I  0401ab70,3
I  0401ab73,15
 S 1fff000718,8
 L 04222c80,4
I  0401b770,1
 M 04222c84,4

==12== Exit code: 0
`;

describe('lackey text', () => {
  const expected: Access[] = [
    { address: 0x1fff000718, isStore: true, instructions: 2 },
    { address: 0x04222c80, isStore: false, instructions: 2 },
    { address: 0x04222c84, isStore: true, instructions: 3 },
  ];

  test.each([1, 2, 3, 7, 64, 4096])(
    'gives loads, stores and modifies on the instruction clock, in chunks of %d',
    async (chunk) => {
      const { accesses, parser } = await read(LACKEY, { chunk });
      expect(accesses).toEqual(expected);
      expect(parser.format).toBe('lackey');
      expect(parser.counts).toMatchObject({ accesses: 3, ticks: 3, lines: 9, unreadableLines: 0 });
    },
  );

  test('gzip and Windows line ends make no difference', async () => {
    expect((await read(gzipSync(LACKEY))).accesses).toEqual(expected);
    expect((await read(LACKEY.replaceAll('\n', '\r\n'))).accesses).toEqual(expected);
  });

  test('two gzip members follow each other', async () => {
    const { accesses } = await read(Buffer.concat([gzipSync(LACKEY), gzipSync(LACKEY)]));
    expect(accesses.length).toBe(6);
  });

  test('fetches are accesses only when asked for', async () => {
    const { accesses } = await read(LACKEY, { fetches: true });
    expect(accesses.length).toBe(6);
    expect(accesses[1]).toEqual({ address: 0x0401ab73, isStore: false, instructions: 2 });
  });

  test('what is no access is counted, and the first place told', async () => {
    const { accesses, parser } = await read(
      `${LACKEY} X 123,4\nhello world\n L zz,4\n L 123\n L ,4\nI  12\n L 10,4\n`,
    );
    expect(accesses.length).toBe(4);
    expect(parser.counts).toMatchObject({ unreadableLines: 6, firstUnreadableLine: 10 });
  });

  test('an address beyond 2^53 is counted and left out, the one before is not', async () => {
    const { accesses, parser } = await read(
      ' L 20000000000000,8\n L 1fffffffffffff,8\n L ffffffffffffffff,8\n L fffffffffffffffff,8\n',
    );
    expect(accesses.map((access) => access.address)).toEqual([2 ** 53 - 1]);
    expect(parser.counts.addressesTooLarge).toBe(3);
  });

  test('the last line needs no newline', async () => {
    expect((await read('I  0401ab70,3\n L 1000,8')).accesses.length).toBe(1);
  });

  propTest.prop(
    [
      fc.array(
        fc.oneof(
          fc.record({
            kind: fc.constantFrom('L', 'S', 'M', 'I'),
            address: fc.oneof(fc.nat(), fc.maxSafeNat()),
            size: fc.integer({ min: 1, max: 99 }),
          }),
          fc
            .string({ maxLength: 20 })
            .map((text) => ({ kind: 'other', text: text.replaceAll(/[\n\r]/g, '') })),
        ),
        { maxLength: 60 },
      ),
      fc.integer({ min: 1, max: 40 }),
    ],
    { numRuns: 300 },
  )('reads as a plain regular expression does', async (items, chunk) => {
    const lines = items.map((item) => {
      if ('text' in item) return item.text;
      const hex = item.address.toString(16).padStart(8, '0');
      return item.kind === 'I' ? `I  ${hex},${item.size}` : ` ${item.kind} ${hex},${item.size}`;
    });
    const expectedAccesses: Access[] = [];
    let instructions = 0;
    for (const line of lines) {
      if (/^I {2}[0-9a-f]+,/i.test(line)) instructions++;
      const match = /^ ([LSM]) ([0-9a-f]+),\d/i.exec(line);
      if (match)
        expectedAccesses.push({
          address: Number.parseInt(match[2], 16),
          isStore: match[1] !== 'L',
          instructions,
        });
    }
    const bytes = Buffer.from(`${lines.join('\n')}\n L 1000,1\n`);
    const { accesses } = await read(bytes, { chunk, format: 'lackey' });
    expect(accesses.slice(0, -1)).toEqual(expectedAccesses);
  });

  test('a parser that gets its text in two parts counts as one that gets it at once', () => {
    const bytes = Buffer.from(LACKEY);
    const cut = LACKEY.indexOf(' L ');
    const parser = new LackeyParser({ includeFetches: false });
    const batch = createTraceBatch();
    parser.parse(bytes, 0, cut, batch, () => {});
    parser.parse(bytes, cut, bytes.length, batch, () => {});
    expect(parser.counts.accesses).toBe(3);
    expect(batch.count).toBe(3);
  });
});

describe('ramulator text', () => {
  test('gives a read and a write-back at the instruction count', async () => {
    const { accesses, parser } = await read(
      readFileSync(fileURLToPath(new URL('../fixtures/ramulator.txt', import.meta.url))),
    );
    expect(parser.format).toBe('ramulator');
    expect(accesses).toEqual([
      { address: 4096, isStore: false, instructions: 4 },
      { address: 8192, isStore: false, instructions: 5 },
      { address: 12288, isStore: true, instructions: 5 },
      { address: 4096, isStore: false, instructions: 16 },
      { address: 8192, isStore: true, instructions: 16 },
      { address: 140737488355328, isStore: false, instructions: 30 },
    ]);
    expect(parser.counts).toMatchObject({ unreadableLines: 1, firstUnreadableLine: 5, addressesTooLarge: 1 });
  });
});

describe('what is no trace gives one clear error', () => {
  const cases: [string, Buffer, string, RegExp][] = [
    ['nothing', Buffer.alloc(0), 'THERMO_TRACE_FORMAT', /holds no memory access/],
    [
      'prose',
      Buffer.from('It was a dark\nand stormy night\n'),
      'THERMO_TRACE_FORMAT',
      /no known trace format/,
    ],
    [
      'random bytes',
      Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919 + (i >> 3)) & 255)),
      'THERMO_TRACE_FORMAT',
      /no known trace format|no memory access/,
    ],
    ['a line without end', Buffer.alloc(300_000, 'x'), 'THERMO_TRACE_FORMAT', /no known trace format/],
    ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0]), 'THERMO_TRACE_FORMAT', /zstd-compressed/],
    [
      'truncated gzip',
      gzipSync(LACKEY.repeat(1000)).subarray(0, 120),
      'THERMO_TRACE_TRUNCATED',
      /ends too early/,
    ],
    [
      'damaged gzip',
      Buffer.concat([gzipSync(LACKEY).subarray(0, 20), Buffer.alloc(60, 255)]),
      'THERMO_TRACE_TRUNCATED',
      /damaged|too early/,
    ],
  ];
  test.each(cases)('%s', async (_what, data, code, message) => {
    const error = await read(data).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ThermoError);
    expect((error as ThermoError).code).toBe(code);
    expect((error as ThermoError).message).toMatch(message);
  });

  test('a missing file', async () => {
    const reading = readTrace(
      { path: '/no/such/file', format: undefined, stdin: Readable.from([]), includeFetches: false },
      () => {},
    );
    await expect(reading).rejects.toThrow('cannot read /no/such/file: there is no such file');
  });
});

describe('the spool', () => {
  propTest.prop(
    [
      fc.array(
        fc.record({
          page: fc.nat({ max: 5 }),
          isStore: fc.boolean(),
          wait: fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 10 * MAX_STEP })),
        }),
        { maxLength: 400 },
      ),
    ],
    { numRuns: 200 },
  )('gives back every access, at most 256 instructions late', (items) => {
    const spool = new TraceSpool();
    const batch = createTraceBatch();
    let instructions = 0;
    const expected = items.map(({ page, isStore, wait }, i) => {
      instructions += wait;
      batch.address[i] = page * 4096 + i;
      batch.isStore[i] = isStore ? 1 : 0;
      batch.ticks[i] = instructions;
      return { page, isStore, instructions };
    });
    batch.count = items.length;
    spool.append(batch);
    spool.finish();
    let i = 0;
    const reader: SpoolReader = new SpoolReader(spool, (id, loads, stores) => {
      const at = reader.ticks;
      const part = expected.slice(i, i + loads + stores);
      expect(part.every((access) => access.page === spool.pages.pageAt(id))).toBe(true);
      expect(part.filter((access) => access.isStore).length).toBe(stores);
      for (const access of part)
        expect(access.instructions - at >= 0 && access.instructions - at <= 256).toBe(true);
      i += loads + stores;
    });
    // In two steps: a reader goes on where it was.
    reader.readUntil(instructions / 2);
    reader.readUntil(instructions);
    expect(i).toBe(items.length);
    spool.close();
  });

  test('writes what exceeds its memory to a file, and reads it back', () => {
    const spool = new TraceSpool();
    const batch = createTraceBatch();
    batch.count = 8192;
    let n = 0;
    // 9 million records of alternating pages: 72 MB, 8 of them on disk.
    for (let b = 0; b < 1100; b++) {
      for (let i = 0; i < 8192; i++, n++) {
        batch.address[i] = (n % 3) * 4096;
        batch.ticks[i] = n;
      }
      spool.append(batch);
    }
    spool.finish();
    let records = 0;
    const count = (id: number): void => {
      if (id !== records % 3) throw new Error(`record ${records} is page ${id}`);
      records++;
    };
    const reader = new SpoolReader(spool, count);
    // A second reader at another place takes nothing from the first.
    const ahead = new SpoolReader(spool, () => undefined);
    for (let at = 0; at <= n; at += n / 8) {
      ahead.readUntil(2 * at);
      reader.readUntil(at);
    }
    expect(reader.ticks).toBe(n - 1);
    expect(records).toBe(n);
    spool.close();
  });
});
