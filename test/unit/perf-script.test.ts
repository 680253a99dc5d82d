import { Readable } from 'node:stream';
import { fc, test as propTest } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { createAccessBatch } from '../../src/memory/access-batch.ts';
import type { ParserOptions, TraceFormat } from '../../src/records/access-parser.ts';
import { PerfScriptFeed } from '../../src/records/perf-script.ts';
import { readTrace } from '../../src/records/trace-input.ts';

interface Sample {
  readonly address: number;
  readonly isStore: boolean;
  readonly us: number;
  readonly pid: number;
  readonly cpu: number;
}

async function read(
  text: string,
  options: Partial<ParserOptions> & { format?: TraceFormat; chunk?: number } = {},
) {
  const { format, chunk = 1 << 20, ...others } = options;
  const bytes = Buffer.from(text);
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunk) }, (_, i) =>
    bytes.subarray(i * chunk, (i + 1) * chunk),
  );
  const samples: Sample[] = [];
  const parser = await readTrace(
    { path: '-', format, stdin: Readable.from(chunks), includeFetches: false, ...others },
    (batch) => {
      for (let i = 0; i < batch.count; i++) {
        samples.push({
          address: batch.address[i],
          isStore: batch.isStore[i] === 1,
          us: batch.ticks[i],
          pid: batch.pid[i],
          cpu: batch.cpu[i],
        });
      }
    },
  );
  return { samples, parser };
}

const addresses = (samples: readonly Sample[]): string[] =>
  samples.map(({ address }) => address.toString(16));

