/**
 * Cuts the JSON of a damo record, as it streams in, into its snapshots: `[{ ..., "snapshots": [{}, ...] }, ...]`.
 * Only one snapshot at a time is held, however long the record is.
 */

export interface CutVisitor {
  /**
   * @param head JSON object of the record's keys so far, its snapshots left out
   * @param text JSON object of the snapshot
   */
  onSnapshot(head: string, text: string): void;
  /** @param head all keys of the record */
  onRecordEnd(head: string): void;
}

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;
/** Depth of `[`, of a record, of its list of snapshots and of a snapshot. */
const RECORD_DEPTH = 2;
const LIST_DEPTH = 3;
const SNAPSHOT_DEPTH = 4;

export class RecordCutter {
  readonly #visitor: CutVisitor;
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  #inSnapshots = false;
  /** Text of the record outside its snapshots, and of the snapshot that is being read. */
  #head = '';
  #parts: Buffer[] = [];
  /** False once something was read that no record begins with. */
  isRecord = true;

  constructor(visitor: CutVisitor) {
    this.#visitor = visitor;
  }

  /** True when the outer list has ended. */
  get isComplete(): boolean {
    return this.#depth === 0 && this.#head === '' && !this.#inString;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (this.#inString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (byte === BACKSLASH) this.#isEscaped = true;
        else if (byte === QUOTE) this.#inString = false;
        continue;
      }
      if (byte === QUOTE) this.#inString = true;
      else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
        this.#depth++;
        if (this.#depth === 1 && byte === OPEN_OBJECT) this.isRecord = false;
        if (this.#depth === RECORD_DEPTH) from = i;
        else if (this.#depth === LIST_DEPTH && byte === OPEN_LIST) {
          const head = this.#head + this.#text(chunk, from, i + 1);
          this.#inSnapshots = /"snapshots"\s*:\s*\[$/.test(head);
          this.#head = head;
          from = i + 1;
        } else if (this.#depth === SNAPSHOT_DEPTH && this.#inSnapshots) from = i;
      } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
        this.#depth--;
        if (this.#depth === LIST_DEPTH && this.#inSnapshots) {
          this.#visitor.onSnapshot(`${this.#head}]}`, this.#text(chunk, from, i + 1));
          from = i + 1;
        } else if (this.#depth === RECORD_DEPTH && this.#inSnapshots) {
          this.#parts = [];
          this.#inSnapshots = false;
          from = i;
        } else if (this.#depth === 1) {
          const head = this.#head + this.#text(chunk, from, i + 1);
          this.#head = '';
          this.#visitor.onRecordEnd(head);
        }
      }
    }
    const keeps = this.#inSnapshots ? this.#depth >= SNAPSHOT_DEPTH : this.#depth >= RECORD_DEPTH;
    if (keeps) this.#parts.push(Buffer.from(chunk.subarray(from)));
  }

  /** What was kept of earlier chunks, and the part of this one. */
  #text(chunk: Buffer, from: number, to: number): string {
    const part = chunk.subarray(from, to);
    if (this.#parts.length === 0) return part.toString('utf8');
    const text = Buffer.concat([...this.#parts, part]).toString('utf8');
    this.#parts = [];
    return text;
  }
}
