/**
 * A zlib stream (RFC 1950) that is written block by block, at once: each block is compressed by itself and ended
 * with a sync flush, so that they follow each other in one stream; the check of all of it comes last.
 */
import { constants, deflateRawSync } from 'node:zlib';

/** Deflate, a window of 32 KiB, default level; a multiple of 31. */
const HEADER = Buffer.from([0x78, 0x9c]);
const ADLER_BASE = 65521;
/** Most bytes whose sums stay below 2^32 (as zlib's NMAX). */
const ADLER_STEP = 5552;

export class ZlibBlocks {
  readonly #write: (bytes: Uint8Array) => void;
  #low = 1;
  #high = 0;
  #hasBegun = false;

  constructor(write: (bytes: Uint8Array) => void) {
    this.#write = write;
  }

  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#begin();
    this.#write(deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }));
    for (let at = 0; at < bytes.length; ) {
      const end = Math.min(bytes.length, at + ADLER_STEP);
      for (; at < end; at++) {
        this.#low += bytes[at];
        this.#high += this.#low;
      }
      this.#low %= ADLER_BASE;
      this.#high %= ADLER_BASE;
    }
  }

  finish(): void {
    this.#begin();
    const check = Buffer.alloc(4);
    check.writeUInt32BE(this.#high * 65536 + this.#low);
    this.#write(Buffer.concat([deflateRawSync(Buffer.alloc(0)), check]));
  }

  #begin(): void {
    if (!this.#hasBegun) this.#write(HEADER);
    this.#hasBegun = true;
  }
}
