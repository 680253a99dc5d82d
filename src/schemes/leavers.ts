/**
 * What a tier loses: how often memory is used that has left it, whoever moved it, by a few of its pages that are
 * watched.
 */
import { PAGE_SIZE, roundDown } from '../memory/range.ts';
import type { UnitTable } from './unit-table.ts';

/** Whether a page lies on the node, or on one of the nodes. */
export type IsThere = (address: number) => boolean;

const RESIDENTS = 64;
const LEAVERS = 64;
/** Places that are looked at per round for new residents. */
const TRIES = 8;
/** A leaver has told what it can after this time, if others wait for its place. */
const LONG_ENOUGH_US = 10e6;
const GOLDEN = (Math.sqrt(5) - 1) / 2;
const NONE = -1;

export class Leavers {
  readonly #keptUs: number;
  readonly #resident = new Float64Array(RESIDENTS).fill(NONE);
  readonly #leaver = new Float64Array(LEAVERS).fill(NONE);
  readonly #sinceUs = new Float64Array(LEAVERS);
  readonly #accesses = new Float64Array(LEAVERS);
  #next = 0;
  /** Quasi-random: places of the memory that is watched, from 0 to 1. */
  #place = 0;

  /** @param keptUs after which a leaver is forgotten */
  constructor(keptUs: number) {
    this.#keptUs = keptUs;
  }

  /** Accesses per page per second of what has left. */
  follow(nowUs: number, passedUs: number, table: UnitTable, isThere: IsThere): number {
    if (table.pieces === 0) return 0;
    let tries = TRIES;
    for (let i = 0; i < RESIDENTS; i++) {
      const address = this.#resident[i];
      if (address === NONE) {
        if (tries-- > 0) this.#resident[i] = this.#pick(table, isThere);
      } else if (!isThere(address)) {
        this.#resident[i] = NONE;
        this.#add(nowUs, address);
      }
    }
    let [accesses, exposedUs] = [0, 0];
    for (let i = 0; i < LEAVERS; i++) {
      const address = this.#leaver[i];
      if (address === NONE) continue;
      const followedUs = nowUs - this.#sinceUs[i];
      if (followedUs > this.#keptUs) {
        this.#leaver[i] = NONE;
        continue;
      }
      // What has come back is not missed any more.
      if (!isThere(address)) this.#accesses[i] += (table.rateAt(address) * passedUs) / 1e6;
      accesses += this.#accesses[i];
      exposedUs += followedUs;
    }
    return exposedUs > 0 ? (accesses * 1e6) / exposedUs : 0;
  }

  #add(nowUs: number, address: number): void {
    const isTaken = this.#leaver[this.#next] !== NONE;
    if (isTaken && nowUs - this.#sinceUs[this.#next] < LONG_ENOUGH_US) return;
    this.#leaver[this.#next] = address;
    this.#sinceUs[this.#next] = nowUs;
    this.#accesses[this.#next] = 0;
    this.#next = (this.#next + 1) % LEAVERS;
  }

  /** A page that is there, or {@link NONE} where the next place is none. */
  #pick(table: UnitTable, isThere: IsThere): number {
    this.#place = (this.#place + GOLDEN) % 1;
    const start = table.pieceStart[0];
    const end = table.pieceEnd[table.pieces - 1];
    const address = start + roundDown(this.#place * (end - start), PAGE_SIZE);
    return isThere(address) ? address : NONE;
  }
}
