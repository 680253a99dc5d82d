/**
 * What schemes look at in one round, copied once into columns: regions and the spots inside them, as
 * units that are matched as a whole, and the pieces of memory that each unit consists of. What few schemes
 * ask for is taken from the monitor when it is asked for.
 *
 * A spot is a unit of its own. A region is a unit of its whole size and age and of the rate that its
 * spots leave, and consists of what its spots leave: a hot page of a cold region stays, and one of a
 * lukewarm region moves alone. Units are numbered in address order, a region before its spots.
 */
import { PAGED_OUT } from '../memory/action.ts';
import { NO_VALUE, type RunVisitor } from '../memory/page-runs.ts';
import { NO_REGIONS, type Regions } from '../monitor/monitor.ts';
import { forEachPieceOf, forEachRegion, NO_SPOT } from '../monitor/pieces.ts';

const FIRST_CAPACITY = 1024;
export const NO_PIECE = -1;

/** Bits of {@link UnitTable.places}: nodes below 28, then these. */
export const PAGED_OUT_BIT = 1 << 28;
export const HOLE_BIT = 1 << 29;
const MOST_NODES = 28;
/** The placement of a piece is not known. */
const UNKNOWN = -1;

export class UnitTable {
  /** Units. */
  count = 0;
  start = new Float64Array(FIRST_CAPACITY);
  szBytes = new Float64Array(FIRST_CAPACITY);
  ratePerS = new Float64Array(FIRST_CAPACITY);
  /** Aggregation intervals. */
  age = new Float64Array(FIRST_CAPACITY);
  isIdle = new Uint8Array(FIRST_CAPACITY);
  /** Where a unit's rarer facts are: its number among the regions or spots. */
  #source = new Int32Array(FIRST_CAPACITY);
  #isSpot = new Uint8Array(FIRST_CAPACITY);
  #regions: Regions = NO_REGIONS;
  #spots: Regions = NO_REGIONS;
  firstPiece = new Int32Array(FIRST_CAPACITY);
  #lastPiece = new Int32Array(FIRST_CAPACITY);

  pieces = 0;
  pieceStart = new Float64Array(FIRST_CAPACITY);
  pieceEnd = new Float64Array(FIRST_CAPACITY);
  #pieceUnit = new Int32Array(FIRST_CAPACITY);
  /** The next piece of the same unit, or {@link NO_PIECE}. */
  nextPiece = new Int32Array(FIRST_CAPACITY);
  /** Where a piece lies when the round begins: bit n for node n. */
  places = new Int32Array(FIRST_CAPACITY);
  #arePlacesKnown = false;

  /** Copies a monitor's regions and spots; both stay as they are until the round is over. */
  fill(regions: Regions, spots: Regions): void {
    this.#regions = regions;
    this.#spots = spots;
    this.count = 0;
    this.pieces = 0;
    this.#arePlacesKnown = false;
    let [lastSpot, spotUnit] = [NO_SPOT, 0];
    forEachRegion(regions, spots, (region, restRate, first, past) => {
      // A region whose spots explain every access is idle outside them.
      const isIdle = regions.isIdle(region) || (restRate === 0 && regions.rate(region) > 0);
      const unit = this.#addUnit(regions, region, restRate, isIdle);
      if (first === past) {
        this.#addPiece(unit, regions.start(region), regions.end(region));
        return;
      }
      forEachPieceOf(regions, region, restRate, spots, first, past, (start, end, rate, spot) => {
        if (spot !== NO_SPOT && spot !== lastSpot) {
          lastSpot = spot;
          spotUnit = this.#addUnit(spots, spot, rate, spots.isIdle(spot));
        }
        this.#addPiece(spot === NO_SPOT ? unit : spotUnit, start, end);
      });
    });
  }

