/** What becomes another thing, or nothing, where a scheme file is handed to a kernel. */
import type { TextPosition } from '../memory/error.ts';

export interface ExportNote {
  /** changed: done in another way; lost: not done; refused: the scheme is left out. */
  readonly kind: 'changed' | 'lost' | 'refused';
  /** Name of the scheme; undefined: it is about monitoring. */
  readonly scheme: string | undefined;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly where?: TextPosition | undefined;
}

export class Notes {
  readonly list: ExportNote[] = [];

  add(note: ExportNote): void {
    this.list.push(note);
  }

  /** Notes of one scheme. */
  of(scheme: string, where: TextPosition): SchemeNotes {
    return new SchemeNotes(this, scheme, where);
  }
}

export class SchemeNotes {
  #isRefused = false;
  readonly #notes: Notes;
  readonly #scheme: string;
  readonly #where: TextPosition;

  constructor(notes: Notes, scheme: string, where: TextPosition) {
    this.#notes = notes;
    this.#scheme = scheme;
    this.#where = where;
  }

  get isRefused(): boolean {
    return this.#isRefused;
  }

  changed(message: string, hint?: string, where?: TextPosition): void {
    this.#add('changed', message, hint, where);
  }

  lost(message: string, hint?: string, where?: TextPosition): void {
    this.#add('lost', message, hint, where);
  }

  refused(message: string, hint?: string, where?: TextPosition): void {
    this.#isRefused = true;
    this.#add('refused', message, hint, where);
  }

  #add(kind: ExportNote['kind'], message: string, hint?: string, where = this.#where): void {
    this.#notes.add({ kind, scheme: this.#scheme, message, hint, where });
  }
}
