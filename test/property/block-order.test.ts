import { fc, test as propTest } from '@fast-check/vitest';
import { expect } from 'vitest';
import { BlockOrder } from '../../src/monitor/block-order.ts';

const block = fc.oneof(
  fc.nat({ max: 40 }),
  fc.nat({ max: 2 ** 22 }),
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
);

propTest.prop([fc.array(block, { maxLength: 300 }), fc.nat({ max: 20 })])(
  'entries sorted by block are those of a plain stable sort, and what lies behind them is left out',
  (blocks, spare) => {
    const order = new BlockOrder(blocks.length + spare);
    blocks.forEach((each, i) => {
      order.block[i] = each;
      order.entry[i] = i;
    });
    order.sort(blocks.length);
    const plain = blocks.map((each, i) => ({ each, i })).sort((a, b) => a.each - b.each || a.i - b.i);
    expect([...order.entry.subarray(0, blocks.length)]).toEqual(plain.map(({ i }) => i));
    expect([...order.block.subarray(0, blocks.length)]).toEqual(plain.map(({ each }) => each));
  },
);
