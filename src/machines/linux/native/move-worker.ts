/** The worker thread that moves and advises memory, one order at a time: these calls block. */
import { parentPort } from 'node:worker_threads';
import { invariant } from '../../../memory/error.ts';
import { type MoveBatch, type MovedBatch, moveBatch } from './move-batch.ts';
import { PageCalls } from './page-calls.ts';

export type MoveOrder =
  | { readonly kind: 'move'; readonly batch: MoveBatch }
  | {
      readonly kind: 'advise';
      readonly pid: number;
      readonly start: number;
      readonly end: number;
      readonly advice: number;
    };

export type MoveAnswer =
  | { readonly kind: 'moved'; readonly moved: MovedBatch }
  | { readonly kind: 'advised'; readonly bytes: number; readonly error: string; readonly cpuNs: number };

const port = parentPort;
invariant(port !== null, 'the mover runs as a worker thread');
const calls = new PageCalls();

port.on('message', (order: MoveOrder) => {
  port.postMessage(
    order.kind === 'move' ? { kind: 'moved', moved: moveBatch(calls, order.batch) } : advise(order),
  );
});

function advise(order: Extract<MoveOrder, { kind: 'advise' }>): MoveAnswer {
  const startNs = process.hrtime.bigint();
  const { result, error } = calls.advise(order.pid, order.start, order.end, order.advice);
  return {
    kind: 'advised',
    bytes: Math.max(0, result),
    error,
    cpuNs: Number(process.hrtime.bigint() - startNs),
  };
}
