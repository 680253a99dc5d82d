import { describe, expect, test } from 'vitest';
import { DryMover, type PlannedAction } from '../../src/machines/linux/dry-mover.ts';
import { LinuxMover } from '../../src/machines/linux/mover.ts';
import { ESRCH, moveBatch, RETRIES, statusName } from '../../src/machines/linux/native/move-batch.ts';
import type { MoveAnswer, MoveOrder } from '../../src/machines/linux/native/move-worker.ts';
import { AddressList, type PageCalls, UNTOUCHED } from '../../src/machines/linux/native/page-calls.ts';
import { PageNodes } from '../../src/machines/linux/page-nodes.ts';
import type { ActionOutcome, ActionRequest } from '../../src/memory/action.ts';
import { NO_VALUE } from '../../src/memory/page-runs.ts';

const PAGE = 4096;
const BASE = 0x7f12_3460_0000;
const EBUSY = -16;
const ENOENT = -2;

function addressAt(words: Uint32Array, i: number): number {
  return words[2 * i] + words[2 * i + 1] * 2 ** 32;
}

/** A kernel of pages by number: their node, or -errno; pages in `stuck` cannot move so many times. */
class FakeKernel {
  readonly node = new Map<number, number>();
  readonly stuck = new Map<number, number>();
  room = Number.POSITIVE_INFINITY;
  isGone = false;
  queried = 0;
  moves = 0;

  constructor(pages: number, nid = 1) {
    for (let i = 0; i < pages; i++) this.node.set(BASE + i * PAGE, nid);
  }

  query(_pid: number, words: Uint32Array, count: number, status: Int32Array) {
    this.queried += count;
    if (this.isGone) return { result: -1, error: 'ESRCH' };
    for (let i = 0; i < count; i++) status[i] = this.node.get(addressAt(words, i)) ?? ENOENT;
    return { result: 0, error: '' };
  }

  /** As the kernel does: stops at the first page that it cannot migrate, and leaves the rest untouched. */
  move(_pid: number, words: Uint32Array, count: number, targets: Int32Array, status: Int32Array) {
    this.moves++;
    if (this.isGone) return { result: -1, error: 'ESRCH' };
    for (let i = 0; i < count; i++) {
      const address = addressAt(words, i);
      const nid = this.node.get(address);
      if (nid === undefined) {
        status[i] = ENOENT;
        continue;
      }
      const stuck = this.stuck.get(address) ?? 0;
      if (stuck > 0) {
        this.stuck.set(address, stuck - 1);
        return { result: count - i, error: '' };
      }
      if (this.room === 0) return { result: -1, error: 'ENOMEM' };
      this.room--;
      this.node.set(address, targets[i]);
      status[i] = targets[i];
    }
    return { result: 0, error: '' };
  }

  get calls(): PageCalls {
    // Only these two are called by the code under test.
    return this as unknown as PageCalls;
  }
}

function batchOf(pages: number) {
  const list = new AddressList(pages);
  for (let i = 0; i < pages; i++) list.set(i, BASE + i * PAGE);
  return { pid: 1, count: pages, words: list.words, target: 0 };
}

const noPause = (): void => {};

describe('a batch of pages', () => {
  test('addresses above 4 GiB are kept exactly', () => {
    expect(addressAt(batchOf(3).words, 2)).toBe(BASE + 2 * PAGE);
  });

  test('moves, and every page is told', () => {
    const { status, retried } = moveBatch(new FakeKernel(4).calls, batchOf(4), noPause);
    expect([...status]).toEqual([0, 0, 0, 0]);
    expect(retried).toBe(0);
  });

  test('a busy page is tried again, and those behind it move though the kernel stopped', () => {
    const kernel = new FakeKernel(4);
    kernel.stuck.set(BASE + PAGE, 2);
    expect([...moveBatch(kernel.calls, batchOf(4), noPause).status]).toEqual([0, 0, 0, 0]);
  });

  test('a page that never moves is busy after a bounded number of calls', () => {
    const kernel = new FakeKernel(2);
    kernel.stuck.set(BASE + PAGE, 1000);
    const { status, retried } = moveBatch(kernel.calls, batchOf(2), noPause);
    expect([...status]).toEqual([0, EBUSY]);
    expect([kernel.moves, retried]).toEqual([1 + RETRIES, RETRIES]);
  });

  test('a full node is told apart from a busy page, and not tried again', () => {
    const kernel = new FakeKernel(4);
    kernel.room = 2;
    const { status, retried } = moveBatch(kernel.calls, batchOf(4), noPause);
    expect([...status].map(statusName)).toEqual(['moved', 'moved', 'ENOMEM', 'ENOMEM']);
    expect(retried).toBe(0);
  });

  test('holes and a process that has gone are told', () => {
    const kernel = new FakeKernel(3);
    kernel.node.delete(BASE + PAGE);
    expect([...moveBatch(kernel.calls, batchOf(3), noPause).status]).toEqual([0, ENOENT, 0]);
    kernel.isGone = true;
    expect([...moveBatch(kernel.calls, batchOf(2), noPause).status]).toEqual([ESRCH, ESRCH]);
  });

  test('no page keeps the mark of a page that nobody came to', () => {
    const kernel = new FakeKernel(8);
    kernel.stuck.set(BASE + 3 * PAGE, 1000);
    kernel.room = 6;
    expect([...moveBatch(kernel.calls, batchOf(8), noPause).status]).not.toContain(UNTOUCHED);
  });
});

