/** Reads a spooled trace record by record; several readers of one spool may be at different places. */
import { PAUSE_ID, SPOOL_CHUNK_WORDS, type TraceSpool } from './trace-spool.ts';

/** Called with each record: the page's id, its loads and stores. Speed matters: once per some accesses. */
export type RecordVisitor = (id: number, loads: number, stores: number) => void;

export class SpoolReader {
  readonly #spool: TraceSpool;
  readonly #visit: RecordVisitor;
  #buffer: Uint32Array | undefined;
  #words: Uint32Array = new Uint32Array(0);
  #word = 0;
  #chunk = 0;
  isAtEnd = false;
  /** Tick of the last record that was read. */
  ticks = 0;

  constructor(spool: TraceSpool, visit: RecordVisitor) {
    this.#spool = spool;
    this.#visit = visit;
  }

  /** Visits all records up to a tick that were not read yet. */
  readUntil(ticks: number): void {
    for (;;) {
      if (this.#word === this.#words.length && !this.#readChunk()) return;
      const first = this.#words[this.#word];
      const second = this.#words[this.#word + 1];
      const at = this.ticks + (first === PAUSE_ID ? second : second & 0x3ffff);
      if (at > ticks) return;
      this.ticks = at;
      this.#word += 2;
      if (first !== PAUSE_ID) this.#visit(first, (second >>> 18) & 0x7f, second >>> 25);
    }
  }

  #readChunk(): boolean {
    this.#words = this.#spool.chunk(this.#chunk++, () => {
      this.#buffer ??= new Uint32Array(SPOOL_CHUNK_WORDS);
      return this.#buffer;
    });
    this.#word = 0;
    this.isAtEnd = this.#words.length === 0;
    return !this.isAtEnd;
  }
}
