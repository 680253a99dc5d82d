/**
 * An access-rate field: how often each page of an address space is accessed, piecewise constant over
 * address and time. It is the truth that monitors are scored against.
 */
import { invariant } from '../../memory/error.ts';
import { type FieldArea, RateMap } from './rate-map.ts';

export interface FieldConfig {
  readonly name: string;
  readonly sizeBytes: number;
  /** Accesses per page per second, everywhere; areas come on top. */
  readonly backgroundPerS: number;
  /** Pages are hot from this rate on, in accesses per second; undefined: as the caller says. */
  readonly hotPerS?: number;
  /** The areas from `timeUs` until the next change. */
  readonly areasAt: (timeUs: number) => readonly FieldArea[];
  /** The first change after `timeUs`; infinite if there is none. Left out: the field never changes. */
  readonly nextChangeUs?: (timeUs: number) => number;
}

/** A field whose layout depends on a seed. */
export interface FieldSource {
  readonly name: string;
  readonly create: (seed: number) => AccessField;
}

export class AccessField {
  readonly name: string;
  readonly sizeBytes: number;
  readonly hotPerS: number | undefined;
  readonly #config: FieldConfig;
  #fromUs = 0;
  #untilUs = 0;
  #map: RateMap | undefined;

  constructor(config: FieldConfig) {
    this.name = config.name;
    this.sizeBytes = config.sizeBytes;
    this.hotPerS = config.hotPerS;
    this.#config = config;
  }

  /** The rates at a moment; the same object as long as nothing changes. A change holds from its time on. */
  mapAt(timeUs: number): RateMap {
    if (this.#map !== undefined && timeUs >= this.#fromUs && timeUs < this.#untilUs) return this.#map;
    const { sizeBytes, backgroundPerS, areasAt } = this.#config;
    this.#map = new RateMap(sizeBytes, backgroundPerS, areasAt(timeUs));
    this.#fromUs = timeUs;
    this.#untilUs = this.nextChangeUs(timeUs);
    return this.#map;
  }

  /** The first change after `timeUs`; infinite if there is none. */
  nextChangeUs(timeUs: number): number {
    const next = this.#config.nextChangeUs?.(timeUs) ?? Number.POSITIVE_INFINITY;
    invariant(next > timeUs, `field ${this.name} stands still at ${timeUs} us`);
    return next;
  }
}
