/** What the clauses of a sentence are read with: its words, and the long form as it grows. */
import { suggest } from '../memory/nearest-word.ts';
import type { AccessPattern, LongScheme, Quotas } from './schema.ts';

/** A mistake in a sentence, at a character offset. */
export interface SentenceProblem {
  readonly offset: number;
  readonly message: string;
  readonly hint?: string;
}

/** Thrown by the reader of a clause; the sentence goes on with the next clause. */
export class ClauseMistake extends Error {
  readonly problem: SentenceProblem;

  constructor(offset: number, message: string, hint: string) {
    super(message);
    this.problem = { offset, message, hint };
  }
}

/** One kind of clause: grammar, documentation, completion and reader in one place. */
export interface ClauseRule {
  readonly keyword: string;
  readonly grammar: string;
  readonly meaning: string;
  readonly examples: readonly string[];
  /** True: may come several times. */
  readonly repeats: boolean;
  /** Reads what follows the keyword. @throws ClauseMistake */
  readonly read: (words: Cursor, draft: Draft) => void;
}

export interface Word {
  readonly text: string;
  readonly offset: number;
  readonly end: number;
}

/**
 * Comparisons, "..", paths, commas that part two values (not those inside 1,000), and all else up to the
 * next of these.
 */
const WORD = /[<>]=?|=|\.\.|,|\/[^\s,]*|(?:(?!\.\.)(?:[^\s<>=,]|,(?<=\d,)(?=\d)))+/g;

export function wordsOfSentence(sentence: string): Word[] {
  return [...sentence.matchAll(WORD)].map((match) => ({
    text: match[0],
    offset: match.index,
    end: match.index + match[0].length,
  }));
}

/** A unit that stands apart from its number: "512 MiB/s", "5 samples", "1 GiB per s". */
const UNIT = /^(%|b|[kmgtp](i?b)?|ns|us|µs|ms|s|m|min|h|d|per|samples?|aggr_intervals?)?(\/.*)?$/i;
/** A further part of a time: the "30s" of "1m 30s". */
const TIME_PART = /^[\d.]+(ns|us|µs|ms|s|m|min|h|d)$/i;

export interface Value {
  readonly text: string;
  readonly offset: number;
}

/** Lower and upper bound as the long form writes them. */
export interface Bounds extends Value {
  readonly min?: string;
  readonly max?: string;
}

export class Cursor {
  readonly #sentence: string;
  readonly #words: readonly Word[];
  readonly #isKeyword: (text: string) => boolean;
  #at = 0;
  #rule: ClauseRule | undefined;
  #clauseOffset = 0;

  constructor(sentence: string, words: readonly Word[], isKeyword: (text: string) => boolean) {
    this.#sentence = sentence;
    this.#words = words;
    this.#isKeyword = isKeyword;
  }

  /** Begins a clause: takes its keyword. */
  begin(rule: ClauseRule): void {
    this.#rule = rule;
    this.#clauseOffset = this.next().offset;
  }

  peek(): Word | undefined {
    return this.#words[this.#at];
  }

  /** The next word, whatever it is; the caller knows that there is one. */
  next(): Word {
    return this.#words[this.#at++];
  }

  /** Goes to the next clause, or to the end. */
  skipClause(): void {
    while (this.peek() !== undefined && this.isInClause()) this.#at++;
  }

  /** True if the next word belongs to the present clause as far as its text tells. */
  isInClause(): boolean {
    const word = this.peek();
    return word !== undefined && !this.#isKeyword(word.text);
  }

  takeIf(...texts: readonly string[]): string | undefined {
    const word = this.peek();
    if (word === undefined || !texts.includes(word.text)) return undefined;
    this.#at++;
    return word.text;
  }

  /** A value of one word. */
  word(): Word {
    if (!this.isInClause()) throw this.#lacksValue();
    return this.next();
  }

  /** One of `known`. */
  choice<T extends string>(known: readonly T[], kind: string): T {
    const word = this.word();
    const found = known.find((each) => each === word.text);
    if (found !== undefined) return found;
    throw new ClauseMistake(word.offset, `unexpected "${word.text}"`, suggest(word.text, known, kind));
  }

  /** A word that must come next. */
  expect(text: string): void {
    if (this.takeIf(text) !== undefined) return;
    const near = this.#words[this.isInClause() ? this.#at : this.#at - 1];
    throw this.mistake(near.offset, `"${this.#keyword()}" lacks "${text}"`);
  }

  /** A number with its unit, which may stand apart. */
  quantity(): Value {
    const first = this.word();
    let last = first;
    for (let word = this.peek(); word !== undefined; word = this.peek()) {
      const isTimePart = /[a-z]$/i.test(last.text) && TIME_PART.test(word.text);
      const isWindow = /(\/|^per)$/i.test(last.text) && this.isInClause();
      const isPart = UNIT.test(word.text) || isTimePart || isWindow;
      if (!isPart || !/\d/.test(first.text)) break;
      last = this.next();
    }
    return { text: this.#sentence.slice(first.offset, last.end), offset: first.offset };
  }

  /** A percentage. Elsewhere a bare number may count 1/1000 or 1/10000, which nobody would guess here. */
  share(): Value {
    const value = this.quantity();
    if (value.text.endsWith('%')) return value;
    throw this.mistake(value.offset, `"${value.text}" is not a percentage`);
  }

  /** `> X`, `>= X`, `< X`, `<= X`, `X..Y`, `X..`, `..Y`. */
  bounds(): Bounds {
    const operator = this.takeIf('>', '>=', '<', '<=');
    if (operator !== undefined) {
      const value = this.quantity();
      const bound = operator.length === 1 ? `${operator} ${value.text}` : value.text;
      return { ...value, ...(operator.startsWith('>') ? { min: bound } : { max: bound }) };
    }
    const start = this.peek();
    if (start === undefined || !this.isInClause()) throw this.#lacksValue();
    const min = start.text === '..' ? undefined : this.quantity();
    if (this.takeIf('..') === undefined) {
      throw this.mistake(start.offset, `"${this.#keyword()}" needs >, >=, <, <= or a range`);
    }
    const max = this.isInClause() && /^[\d.]/.test(this.peek()?.text ?? '') ? this.quantity() : undefined;
    if (min === undefined && max === undefined) throw this.#lacksValue();
    return {
      text: `${min?.text ?? ''}..${max?.text ?? ''}`,
      offset: start.offset,
      ...(min ? { min: min.text } : {}),
      ...(max ? { max: max.text } : {}),
    };
  }

  /** A mistake in the present clause, with an example of how to say it. */
  mistake(offset: number, message: string): ClauseMistake {
    return new ClauseMistake(offset, message, this.#example());
  }

  #lacksValue(): ClauseMistake {
    return this.mistake(this.#clauseOffset, `"${this.#keyword()}" lacks its value`);
  }

  #example(): string {
    return `expected for example: ${this.#rule?.examples.join(', ') ?? ''}`;
  }

  #keyword(): string {
    return this.#rule?.keyword ?? '';
  }
}

/** The long form as the clauses fill it, and where in the sentence each part of it was said. */
export class Draft {
  readonly long: LongScheme;
  readonly offsets = new Map<string, number>();

  constructor(action: LongScheme['action']) {
    this.long = { action };
  }

  get pattern(): AccessPattern {
    this.long.access_pattern ??= {};
    return this.long.access_pattern;
  }

  get quotas(): Quotas {
    this.long.quotas ??= {};
    return this.long.quotas;
  }

  /** Notes where `path` of the long form was said. */
  said(path: string, { offset }: { readonly offset: number }): void {
    this.offsets.set(path, offset);
  }
}
