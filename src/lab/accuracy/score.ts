/**
 * How well a monitor's map matches an access-rate field at one moment, in bytes (definitions:
 * measurements of the DAMON core, section 2, "Scores").
 */
import type { RateMap } from '../../machines/field/rate-map.ts';
import { invariant } from '../../memory/error.ts';
import { PAGE_SIZE } from '../../memory/range.ts';
import type { Regions } from '../../monitor/monitor.ts';
import { forEachPiece } from '../../monitor/pieces.ts';
import type { Score } from '../../view/accuracy-table.ts';
import { detectionOf, f1Of } from '../detection.ts';

/** Bits of the piece's number in a sort key; with 32 bits of rate it stays an exact integer. */
const INDEX_BITS = 20;

/** Sums over the truth from address 0 on, for one map and one threshold. */
class TruthSums {
  readonly hotBytes: number;
  readonly hotPerS: number;
  readonly #map: RateMap;
  readonly #isHot: Uint8Array;
  /** Up to the start of each piece. */
  readonly #hotBytesTo: Float64Array;
  readonly #perSTo: Float64Array;

  constructor(map: RateMap, minPerS: number) {
    const { count, start, perS } = map;
    this.#map = map;
    this.#isHot = new Uint8Array(count + 1);
    this.#hotBytesTo = new Float64Array(count + 1);
    this.#perSTo = new Float64Array(count + 1);
    let hotPerS = 0;
    for (let i = 0; i < count; i++) {
      const bytes = start[i + 1] - start[i];
      const accesses = (perS[i] * bytes) / PAGE_SIZE;
      const isHot = perS[i] >= minPerS;
      this.#isHot[i] = isHot ? 1 : 0;
      this.#hotBytesTo[i + 1] = this.#hotBytesTo[i] + (isHot ? bytes : 0);
      this.#perSTo[i + 1] = this.#perSTo[i] + accesses;
      if (isHot) hotPerS += accesses;
    }
    this.hotBytes = this.#hotBytesTo[count];
    this.hotPerS = hotPerS;
  }

  /** Piece of an address that may also be the end of the field. */
  locate(address: number): number {
    const { count, start } = this.#map;
    return address >= start[count] ? count : this.#map.locate(address);
  }

  hotBytesTo(address: number, piece: number): number {
    const within = this.#isHot[piece] === 1 ? address - this.#map.start[piece] : 0;
    return this.#hotBytesTo[piece] + within;
  }

  perSTo(address: number, piece: number): number {
    if (piece === this.#map.count) return this.#perSTo[piece];
    return this.#perSTo[piece] + (this.#map.perS[piece] * (address - this.#map.start[piece])) / PAGE_SIZE;
  }
}

/** Scores maps of one monitor; keeps its arrays from call to call. */
export class AccuracyScorer {
  readonly #minPerS: number;
  #map: RateMap | undefined;
  #truth: TruthSums | undefined;
  #count = 0;
  #bytes = new Float64Array(1024);
  #hotBytes = new Float64Array(1024);
  #perS = new Float64Array(1024);
  #rate = new Float64Array(1024);
  #keys = new Float64Array(1024);
  readonly #rate32 = new Float32Array(1);
  readonly #rateBits = new Uint32Array(this.#rate32.buffer);

  /** @param minPerS rate from which on pages are hot, in the truth and in the monitor's map alike */
  constructor(minPerS: number) {
    this.#minPerS = minPerS;
  }

  /** Bytes that are hot in `map`. */
  hotBytes(map: RateMap): number {
    return this.#truthOf(map).hotBytes;
  }

