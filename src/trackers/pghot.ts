/**
 * pghot, the successor of kpromoted, in its two modes (mm/pghot*.c of v5 to v8; reference
 * tiering-systems section 1.4): a record of 1 or 4 bytes for every page of the lower tier.
 *
 * Follows pghot_record_access and kmigrated, which every 100 ms walks the 128 MiB sections that have a
 * ready record, takes every ready record whole, asks the gate of NUMA balancing, and migrates in batches
 * of 512. What is wrong in the original and kept: time is stored modulo 4.096 or 16.384 s, so that old
 * accesses look recent; nothing clears a stale record; a record that the gate refuses is lost.
 *
 * Not modelled: records belong to addresses here and to frames in the kernel, where a page inherits the
 * record of the one that had its frame before; one walk serves all lower-tier nodes, in address order;
 * the memory cgroup, which only ends batches; waking kmigrated early (it sleeps its full 100 ms). Whether
 * pghot_recorded_accesses counts refused ones is not known; here it counts what was recorded, the counter
 * of a source all its reports (inferred). A pass waits for the migrations of the one before.
 */
import type { AccessBatch } from '../memory/access-batch.ts';
import type { ActionOutcome } from '../memory/action.ts';
import { RandomStream } from '../memory/random.ts';
import { PAGE_SIZE } from '../memory/range.ts';
import { ARRAY_RECORD_NS } from './costs.ts';
import { HintFaultScanner } from './hint-fault-scanner.ts';
import { IbsDriver } from './ibs-driver.ts';
import { DEFAULT_FORMAT, PRECISE_FORMAT } from './pghot-record.ts';
import { type PghotSettings, PghotTable } from './pghot-table.ts';
import type { Tracker, TrackerCpu, TrackerFactory, TrackerHost } from './tracker.ts';

/** kmigrated_sleep_ms. */
const SLEEP_US = 100_000;

export interface PghotOptions extends PghotSettings {
  /** vm.pghot_enabled_sources; the kernel's own default is hint faults alone. */
  readonly sources?: { readonly hwHints: boolean; readonly hintFaults: boolean };
}

export class Pghot implements Tracker {
  readonly name: string;
  readonly stepUs = SLEEP_US;
  readonly usesSamples: boolean;
  readonly #host: TrackerHost;
  readonly #driver: IbsDriver;
  readonly #scanner: HintFaultScanner | undefined;
  readonly #table: PghotTable;
  readonly #cpu: TrackerCpu = { applicationNs: 0, backgroundNs: 0 };
  #moving = 0;
  readonly #counters = {
    pghot_recorded_accesses: 0,
    pghot_recorded_hintfaults: 0,
    pghot_recorded_hwhints: 0,
    pgpromote_success: 0,
  };

  constructor(host: TrackerHost, seed: number, options: PghotOptions) {
    this.name = options.format.bytes === 1 ? 'pghot-default' : 'pghot-precise';
    const { hwHints, hintFaults } = options.sources ?? { hwHints: true, hintFaults: false };
    this.usesSamples = hwHints;
    this.#host = host;
    const random = new RandomStream(seed, `trackers/${this.name}/ibs`);
    this.#driver = new IbsDriver(host, { version: 'memprof' }, random);
    this.#scanner = hintFaults ? new HintFaultScanner(host) : undefined;
    this.#table = new PghotTable(host, options);
  }

  takeSamples(batch: AccessBatch): void {
    const hints = this.#driver.take(batch);
    for (let i = 0; i < hints.count; i++) {
      this.#counters.pghot_recorded_hwhints++;
      this.#record(hints.address[i], hints.pageNid[i], hints.nid[i], Math.floor(hints.timeUs[i] / 1000));
    }
    this.#cpu.backgroundNs += hints.count * ARRAY_RECORD_NS;
  }

  step(): void {
    const nowMs = Math.floor(this.#host.nowUs() / 1000);
    if (this.#scanner !== undefined) this.#takeFaults(this.#scanner, nowMs);
    this.#cpu.applicationNs = this.#driver.applicationNs + (this.#scanner?.applicationNs ?? 0);
    if (this.#moving > 0) return;
    const asked = this.#table.asked;
    this.#cpu.backgroundNs += this.#table.migrate(nowMs);
    this.#moving += this.#table.asked - asked;
  }

  onMoved(start: number, end: number, outcome: ActionOutcome): void {
    const pages = (end - start) / PAGE_SIZE;
    this.#moving -= pages;
    if (outcome === 'applied') this.#counters.pgpromote_success += pages;
  }

  counters(): Readonly<Record<string, number>> {
    return {
      ...this.#driver.counters(),
      ...this.#scanner?.counters(),
      ...this.#counters,
      pgpromote_candidate: this.#table.candidates,
      pgpromote_candidate_nrl: this.#table.candidatesNrl,
    };
  }

  get metadataBytes(): number {
    return this.#table.metadataBytes;
  }

  get cpu(): Readonly<TrackerCpu> {
    return this.#cpu;
  }

  forEachHot(visit: (start: number, end: number) => void): void {
    this.#table.forEachReady(visit);
  }

  #record(address: number, pageNid: number, nid: number, nowMs: number): void {
    if (this.#table.record(address, pageNid, nid, nowMs)) this.#counters.pghot_recorded_accesses++;
  }

  #takeFaults(scanner: HintFaultScanner, nowMs: number): void {
    const faults = scanner.step();
    for (let i = 0; i < faults.count; i++) {
      this.#counters.pghot_recorded_hintfaults++;
      this.#record(faults.address[i], this.#host.nidOf(faults.address[i]), faults.nid[i], nowMs);
    }
  }
}

export const createPghotDefault: TrackerFactory = (host, seed) =>
  new Pghot(host, seed, { format: DEFAULT_FORMAT });

export const createPghotPrecise: TrackerFactory = (host, seed) =>
  new Pghot(host, seed, { format: PRECISE_FORMAT });
