/** A parsed YAML file with the means to point into it: from paths and offsets to line and column. */
import { type Document, isMap, isScalar, type Node } from 'yaml';
import type { TextPosition } from '../memory/error.ts';

/** Keys and list indices from the top of a document down to a value. */
export type YamlPath = readonly (string | number)[];

/** Longest part of a line that a position remembers, on each side of it. */
const LINE_CONTEXT = 200;

export class SourceDocument {
  readonly file: string;
  readonly document: Document;
  readonly #text: string;
  /** Offsets at which lines begin. */
  readonly #lineStarts: readonly number[];
  /** Offsets of the keys of each map that was asked for one. */
  readonly #keys = new WeakMap<object, ReadonlyMap<string, number>>();

  constructor(file: string, text: string, document: Document) {
    this.file = file;
    this.document = document;
    this.#text = text;
    this.#lineStarts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  }

  at(offset: number): TextPosition {
    const starts = this.#lineStarts;
    // The last line that begins at or before the offset.
    let [line, past] = [0, starts.length];
    while (past - line > 1) {
      const middle = (line + past) >> 1;
      if (starts[middle] <= offset) line = middle;
      else past = middle;
    }
    const column = offset - starts[line] + 1;
    const start = Math.max(starts[line], offset - LINE_CONTEXT);
    const [rest] = this.#text.slice(offset, offset + LINE_CONTEXT).split(/[\r\n]/, 1);
    const source = { text: this.#text.slice(start, offset) + rest, caret: offset - start };
    return { file: this.file, line: line + 1, column, source };
  }

  /** Offset of the value at `path`, or of the nearest parent that exists. */
  offsetOf(path: YamlPath): number {
    for (let length = path.length; length >= 0; length--) {
      const node = this.document.getIn(path.slice(0, length), true) as Node | null | undefined;
      if (node?.range) return node.range[0];
    }
    return 0;
  }

  /**
   * Offset in the file of character `at` of the text at `path`, over quotes, folded lines and the
   * head of a block; of a text with escapes, or one that stands elsewhere (an alias), its beginning.
   */
  textOffsetOf(path: YamlPath, at: number): number {
    const node = this.document.getIn(path, true);
    const begin = this.offsetOf(path);
    if (!isScalar(node) || typeof node.value !== 'string') return begin;
    const source = this.#text;
    let offset = begin + (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE' ? 1 : 0);
    if (node.type === 'BLOCK_FOLDED' || node.type === 'BLOCK_LITERAL') {
      offset = source.indexOf('\n', begin) + 1;
    }
    const isBlank = (char: string | undefined): boolean => char !== undefined && /\s/.test(char);
    for (let i = 0; i <= at && i <= node.value.length; i++) {
      if (i === node.value.length) break;
      if (isBlank(node.value[i])) continue;
      while (isBlank(source[offset])) offset++;
      if (i === at) break;
      if (source[offset] !== node.value[i]) return begin;
      offset += node.type === 'QUOTE_SINGLE' && node.value[i] === "'" ? 2 : 1;
    }
    return Math.min(offset, source.length);
  }

  /** Offset of a key of the map at `path`. */
  keyOffset(path: YamlPath, key: string): number {
    const parent = path.length === 0 ? this.document.contents : this.document.getIn(path, true);
    if (!isMap(parent)) return this.offsetOf(path);
    let keys = this.#keys.get(parent);
    if (keys === undefined) {
      keys = new Map(
        parent.items.flatMap(({ key: node }) =>
          isScalar(node) && node.range ? [[String(node.value), node.range[0]] as const] : [],
        ),
      );
      this.#keys.set(parent, keys);
    }
    return keys.get(key) ?? this.offsetOf(path);
  }
}