describe('perf script text', () => {
  const IBS = `
         python3  3756/3757  [001]   386.390112:      10000 ibs_op//:     7f21c6bef424      6868100142 |OP LOAD|LVL Local RAM hit|SNP N/A|TLB L1 or L2 hit|LCK No|BLK  N/A              412 ffffffff81752b6a        11c6bef424 4K
 kworker/0:1-ev 3756  [012]   386.390212:      10000 ibs_op//:     7f21c6bef5a0      1e05080184 |OP STORE|LVL N/A|SNP N/A|TLB L1 or L2 hit|LCK No|BLK  N/A                  0 ffffffff81752b6a        11c6bf05a0 2M
   Web Content 1   77 [003]  386.391112:      10000 ibs_op//:                0      1e05080021 |OP N/A|LVL N/A|SNP N/A|TLB N/A|LCK N/A|BLK  N/A                  0 ffffffff81752b6a                 0 N/A
`;

  test.each([1, 7, 64, 4096])('of IBS, with everything that perf prints, in chunks of %d', async (chunk) => {
    const { samples, parser } = await read(IBS, { chunk });
    expect(parser).toMatchObject({ format: 'perf-script', clock: 'time', period: 10000 });
    expect(parser.startUs).toBeCloseTo(386_390_112, 3);
    expect(samples).toEqual([
      { address: 0x11c6bef424, isStore: false, us: 0, pid: 3756, cpu: 1 },
      { address: 0x11c6bf05a0, isStore: true, us: 100, pid: 3756, cpu: 12 },
    ]);
    expect(parser.counts).toMatchObject({ lines: 4, accesses: 2, noAddress: 1, unreadableLines: 0 });
  });

  test('gives virtual addresses when asked for, and one process alone', async () => {
    expect(addresses((await read(IBS, { address: 'virtual' })).samples)).toEqual([
      '7f21c6bef424',
      '7f21c6bef5a0',
    ]);
    const other = IBS.replace('3756/3757', '99/3757');
    expect((await read(other, { pid: 99 })).samples.length).toBe(1);
  });

  // Each line as perf 6.1 prints it for the fields at its left, or as a later version does.
  const LINES: [fields: string, line: string, expected: Partial<Sample>][] = [
    ['time,addr', ' 386.390112:     5641c6bef424', { pid: -1, cpu: -1 }],
    ['tid,time,addr', ' 3756   386.390112:     5641c6bef424', { pid: 3756 }],
    ['comm,pid,tid,time,event,addr', ' a b 1  12/13  386.390112: page-faults:     5641c6bef424', { pid: 12 }],
    [
      'nanoseconds',
      '         python3  3756   386.390112189: page-faults:     5641c6bef424               0',
      { pid: 3756 },
    ],
    [
      'with ip and symbols of both',
      '   python3  3756 [001] 386.390112: page-faults:     5641c6bef424 [unknown] (/usr/bin/env) ffffffff81752b6a elf_load+0x28a ([kernel.kallsyms])',
      { cpu: 1 },
    ],
    ['tabs', 'python3\t3756\t[001]\t386.390112:\tpage-faults:\t5641c6bef424\t0', { pid: 3756, cpu: 1 }],
    [
      'data_src without OP, as old versions print it',
      ' python3 3756 386.390112: mem:  5641c6bef424    68100142 |SNP None|TLB L1 or L2 hit|LCK No  5',
      { isStore: false },
    ],
    [
      'data_src of a store',
      ' python3 3756 386.390112: mem:  5641c6bef424    68100144 |OP STORE|LVL L1 hit|SNP None',
      { isStore: true },
    ],
    [
      'data_src in words alone',
      ' python3 3756 386.390112: mem:  5641c6bef424 |OP STORE|LVL L1 hit',
      { isStore: true },
    ],
    ['an event named store', ' python3 3756 386.390112: cpu/mem-stores/P:  5641c6bef424', { isStore: true }],
    ['Windows', ' python3 3756 386.390112: page-faults:  5641c6bef424\r', {}],
  ];
  test.each(LINES)('with %s', async (_fields, line, expected) => {
    const { samples, parser } = await read(`${line}\n`.repeat(3));
    expect(parser.counts.unreadableLines).toBe(0);
    expect(samples.length).toBe(3);
    expect(samples[1]).toMatchObject({ address: 0x5641c6bef424, isStore: false, us: 0, ...expected });
  });

  test('without times the place is the clock; a bare address needs its name', async () => {
    const { samples, parser } = await read('page-faults:     5641c6bef424\npage-faults:     5641c6bef425\n');
    expect(parser.clock).toBe('order');
    expect(samples.map(({ us }) => us)).toEqual([0, 1]);
    const bare = await read('    5641c6bef424\n    5641c6bef425\n', {
      format: 'perf-script',
      fields: ['addr'],
    });
    expect(addresses(bare.samples)).toEqual(['5641c6bef424', '5641c6bef425']);
  });

  test('--fields says that the only address is the physical one', async () => {
    const { samples } = await read(' a 1 386.390112: e:  11c6bef424\n', { fields: ['phys_addr'] });
    expect(addresses(samples)).toEqual(['11c6bef424']);
  });

  test('call chains, comments and lost samples are told from samples; the rest is counted', async () => {
    const { samples, parser } = await read(`# captured on: today
 a 1 386.390112: e:  5641c6bef424
\tffffffff81752b6a elf_load+0x28a ([kernel.kallsyms])

 a 1 386.390113: PERF_RECORD_LOST lost 12
 a 1 386.390114: e:  main+0x10 (/bin/a)
what is this
 a 1 386.390115: e:  ffff888012345678
`);
    expect(samples.length).toBe(1);
    expect(parser.counts).toMatchObject({
      lines: 8,
      lost: 12,
      unreadableLines: 2,
      firstUnreadableLine: 6,
      addressesTooLarge: 1,
    });
  });

  test('of samples without addresses says how to record them', async () => {
    const text =
      ' a 1 [001] 386.390112:          1 cycles:  ffffffff81752b6a elf_load+0x28a ([kernel.kallsyms])\n';
    await expect(read(text)).rejects.toThrow('the samples have no data addresses');
  });

  propTest.prop(
    [
      fc.array(
        fc.record({
          comm: fc.constantFrom('python3', 'Web Content', 'kworker/0:1', '12', '[x]', 'a: b'),
          pid: fc.nat({ max: 99999 }),
          tid: fc.option(fc.nat({ max: 99999 })),
          cpu: fc.option(fc.nat({ max: 999 })),
          us: fc.nat({ max: 2 ** 40 }),
          address: fc.integer({ min: 1, max: 2 ** 47 }),
          frame: fc.nat({ max: 2 ** 24 }),
          op: fc.constantFrom(2, 4, 1),
        }),
        { minLength: 1, maxLength: 40 },
      ),
      fc.record({
        period: fc.boolean(),
        source: fc.boolean(),
        weight: fc.boolean(),
        ip: fc.boolean(),
        physical: fc.boolean(),
        pageSize: fc.boolean(),
      }),
      fc.integer({ min: 1, max: 300 }),
    ],
    { numRuns: 300 },
  )('finds in any set of columns what was put there', async (items, has, chunk) => {
    const text = items
      .map(({ comm, pid, tid, cpu, us, address, frame, op }) => {
        const physical = (frame + 1) * 4096 + (address % 4096);
        return [
          comm.padStart(16),
          ` ${tid === null ? pid : `${pid}/${tid}`}`,
          cpu === null ? '' : ` [${String(cpu).padStart(3, '0')}]`,
          ` ${String(Math.floor(us / 1e6)).padStart(5)}.${String(us % 1e6).padStart(6, '0')}: `,
          has.period ? '     10000 ' : '',
          '   ibs_op//: ',
          address.toString(16).padStart(16),
          has.source
            ? `${(0x6868100140 + op).toString(16).padStart(16)} |OP X|LVL L3 hit|LCK No|BLK  N/A   `
            : '',
          has.weight ? '412'.padStart(16) : '',
          has.ip ? ' ffffffff81752b6a elf_load+0x1 ([kernel.kallsyms])' : '',
          has.physical ? physical.toString(16).padStart(16) : '',
          has.pageSize ? ' 4K' : '',
        ].join('');
      })
      .join('\n');
    const { samples, parser } = await read(`${text}\n`, { chunk });
    expect(parser.counts.unreadableLines).toBe(0);
    expect(samples).toEqual(
      items.map(({ pid, cpu, us, address, frame, op }) => ({
        address: has.physical ? (frame + 1) * 4096 + (address % 4096) : address,
        isStore: has.source && op === 4,
        us: us - items[0].us,
        pid,
        cpu: cpu ?? -1,
      })),
    );
  });
});