  /** Fills {@link places}, once per round; holes between regions cost nothing. */
  locate(placement: (start: number, end: number, visit: RunVisitor) => void): void {
    if (this.#arePlacesKnown || this.pieces === 0) return;
    this.#arePlacesKnown = true;
    const { pieceStart, pieceEnd, places } = this;
    places.fill(0, 0, this.pieces);
    // Pieces are in address order, and so are runs: one walk over both.
    let piece = 0;
    placement(pieceStart[0], pieceEnd[this.pieces - 1], (from, to, nid) => {
      const bit = placeBit(nid);
      while (piece < this.pieces && pieceEnd[piece] <= from) piece++;
      for (let p = piece; p < this.pieces && pieceStart[p] < to; p++) places[p] |= bit;
    });
  }

  /** Accesses per page per second at an address; 0 where nothing is watched. */
  rateAt(address: number): number {
    let [low, high] = [0, this.pieces];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.pieceEnd[middle] <= address) low = middle + 1;
      else high = middle;
    }
    if (low === this.pieces || this.pieceStart[low] > address) return 0;
    return this.ratePerS[this.#pieceUnit[low]];
  }

  /** Samples of an aggregation interval in which the unit was seen accessed. */
  nrAccesses(unit: number): number {
    return this.#viewOf(unit).nrAccesses(this.#source[unit]);
  }

  /** Node whose CPUs access the unit most, -1 if no sample told. */
  accessingNid(unit: number): number {
    return this.#viewOf(unit).accessingNid(this.#source[unit]);
  }

  /** Share of its accesses that are stores, NaN if no sample told. */
  storeShare(unit: number): number {
    return this.#viewOf(unit).storeShare(this.#source[unit]);
  }

  #viewOf(unit: number): Regions {
    return this.#isSpot[unit] === 1 ? this.#spots : this.#regions;
  }

  #addUnit(view: Regions, i: number, rate: number, isIdle: boolean): number {
    const unit = this.count++;
    if (unit === this.start.length) this.#growUnits();
    this.start[unit] = view.start(i);
    this.szBytes[unit] = view.end(i) - view.start(i);
    this.ratePerS[unit] = rate;
    this.age[unit] = view.age(i);
    this.isIdle[unit] = isIdle ? 1 : 0;
    this.#source[unit] = i;
    this.#isSpot[unit] = view === this.#spots ? 1 : 0;
    this.firstPiece[unit] = NO_PIECE;
    return unit;
  }

  #addPiece(unit: number, start: number, end: number): void {
    const piece = this.pieces++;
    if (piece === this.pieceStart.length) this.#growPieces();
    this.pieceStart[piece] = start;
    this.pieceEnd[piece] = end;
    this.#pieceUnit[piece] = unit;
    this.nextPiece[piece] = NO_PIECE;
    this.places[piece] = UNKNOWN;
    if (this.firstPiece[unit] === NO_PIECE) this.firstPiece[unit] = piece;
    else this.nextPiece[this.#lastPiece[unit]] = piece;
    this.#lastPiece[unit] = piece;
  }

  #growUnits(): void {
    this.start = grown(this.start);
    this.szBytes = grown(this.szBytes);
    this.ratePerS = grown(this.ratePerS);
    this.age = grown(this.age);
    this.isIdle = grown(this.isIdle);
    this.#source = grown(this.#source);
    this.#isSpot = grown(this.#isSpot);
    this.firstPiece = grown(this.firstPiece);
    this.#lastPiece = grown(this.#lastPiece);
  }

  #growPieces(): void {
    this.pieceStart = grown(this.pieceStart);
    this.pieceEnd = grown(this.pieceEnd);
    this.#pieceUnit = grown(this.#pieceUnit);
    this.nextPiece = grown(this.nextPiece);
    this.places = grown(this.places);
  }
}

/** The bit of a placement value in {@link UnitTable.places}. */
export function placeBit(nid: number): number {
  if (nid === NO_VALUE) return HOLE_BIT;
  if (nid === PAGED_OUT) return PAGED_OUT_BIT;
  // Nodes beyond the bits share the last one.
  return 1 << Math.min(nid, MOST_NODES - 1);
}

type Column = Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

function grown<T extends Column>(column: T): T {
  // The constructor of a typed array makes one of its own kind.
  const larger = new (column.constructor as new (length: number) => T)(column.length * 2);
  larger.set(column);
  return larger;
}
