/**
 * A machine that does nothing but access memory as an {@link AccessField} says: for scoring monitors
 * against a truth that is known exactly.
 *
 * In a time of d seconds in which the field is constant, a page of rate r is found accessed with
 * probability 1 - exp(-r d), and a Poisson number of samples falls on pages in proportion to their
 * rates. Pages never move. The time per check and sample does not depend on the field.
 */
import { pushSample } from '../../memory/access-batch.ts';
import type { Action } from '../../memory/action.ts';
import type { PushSetting } from '../../memory/push-setting.ts';
import { RandomStream } from '../../memory/random.ts';
import { type AddressRange, PAGE_SIZE } from '../../memory/range.ts';
import { ADISTANCE_DRAM, type MemoryNode } from '../../memory/tier.ts';
import type { Baseline, ModelledMachine, Truth } from '../machine.ts';
import { ModelledBase } from '../modelled-base.ts';
import { Mover } from '../mover.ts';
import type { AccessField } from './access-field.ts';
import { PageSet } from './page-set.ts';
import type { RateMap } from './rate-map.ts';

/** What goes wrong with the sources, for tests of how monitors degrade. */
export interface FieldFaults {
  /** From this time on there are no samples, and the batches say so (no exposure). */
  readonly pushLostAtUs?: number;
  /** From this time on every pull check misses. */
  readonly pullBlindAtUs?: number;
  /** Share of the samples that is lost on the way, and counted as dropped. */
  readonly dropShare?: number;
  /** From this time on samples come at `factor` of the rate, and the exposure still claims the full one. */
  readonly pushBias?: { readonly atUs: number; readonly factor: number };
}

export interface FieldMachineConfig {
  readonly field: AccessField;
  /** `rate`: samples per second, whatever the field; `period`: each N-th access. */
  readonly push: PushSetting;
  /** May be infinite. */
  readonly durationUs: number;
  readonly seed: number;
  readonly faults?: FieldFaults;
}

/** Time of one access, only to have a completion time: DDR5's idle latency. */
const ACCESS_NS = 110;

export class FieldMachine extends ModelledBase implements ModelledMachine, Truth {
  readonly kind = 'simulated';
  readonly name = 'field';
  readonly workload: string;
  readonly nodes: readonly MemoryNode[];
  override readonly actions: readonly Action[] = ['stat'];
  readonly truth: Truth = this;
  protected readonly mover: Mover;
  readonly #config: FieldMachineConfig;
  readonly #faults: FieldFaults;
  readonly #ranges: readonly AddressRange[];
  readonly #pushRandom: RandomStream;
  readonly #pullRandom: RandomStream;
  readonly #dropRandom: RandomStream;
  /** Pages in the TLB whose A bit was cleared. */
  readonly #cleared: PageSet;
  #nowUs = 0;
  #accesses = 0;
  #checked: Float64Array = new Float64Array(0);
  #checkedCount = 0;
  /** Expected accesses to each checked page since `preparePull`. */
  #expected: Float64Array = new Float64Array(0);