describe('a stream of perf script that is still written', () => {
  test('gives samples to batches as they come, with the node of the CPU, and counts what is lost', () => {
    const feed = new PerfScriptFeed({}, (cpu) => cpu >> 1);
    const batch = createAccessBatch(2);
    const text = Buffer.from(
      ' a 1 [002] 1.000001: e:  1000\n a 1 [003] 1.000002: e:  2000\n a 1 [000] 1.000003: PERF_RECORD_LOST lost 4\n a 1 [000] 1.000004: e:  3000',
    );
    feed.feed(text.subarray(0, 40), batch);
    expect(batch.count).toBe(1);
    feed.feed(text.subarray(40), batch);
    feed.finish(batch);
    expect([...batch.address]).toEqual([0x1000, 0x2000]);
    expect([...batch.nid]).toEqual([1, 1]);
    // One found no room, four were lost before.
    expect(batch.dropped).toBe(5);
  });
});

describe('perf mem report', () => {
  test('with a separator, with and without physical addresses and page sizes', async () => {
    const { samples, parser } =
      await read(`# PID, TID, IP, ADDR, PHYS ADDR, DATA PAGE SIZE, LOCAL WEIGHT, DSRC, SYMBOL
3756,3757,0xffffffff81752b6a,0x5641c6bef424,0x00000011c6bef424,4K,12,0x6868100144,[kernel.kallsyms]:elf_load
3756,3756,0xffffffff81752b6a,0x7fc5c46ad110,0x0000000000000000,N/A,0,0x6868100142,a,b
3756,3756,0xffffffff81752b6a,0x7fc5c46ad110,0,0x6868100142,x
nonsense,1
`);
    expect(parser).toMatchObject({ format: 'perf-mem', clock: 'order' });
    expect(addresses(samples)).toEqual(['11c6bef424', '7fc5c46ad110', '7fc5c46ad110']);
    expect(samples.map(({ isStore }) => isStore)).toEqual([true, false, false]);
    expect(parser.counts).toMatchObject({ unreadableLines: 1, firstUnreadableLine: 5 });
  });

  test('without a separator, as some versions garble it', async () => {
    const { samples } =
      await read(` 3756  3756 0xffffffff81752b6a 0x0165641c6bef424     0 0x1e05080021 [kernel.kallsyms]:elf_load
`);
    expect(addresses(samples)).toEqual(['5641c6bef424']);
  });
});

