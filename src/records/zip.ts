/** Reads the members of a zip file, one after the other, streaming; their list stands at the file's end. */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createInflateRaw } from 'node:zlib';
import { ThermoError } from '../memory/error.ts';

const END_SIGNATURE = 0x06054b50;
const ENTRY_SIGNATURE = 0x02014b50;
const END_BYTES = 22;
const ENTRY_BYTES = 46;
const LOCAL_BYTES = 30;
const MAX_COMMENT = 65535;
const STORED = 0;
const DEFLATED = 8;

interface Member {
  readonly name: string;
  readonly method: number;
  readonly compressedBytes: number;
  /** Of the local header. */
  readonly offset: number;
}

/**
 * The content of all members whose name `isWanted`, in the order of their names.
 * @param onBytes called with the compressed bytes read
 * @throws ThermoError THERMO_TRACE_TRUNCATED, THERMO_TRACE_FORMAT
 */
export async function* readZip(
  path: string,
  isWanted: (name: string) => boolean,
  onBytes: (count: number) => void,
): AsyncGenerator<Buffer> {
  const handle = await open(path, 'r');
  let members: Member[];
  const starts = new Map<Member, number>();
  try {
    members = (await listMembers(handle, path)).filter(({ name }) => isWanted(name));
    for (const member of members) starts.set(member, await dataStart(handle, member));
  } finally {
    await handle.close();
  }
  members.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  for (const member of members) {
    const start = starts.get(member) ?? 0;
    if (member.compressedBytes === 0) continue;
    const raw = createReadStream(path, { start, end: start + member.compressedBytes - 1 });
    raw.on('data', (chunk) => onBytes(chunk.length));
    if (member.method === STORED) yield* raw as AsyncIterable<Buffer>;
    else if (member.method === DEFLATED) {
      const inflate = createInflateRaw({ chunkSize: 1 << 18 });
      raw.on('error', (error) => inflate.destroy(error));
      yield* raw.pipe(inflate) as AsyncIterable<Buffer>;
    } else {
      throw new ThermoError(
        'THERMO_TRACE_FORMAT',
        `${path}: ${member.name} is packed by method ${member.method}`,
        { hint: 'accepted: stored or deflated members; pack the file again with zip' },
      );
    }
  }
}

async function listMembers(handle: FileHandle, path: string): Promise<Member[]> {
  const { size } = await handle.stat();
  const tail = await readAt(handle, Math.max(0, size - END_BYTES - MAX_COMMENT), size);
  let end = tail.length - END_BYTES;
  while (end >= 0 && tail.readUInt32LE(end) !== END_SIGNATURE) end--;
  if (end < 0) {
    throw new ThermoError('THERMO_TRACE_TRUNCATED', `${path}: the zip file ends too early`, {
      hint: 'copy or record the file again; nothing was replayed',
    });
  }
  const count = tail.readUInt16LE(end + 10);
  const start = tail.readUInt32LE(end + 16);
  const directory = await readAt(handle, start, start + tail.readUInt32LE(end + 12));
  const members: Member[] = [];
  for (let at = 0, i = 0; i < count && at + ENTRY_BYTES <= directory.length; i++) {
    if (directory.readUInt32LE(at) !== ENTRY_SIGNATURE) break;
    const nameBytes = directory.readUInt16LE(at + 28);
    members.push({
      name: directory.toString('utf8', at + ENTRY_BYTES, at + ENTRY_BYTES + nameBytes),
      method: directory.readUInt16LE(at + 10),
      compressedBytes: directory.readUInt32LE(at + 20),
      offset: directory.readUInt32LE(at + 42),
    });
    at += ENTRY_BYTES + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return members;
}

async function dataStart(handle: FileHandle, { offset }: Member): Promise<number> {
  const header = await readAt(handle, offset, offset + LOCAL_BYTES);
  return offset + LOCAL_BYTES + header.readUInt16LE(26) + header.readUInt16LE(28);
}

async function readAt(handle: FileHandle, start: number, end: number): Promise<Buffer> {
  const buffer = Buffer.alloc(end - start);
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
  return buffer.subarray(0, bytesRead);
}