  constructor(config: FieldMachineConfig) {
    super();
    const { field, seed } = config;
    this.#config = config;
    this.#faults = config.faults ?? {};
    this.workload = field.name;
    this.#ranges = [{ start: 0, end: field.sizeBytes }];
    this.nodes = [
      {
        nid: 0,
        kind: 'DRAM',
        capacityBytes: field.sizeBytes,
        hasCpus: true,
        accessNs: ACCESS_NS,
        bandwidthBytesPerS: 250e9,
        adistance: ADISTANCE_DRAM,
      },
    ];
    this.mover = new Mover(
      this.nodes,
      { migrationBytesPerS: 0, kswapdBytesPerS: 0, systemBytes: [0], useWatermarks: false },
      { forEachColdest: () => undefined },
      () => undefined,
    );
    this.mover.populate(this.#ranges[0]);
    this.#pushRandom = new RandomStream(seed, 'field/push');
    this.#pullRandom = new RandomStream(seed, 'field/pull');
    this.#dropRandom = new RandomStream(seed, 'field/drop');
    this.#cleared = new PageSet(field.sizeBytes);
  }

  nowUs(): number {
    return this.#nowUs;
  }

  isDone(): boolean {
    return this.#nowUs >= this.#config.durationUs;
  }

  progress(): number {
    const { durationUs } = this.#config;
    return Number.isFinite(durationUs) ? Math.min(1, this.#nowUs / durationUs) : Number.NaN;
  }

  ranges(): readonly AddressRange[] {
    return this.#ranges;
  }

  preparePull(addresses: Float64Array, count: number): void {
    this.#checked = addresses;
    this.#checkedCount = count;
    if (this.#expected.length < count) this.#expected = new Float64Array(count * 2);
    this.#expected.fill(0, 0, count);
  }

  advance(us: number): undefined {
    const endUs = Math.min(this.#nowUs + us, this.#config.durationUs);
    while (this.#nowUs < endUs) {
      const untilUs = Math.min(endUs, this.#nextChangeUs());
      const map = this.#config.field.mapAt(this.#nowUs);
      const seconds = (untilUs - this.#nowUs) / 1e6;
      if (this.#nowUs < (this.#faults.pullBlindAtUs ?? Number.POSITIVE_INFINITY)) this.#expect(map, seconds);
      this.#sample(map, seconds);
      this.#accesses += map.totalPerS * seconds;
      this.#nowUs = untilUs;
    }
    return undefined;
  }

  readPull(hits: Uint8Array): void {
    const expected = this.#expected;
    for (let i = 0; i < this.#checkedCount; i++) {
      hits[i] = this.#pullRandom.unit() < -Math.expm1(-expected[i]) ? 1 : 0;
    }
    this.#markCleared();
    this.#checkedCount = 0;
  }

  warnings(): readonly string[] {
    return [];
  }

  close(): void {}

  totals(): { accesses: number; fastAccesses: number } {
    return { accesses: this.#accesses, fastAccesses: this.#accesses };
  }

  completionSeconds(): number {
    return this.#nowUs / 1e6;
  }

  baseline(): Baseline {
    const seconds = this.#config.durationUs / 1e6;
    return { staticSeconds: seconds, allFastSeconds: seconds, staticFastTierShare: 1 };
  }

  forEachHot(minRate: number, visit: (start: number, end: number) => void): void {
    this.#config.field.mapAt(this.#nowUs).forEachHot(minRate, visit);
  }

  /** The next time at which the field or a source changes. */
  #nextChangeUs(): number {
    const { pushLostAtUs, pullBlindAtUs, pushBias } = this.#faults;
    let next = this.#config.field.nextChangeUs(this.#nowUs);
    for (const atUs of [pushLostAtUs, pullBlindAtUs, pushBias?.atUs]) {
      if (atUs !== undefined && atUs > this.#nowUs) next = Math.min(next, atUs);
    }
    return next;
  }

  #expect(map: RateMap, seconds: number): void {
    const checked = this.#checked;
    const expected = this.#expected;
    for (let i = 0; i < this.#checkedCount; i++) {
      const piece = map.locate(checked[i]);
      if (map.isTlb[piece] === 1 && this.#cleared.has(checked[i] / PAGE_SIZE)) continue;
      expected[i] += map.perS[piece] * seconds;
    }
  }

  #markCleared(): void {
    const map = this.#config.field.mapAt(this.#nowUs);
    if (!map.hasTlb) return;
    for (let i = 0; i < this.#checkedCount; i++) {
      if (map.isTlb[map.locate(this.#checked[i])] === 1) this.#cleared.add(this.#checked[i] / PAGE_SIZE);
    }
  }

  #sample(map: RateMap, seconds: number): void {
    const { push } = this.#config;
    const { pushLostAtUs = Number.POSITIVE_INFINITY, dropShare = 0, pushBias } = this.#faults;
    if (push.kind === 'off' || map.totalPerS === 0 || this.#nowUs >= pushLostAtUs) return;
    const perS = push.kind === 'rate' ? push.perS : map.totalPerS / push.accesses;
    const { samples } = this;
    samples.exposureS += (seconds * perS) / map.totalPerS;
    const bias = pushBias !== undefined && this.#nowUs >= pushBias.atUs ? pushBias.factor : 1;
    const random = this.#pushRandom;
    const count = random.poisson(perS * seconds * bias);
    for (let i = 0; i < count; i++) {
      if (dropShare > 0 && this.#dropRandom.unit() < dropShare) {
        samples.dropped++;
        continue;
      }
      const piece = map.drawPiece(random);
      const page = map.drawPage(piece, random);
      const stores = map.storeShare[piece];
      pushSample(samples, page, map.nid[piece], stores > 0 && random.unit() < stores ? 1 : 0);
    }
  }
}
