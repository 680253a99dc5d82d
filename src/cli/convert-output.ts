/** Where `convert` writes: a record, a record of damo, or text. Files are there whole or not at all. */
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { defaultClockRate } from '../machines/replayed/open-replay.ts';
import { ThermoError } from '../memory/error.ts';
import type { SnapshotVisitor } from '../memory/region-record.ts';
import { formatCount } from '../memory/units.ts';
import type { AccessParser, TraceBatch } from '../records/access-parser.ts';
import { DamoRecordWriter } from '../records/damo-write.ts';
import { RecordWriter } from '../records/record-writer.ts';
import { snapshotLines, TEXT_HEAD } from '../records/text-record.ts';
import { writeError } from '../records/write-error.ts';
import { ZlibBlocks } from '../records/zlib-blocks.ts';
import type { Terminal } from './terminal.ts';

export const OUTPUT_FORMATS = ['record', 'damo-json', 'damo-zlib', 'text'] as const;

export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export interface ConvertOutput {
  readonly onSnapshot: SnapshotVisitor;
  readonly onAccesses: (batch: TraceBatch, parser: AccessParser) => void;
  /** @returns what could not be kept, in words */
  finish(): string[];
  discard(): void;
}

/** Bytes that are put together before they are written. */
const BLOCK = 1 << 20;

export function openOutput(
  format: OutputFormat,
  path: string,
  facts: Readonly<Record<string, string>>,
  terminal: Terminal,
): ConvertOutput {
  if (format === 'record') return recordOutput(path, facts);
  const file = path === '-' ? new StreamFile(terminal) : new WholeFile(path);
  return format === 'text' ? textOutput(file) : damoOutput(file, format === 'damo-zlib');
}

function recordOutput(path: string, facts: Readonly<Record<string, string>>): ConvertOutput {
  if (path === '-') {
    throw new ThermoError('THERMO_USAGE', 'a record is a directory, and no pipe', {
      hint: 'name a directory, or ask for --to text',
    });
  }
  const writer = new RecordWriter(path, facts);
  return {
    onSnapshot: (head, snapshot) => writer.addSnapshot(head, snapshot),
    onAccesses: (batch, parser) => {
      const nsPerTick = 1e9 / defaultClockRate(parser);
      const startNs = BigInt(Math.round((Number.isNaN(parser.startUs) ? 0 : parser.startUs) * 1000));
      if (!Number.isNaN(parser.period)) writer.setFact('thermocline.period', String(parser.period));
      writer.addSamples(batch, (i) => startNs + BigInt(Math.round(batch.ticks[i] * nsPerTick)));
    },
    finish: () => {
      writer.finish();
      return [];
    },
    discard: () => writer.finish(),
  };
}

function damoOutput(file: OutputFile, isZlib: boolean): ConvertOutput {
  const blocks = new ZlibBlocks((bytes) => file.write(bytes));
  const text = new TextBlocks((bytes) => (isZlib ? blocks.add(bytes) : file.write(bytes)));
  const writer = new DamoRecordWriter((part) => text.add(part));
  return {
    onSnapshot: (head, snapshot) => writer.add(head, snapshot),
    onAccesses: () => {
      throw new ThermoError('THERMO_USAGE', 'a trace has accesses, and a record of damo has regions', {
        hint: 'replay it: thermocline run SCHEMES --trace FILE --record DIR; then convert DIR',
      });
    },
    finish: () => {
      writer.finish();
      text.flush();
      if (isZlib) blocks.finish();
      file.commit();
      return writer.rounded === 0
        ? []
        : [`damo counts whole samples: ${formatCount(writer.rounded)} regions have their counts rounded`];
    },
    discard: () => file.discard(),
  };
}

function textOutput(file: OutputFile): ConvertOutput {
  const text = new TextBlocks((bytes) => file.write(bytes));
  let isEmpty = true;
  const begin = (head: string): void => {
    if (isEmpty) text.add(head);
    isEmpty = false;
  };
  return {
    onSnapshot: (head, snapshot) => {
      begin(TEXT_HEAD);
      text.add(snapshotLines(head, snapshot));
    },
    onAccesses: (batch, { clock }) => {
      begin(
        `# ${clock === 'time' ? 'us' : clock === 'order' ? 'number' : 'instructions'} pid cpu address load|store\n`,
      );
      const lines: string[] = [];
      for (let i = 0; i < batch.count; i++) {
        lines.push(
          `${batch.ticks[i]} ${batch.pid[i]} ${batch.cpu[i]} ${batch.address[i].toString(16)} ${batch.isStore[i] === 1 ? 'S' : 'L'}\n`,
        );
      }
      text.add(lines.join(''));
    },
    finish: () => {
      text.flush();
      file.commit();
      return [];
    },
    discard: () => file.discard(),
  };
}

/** Text in blocks of bytes. */
class TextBlocks {
  readonly #write: (bytes: Uint8Array) => void;
  #parts: string[] = [];
  #length = 0;

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  add(text: string): void {
    this.#parts.push(text);
    this.#length += text.length;
    if (this.#length >= BLOCK) this.flush();
  }

  flush(): void {
    if (this.#length > 0) this.#write(Buffer.from(this.#parts.join('')));
    this.#parts = [];
    this.#length = 0;
  }
}

interface OutputFile {
  write(bytes: Uint8Array): void;
  commit(): void;
  discard(): void;
}

class StreamFile implements OutputFile {
  readonly #terminal: Terminal;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  write(bytes: Uint8Array): void {
    this.#terminal.stdout.write(bytes);
  }

  commit(): void {}

  discard(): void {}
}

/** A file that has another name until it is whole. */
class WholeFile implements OutputFile {
  readonly #path: string;
  readonly #work: string;
  #fd: number;

  constructor(path: string) {
    this.#path = path;
    this.#work = `${path}.${process.pid}.tmp`;
    this.#fd = this.#try(() => openSync(this.#work, 'w'));
  }

  write(bytes: Uint8Array): void {
    this.#try(() => {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done);
    });
  }

  commit(): void {
    this.#try(() => {
      fsyncSync(this.#fd);
      closeSync(this.#fd);
      this.#fd = -1;
      renameSync(this.#work, this.#path);
    });
  }

  discard(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
    rmSync(this.#work, { force: true });
  }

  #try<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw writeError(error, this.#path, 'name another file');
    }
  }
}