  /**
   * Best F1: over all thresholds above 0. Hot-share: of the accesses to the hot bytes, what the pieces of
   * highest rate would catch that together have as many bytes. Cost: sorting the pieces.
   */
  score(regions: Regions, spots: Regions, map: RateMap): Score {
    const truth = this.#truthOf(map);
    this.#readPieces(regions, spots, truth);
    let both = 0;
    let detected = 0;
    for (let i = 0; i < this.#count; i++) {
      if (this.#rate[i] < this.#minPerS) continue;
      detected += this.#bytes[i];
      both += this.#hotBytes[i];
    }
    return { ...detectionOf(both, detected, truth.hotBytes), ...this.#rank(truth) };
  }

  #truthOf(map: RateMap): TruthSums {
    if (this.#map !== map || this.#truth === undefined) {
      this.#map = map;
      this.#truth = new TruthSums(map, this.#minPerS);
    }
    return this.#truth;
  }

  /** Pieces that touch and have the same rate become one: a grid of mostly idle cells is then short. */
  #readPieces(regions: Regions, spots: Regions, truth: TruthSums): void {
    this.#count = 0;
    let from = 0;
    let to = 0;
    let lastRate = 0;
    forEachPiece(regions, spots, (start, end, rate) => {
      if (start !== to || rate !== lastRate) {
        if (from < to) this.#addPiece(from, to, lastRate, truth);
        from = start;
        lastRate = rate;
      }
      to = end;
    });
    if (from < to) this.#addPiece(from, to, lastRate, truth);
  }

  #addPiece(start: number, end: number, rate: number, truth: TruthSums): void {
    if (this.#count === this.#bytes.length) this.#grow();
    const i = this.#count++;
    const [first, last] = [truth.locate(start), truth.locate(end)];
    this.#bytes[i] = end - start;
    this.#hotBytes[i] = truth.hotBytesTo(end, last) - truth.hotBytesTo(start, first);
    this.#perS[i] = truth.perSTo(end, last) - truth.perSTo(start, first);
    this.#rate[i] = rate;
  }

  /** Walks the pieces by falling rate, ties by address; rates are compared to 24 bits. */
  #rank(truth: TruthSums): { bestF1: number; hotShare: number } {
    if (truth.hotBytes === 0) return { bestF1: 1, hotShare: 1 };
    const count = this.#count;
    invariant(count < 2 ** INDEX_BITS, `${count} pieces cannot be ranked`);
    for (let i = 0; i < count; i++) {
      this.#rate32[0] = this.#rate[i];
      // Bits of positive floats are in the order of the floats.
      this.#keys[i] = (0xffffffff - this.#rateBits[0]) * 2 ** INDEX_BITS + i;
    }
    const keys = this.#keys.subarray(0, count).sort();
    let bestF1 = 0;
    let both = 0;
    let detected = 0;
    let caught = 0;
    let room = truth.hotBytes;
    for (let k = 0; k < count && (room > 0 || this.#rate[indexOf(keys[k])] > 0); k++) {
      const i = indexOf(keys[k]);
      const taken = Math.min(room, this.#bytes[i]);
      caught += (this.#perS[i] * taken) / this.#bytes[i];
      room -= taken;
      if (this.#rate[i] === 0) continue;
      both += this.#hotBytes[i];
      detected += this.#bytes[i];
      const isLastOfRate = k + 1 === count || rankOf(keys[k + 1]) !== rankOf(keys[k]);
      if (isLastOfRate) bestF1 = Math.max(bestF1, f1Of(both, detected, truth.hotBytes));
    }
    return { bestF1, hotShare: truth.hotPerS > 0 ? caught / truth.hotPerS : 1 };
  }

  #grow(): void {
    const grown = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const array = new Float64Array(old.length * 2);
      array.set(old);
      return array;
    };
    this.#bytes = grown(this.#bytes);
    this.#hotBytes = grown(this.#hotBytes);
    this.#perS = grown(this.#perS);
    this.#rate = grown(this.#rate);
    this.#keys = grown(this.#keys);
  }
}

function indexOf(key: number): number {
  return key % 2 ** INDEX_BITS;
}

function rankOf(key: number): number {
  return Math.floor(key / 2 ** INDEX_BITS);
}
