/** A parsed YAML file with the means to point into it: from paths and offsets to line and column. */
import { type Document, isMap, isScalar, type LineCounter, type Node, type Pair } from 'yaml';
import type { TextPosition } from '../memory/error.ts';

/** Keys and list indices from the top of a document down to a value. */
export type YamlPath = readonly (string | number)[];

export class SourceDocument {
  readonly file: string;
  readonly document: Document;
  readonly #lines: LineCounter;

  constructor(file: string, document: Document, lines: LineCounter) {
    this.file = file;
    this.document = document;
    this.#lines = lines;
  }

  at(offset: number): TextPosition {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.file, line: Math.max(1, line), column: Math.max(1, col) };
  }

  /** Offset of the value at `path`, or of the nearest parent that exists. */
  offsetOf(path: YamlPath): number {
    for (let length = path.length; length >= 0; length--) {
      const node = this.document.getIn(path.slice(0, length), true) as Node | null | undefined;
      if (node?.range) return node.range[0];
    }
    return 0;
  }

  /** Offset of the first character inside the scalar at `path` (after an opening quote). */
  textOffsetOf(path: YamlPath): number {
    const node = this.document.getIn(path, true);
    const isQuoted = isScalar(node) && (node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE');
    return this.offsetOf(path) + (isQuoted ? 1 : 0);
  }

  keyOffset(path: YamlPath, key: string): number {
    const parent = path.length === 0 ? this.document.contents : this.document.getIn(path, true);
    if (isMap(parent)) {
      const pair = parent.items.find((item: Pair) => isScalar(item.key) && String(item.key.value) === key);
      if (pair && isScalar(pair.key) && pair.key.range) return pair.key.range[0];
    }
    return this.offsetOf(path);
  }
}
