/** Which units of a round match the pattern of a scheme. */
import type { RunVisitor } from '../memory/page-runs.ts';
import { isWithin, type SchemePattern } from './scheme.ts';
import { NO_PIECE, type UnitTable } from './unit-table.ts';

interface Placement {
  placement(start: number, end: number, visit: RunVisitor): void;
}

export class UnitMatches {
  /** By unit: 1 if it matches. */
  flags = new Uint8Array(0);

  has(unit: number): boolean {
    return this.flags[unit] === 1;
  }

  /** Marks what matches now; its bytes. */
  find(table: UnitTable, pattern: SchemePattern, aggrUs: number): number {
    const { ratePerS, age, szBytes, isIdle } = table;
    if (this.flags.length < table.count) this.flags = new Uint8Array(table.start.length);
    let sum = 0;
    for (let unit = 0; unit < table.count; unit++) {
      const isHotEnough = pattern.mustBeIdle
        ? isIdle[unit] === 1
        : isWithin(ratePerS[unit], pattern.minRatePerS, pattern.maxRatePerS);
      const matches =
        isHotEnough &&
        isWithin(age[unit] * aggrUs, pattern.minAgeUs, pattern.maxAgeUs) &&
        isWithin(szBytes[unit], pattern.minSzBytes, pattern.maxSzBytes);
      this.flags[unit] = matches ? 1 : 0;
      if (matches) sum += szBytes[unit];
    }
    return sum;
  }

  /** Bytes of what matches, and of these on some nodes. */
  on(nids: readonly number[], table: UnitTable, host: Placement): { all: number; there: number } {
    let [all, there] = [0, 0];
    for (let unit = 0; unit < table.count; unit++) {
      if (!this.has(unit)) continue;
      for (let piece = table.firstPiece[unit]; piece !== NO_PIECE; piece = table.nextPiece[piece]) {
        host.placement(table.pieceStart[piece], table.pieceEnd[piece], (from, to, nid) => {
          if (nids.includes(nid)) there += to - from;
          all += to - from;
        });
      }
    }
    return { all, there };
  }
}