describe('registers of IBS, from perf report -D', () => {
  const event = (data3: string, after: string): string => `
0x17e310 [0x78]: event: 9
.
. ... raw event: size 120 bytes
.  0000:  09 00 00 00 01 40 78 00 26 35 14 81 ff ff ff ff  .....@x.&5......

ibs_op_ctl: 000005410007f424 MaxCnt   1000000 L3MissOnly 1 En 1 Val 1 CntCtl 0=cycles CurCnt      1345
IbsOpRip: ffffffff81143526
ibs_op_data: 0000000004f70200 CompToRetCtr   512 TagToRetCtr  1271 BrnRet 0  RipInvalid 0
ibs_op_data2: 0000000000000023 RmtNode 0 DataSrc 3=DRAM
ibs_op_data3: ${data3} LdOp 1 StOp 0 DcL1TlbMiss 0
IbsDCLinAd: 00007f9f7c3b5784
IbsDCPhysAd: 0000011f7c3b5784
${after}`;
  const sample = (ns: number): string =>
    `2 ${ns} 0x17e310 [0x78]: PERF_RECORD_SAMPLE(IP, 0x4001): 41/42: 0xffffffff81143526 period: 1000000 addr: 0\n ... thread: a:42\n`;

  test('are accesses where they load or store and the address is valid', async () => {
    const text = [
      event('000001dc14d700a1', sample(5_000_000)),
      event('000001dc14d700a2', sample(5_002_500)),
      event('000001dc14d700a0', sample(5_003_000)),
    ].join('');
    const { samples, parser } = await read(text);
    expect(parser).toMatchObject({ format: 'ibs-raw', clock: 'time', period: 1_000_000, startUs: 5000 });
    expect(samples).toEqual([
      { address: 0x11f7c3b5784, isStore: false, us: 0, pid: 41, cpu: 2 },
      { address: 0x11f7c3b5784, isStore: true, us: 2.5, pid: 41, cpu: 2 },
    ]);
    expect(parser.counts.noAddress).toBe(1);
    expect(addresses((await read(text, { address: 'virtual' })).samples)[0]).toBe('7f9f7c3b5784');
  });

  test('alone, without the lines of the events, have no times', async () => {
    const text = event('000001dc14d700a1', '')
      .split('\n')
      .filter((line) => /^[iI]/.test(line))
      .join('\n');
    const { samples, parser } = await read(`${text}\n${text}\n`);
    expect(parser.clock).toBe('order');
    expect(samples.map(({ us }) => us)).toEqual([0, 1]);
  });

  test('of ordinary samples the address of the line is taken', async () => {
    const { samples } = await read(
      '1 386390112189 0x15100 [0x50]: PERF_RECORD_SAMPLE(IP, 0x1): 3756/3756: 0xffffffff81752b6a period: 1 addr: 0x5641c6bef424\n',
    );
    expect(samples).toMatchObject([{ address: 0x5641c6bef424, pid: 3756, cpu: 1 }]);
  });
});
