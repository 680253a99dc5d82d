/** Cutting a stream of bytes into whole lines, or whole records of a fixed length. */
import { NEWLINE } from './access-parser.ts';

/** Longest line that is kept when it is broken between two chunks. */
const MAX_LINE = 65536;

export type PartConsumer = (bytes: Uint8Array, start: number, end: number) => void;

/** Takes chunks and hands on whole parts; `finish` hands on what is left. */
export interface Splitter {
  push(chunk: Buffer, onPart: PartConsumer): void;
  finish(onPart: PartConsumer): void;
}

/** Cuts a stream of chunks at newlines without copying more than the broken lines. */
export class LineSplitter implements Splitter {
  #tail: Buffer = Buffer.alloc(0);

  push(chunk: Buffer, onLines: PartConsumer): void {
    const last = chunk.lastIndexOf(NEWLINE);
    if (last < 0) {
      this.#keep(Buffer.concat([this.#tail, chunk]));
      return;
    }
    let start = 0;
    if (this.#tail.length > 0) {
      const first = chunk.indexOf(NEWLINE);
      const line = Buffer.concat([this.#tail, chunk.subarray(0, first + 1)]);
      onLines(line, 0, line.length);
      start = first + 1;
    }
    if (last + 1 > start) onLines(chunk, start, last + 1);
    this.#keep(Buffer.from(chunk.subarray(last + 1)));
  }

  /** The last line need not end in a newline. */
  finish(onLines: PartConsumer): void {
    if (this.#tail.length === 0) return;
    const line = Buffer.concat([this.#tail, Buffer.from('\n')]);
    this.#tail = Buffer.alloc(0);
    onLines(line, 0, line.length);
  }

  /** A line without end is cut: it is no access, but must not fill memory either. */
  #keep(tail: Buffer): void {
    this.#tail = tail.length > MAX_LINE ? tail.subarray(0, MAX_LINE) : tail;
  }
}

/** Cuts a stream of chunks into records of `size` bytes; an incomplete last one is not handed on. */
export class RecordSplitter implements Splitter {
  readonly #size: number;
  #tail: Buffer = Buffer.alloc(0);

  constructor(size: number) {
    this.#size = size;
  }

  /** Bytes of the record that has begun. */
  get rest(): number {
    return this.#tail.length;
  }

  push(chunk: Buffer, onRecords: PartConsumer): void {
    const bytes = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    const end = bytes.length - (bytes.length % this.#size);
    if (end > 0) onRecords(bytes, 0, end);
    this.#tail = Buffer.from(bytes.subarray(end));
  }

  finish(): void {}
}