function nodesOf(kernel: FakeKernel, pages: number, clock = () => 0): PageNodes {
  return new PageNodes(1, kernel, () => [{ start: BASE, end: BASE + pages * PAGE }], clock);
}

function runsOf(nodes: PageNodes, start: number, end: number): number[][] {
  const runs: number[][] = [];
  nodes.forEach(start, end, (from, to, nid) => runs.push([(from - BASE) / PAGE, (to - BASE) / PAGE, nid]));
  return runs;
}

describe('where pages are', () => {
  test('is asked where something is mapped, and nowhere else', () => {
    const kernel = new FakeKernel(512);
    kernel.node.set(BASE + 7 * PAGE, 0);
    const runs = runsOf(nodesOf(kernel, 512), BASE - 2 ** 40, BASE + 2 ** 40);
    expect(runs.slice(1, -1)).toEqual([
      [0, 7, 1],
      [7, 8, 0],
      [8, 512, 1],
    ]);
    expect(runs[0][2]).toBe(NO_VALUE);
    expect(kernel.queried).toBe(512);
  });

  test('is remembered for a while, then looked at again at a few pages', () => {
    let now = 0;
    const kernel = new FakeKernel(512);
    const nodes = nodesOf(kernel, 512, () => now);
    runsOf(nodes, BASE, BASE + 512 * PAGE);
    now = 1e6;
    runsOf(nodes, BASE, BASE + 512 * PAGE);
    expect(kernel.queried).toBe(512);
    now = 3e6;
    runsOf(nodes, BASE, BASE + 512 * PAGE);
    expect(kernel.queried).toBe(520);
    for (const address of kernel.node.keys()) kernel.node.set(address, 0);
    now = 6e6;
    expect(runsOf(nodes, BASE, BASE + 512 * PAGE)).toEqual([[0, 512, 0]]);
  });
});

const migrate = (from: number, to: number): ActionRequest => ({
  action: 'migrate_hot',
  start: BASE + from * PAGE,
  end: BASE + to * PAGE,
  targetNid: 0,
  tag: 5,
});

describe('the mover', () => {
  function moverOn(kernel: FakeKernel, pages: number): LinuxMover {
    return new LinuxMover(1, nodesOf(kernel, pages), {
      execute: (order: MoveOrder): Promise<MoveAnswer> =>
        Promise.resolve(
          order.kind === 'move'
            ? { kind: 'moved', moved: moveBatch(kernel.calls, order.batch, noPause) }
            : { kind: 'advised', bytes: order.end - order.start, error: '', cpuNs: 1 },
        ),
      close: () => {},
    });
  }

  async function run(mover: LinuxMover, requests: readonly ActionRequest[]) {
    const bytes: Partial<Record<ActionOutcome, number>> = {};
    let moved = 0;
    for (const request of requests) mover.submit(request);
    for (let turn = 0; turn < 200 && mover.pendingBytes() > 0; turn++) {
      await Promise.resolve();
      mover.collect(
        (tag, start, end, outcome) => {
          expect(tag).toBe(5);
          bytes[outcome] = (bytes[outcome] ?? 0) + (end - start) / PAGE;
        },
        (start, end, from, to) => {
          expect([from, to]).toEqual([1, 0]);
          moved += (end - start) / PAGE;
        },
      );
    }
    return { bytes, moved, pending: mover.pendingBytes() };
  }

  test('the parts of a request add up to it, each with what became of it', async () => {
    const kernel = new FakeKernel(3000);
    kernel.node.set(BASE + PAGE, 0);
    kernel.node.delete(BASE + 2 * PAGE);
    kernel.stuck.set(BASE + 2000 * PAGE, 1000);
    const mover = moverOn(kernel, 3000);
    const { bytes, moved, pending } = await run(mover, [migrate(0, 3000)]);
    expect(bytes).toEqual({ applied: 2997, already_there: 1, not_mapped: 1, busy: 1 });
    expect([moved, pending]).toEqual([2997, 0]);
    expect(Object.fromEntries(mover.byStatus)).toEqual({ moved: 2997, EBUSY: 1 });
  });

  test('a full node fails as such', async () => {
    const kernel = new FakeKernel(100);
    kernel.room = 60;
    const { bytes } = await run(moverOn(kernel, 100), [migrate(0, 100)]);
    expect(bytes).toEqual({ applied: 60, destination_full: 40 });
  });

  test('advice is given to the whole range', async () => {
    const cold: ActionRequest = { ...migrate(0, 10), action: 'cold', targetNid: -1 };
    expect((await run(moverOn(new FakeKernel(10), 10), [cold])).bytes).toEqual({ applied: 10 });
  });
});

test('a dry run tells each move once, goes on as if it had happened, and moves nothing', () => {
  const kernel = new FakeKernel(512);
  const told: PlannedAction[] = [];
  const mover = new DryMover(nodesOf(kernel, 512), (planned) => told.push(planned));
  const outcomes: ActionOutcome[] = [];
  for (let round = 0; round < 2; round++) {
    mover.submit(migrate(0, 100));
    mover.collect(
      (_tag, _start, _end, outcome) => outcomes.push(outcome),
      () => {},
    );
  }
  expect(told).toEqual([
    { action: 'migrate_hot', start: BASE, end: BASE + 100 * PAGE, fromNid: 1, targetNid: 0 },
  ]);
  expect(outcomes).toEqual(['applied', 'already_there']);
  expect(kernel.moves).toBe(0);
});
