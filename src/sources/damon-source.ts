/**
 * The kernel's DAMON as a sampler: its kdamond clears and looks at Accessed bits, and what it counts in
 * its regions becomes trials and hits of the monitor's.
 */

import type { AccessSource } from '../machines/linux/access-source.ts';
import { DAMON_ADMIN, DAMON_STAT, readDamonFeatures } from '../machines/linux/damon-features.ts';
import type { SystemTree } from '../machines/linux/system-tree.ts';
import type { UndoLedger } from '../machines/linux/undo-ledger.ts';
import { writeSystemFile } from '../machines/linux/write-system-file.ts';
import { type AreaChecks, addArea } from '../memory/area-checks.ts';
import { ThermoError } from '../memory/error.ts';
import type { AddressRange } from '../memory/range.ts';
import { type RegionReader, SysfsReader, TraceReader } from './region-reader.ts';

const CONTEXT = `${DAMON_ADMIN}/0/contexts/0`;
const LARGEST = '18446744073709551615';
/** DAMON's default: looks for new mappings once a minute; here ten times as often, as we do. */
const UPDATE_US = 6_000_000;
/** Ticks a second in /proc/PID/stat (USER_HZ, fixed on Linux). */
const TICK_NS = 1e9 / 100;

export interface DamonSourceOptions {
  readonly tree: SystemTree;
  readonly ledger: UndoLedger;
  /** A process, or ranges of physical memory. */
  readonly target: { readonly pid: number } | { readonly ranges: readonly AddressRange[] };
  readonly sampleUs: number;
  readonly aggrUs: number;
  readonly minNrRegions: number;
  readonly maxNrRegions: number;
  /** May DAMON_STAT be switched off for the run? */
  readonly mayStopStat: boolean;
  /** How regions are read; left out: by trace event where there is one. */
  readonly way?: 'trace' | 'sysfs';
}

export class DamonSource implements AccessSource {
  readonly name = 'damon';
  readonly kind = 'areas';
  readonly cost =
    'a kernel thread that looks at one page a region and sampling interval; its CPU time is in the report';
  readonly blindSpots = [
    'one page speaks for its region: hot spots much smaller than a region are missed',
    'a translation that stays in the TLB hides accesses',
    'hot is hot: a page used once an interval looks like one used a thousand times',
  ];
  readonly #options: DamonSourceOptions;
  #reader: RegionReader | undefined;
  #kdamondPid = -1;
  readonly #waiting: number[] = [];
  #intervals = 0;
  #regions = 0;
  #lost = 0;
  #lastEnd = 0;

  constructor(options: DamonSourceOptions) {
    this.#options = options;
  }

  start(): void {
    const { tree, ledger, mayStopStat } = this.#options;
    const features = readDamonFeatures(tree);
    if (!features.hasSysfs) {
      throw new ThermoError('THERMO_MACHINE_CONFIG', 'this kernel has no DAMON with a sysfs interface', {
        hint: 'choose another --source; thermocline doctor tells which there are',
      });
    }
    if (features.nrKdamonds > 0) {
      throw new ThermoError(
        'THERMO_MACHINE_CONFIG',
        `somebody else has set up ${features.nrKdamonds} kdamond(s) (${features.nrRunning} running), and they are not touched`,
        { hint: 'stop them where they were started (damo stop), or choose another --source' },
      );
    }
    if (features.isHeldByStat) {
      if (!mayStopStat) {
        throw new ThermoError('THERMO_MACHINE_CONFIG', 'DAMON_STAT holds DAMON: no kdamond can start', {
          hint: 'give --allow damon_stat to switch it off for the run, or choose another --source',
        });
      }
      ledger.set(DAMON_STAT, 'N');
    }
    this.#reader = this.#chooseReader(features.tracing);
    this.#reader.start();
    this.#startKdamond();
  }

  #chooseReader(tracing: string | undefined): RegionReader {
    const { tree, ledger, way } = this.#options;
    const canTrace = tracing !== undefined && tree.isWritable(`${tracing}/instances`);
    if (way === 'trace' && !canTrace) {
      throw new ThermoError('THERMO_MACHINE_CONFIG', 'there is no trace event damon_aggregated to read', {
        hint: 'mount tracefs at /sys/kernel/tracing, or say --source damon:sysfs',
      });
    }
    return canTrace && way !== 'sysfs' ? new TraceReader(tree, tracing, ledger) : new SysfsReader(tree);
  }

  #startKdamond(): void {
    const { tree, ledger, target, sampleUs, aggrUs, minNrRegions, maxNrRegions } = this.#options;
    const write = (name: string, value: string | number): void =>
      writeSystemFile(tree, `${CONTEXT}/${name}`, value);
    const pidTarget = 'pid' in target ? String(target.pid) : '0';
    ledger.note({ kind: 'kdamond', target: pidTarget });
    writeSystemFile(tree, `${DAMON_ADMIN}/nr_kdamonds`, 1);
    writeSystemFile(tree, `${DAMON_ADMIN}/0/contexts/nr_contexts`, 1);
    write('operations', 'pid' in target ? 'vaddr' : 'paddr');
    write('monitoring_attrs/intervals/sample_us', sampleUs);
    write('monitoring_attrs/intervals/aggr_us', aggrUs);
    write('monitoring_attrs/intervals/update_us', UPDATE_US);
    write('monitoring_attrs/nr_regions/min', Math.max(3, minNrRegions));
    write('monitoring_attrs/nr_regions/max', maxNrRegions);
    write('targets/nr_targets', 1);
    if ('pid' in target) write('targets/0/pid_target', pidTarget);
    else {
      write('targets/0/regions/nr_regions', target.ranges.length);
      target.ranges.forEach(({ start, end }, i) => {
        write(`targets/0/regions/${i}/start`, start);
        write(`targets/0/regions/${i}/end`, end);
      });
    }
    write('schemes/nr_schemes', 1);
    write('schemes/0/action', 'stat');
    const limits = { sz: LARGEST, nr_accesses: '4294967295', age: '4294967295' };
    for (const [key, most] of Object.entries(limits)) {
      write(`schemes/0/access_pattern/${key}/min`, 0);
      write(`schemes/0/access_pattern/${key}/max`, most);
    }
    writeSystemFile(tree, `${DAMON_ADMIN}/0/state`, 'on');
    this.#kdamondPid = tree.readNumber(`${DAMON_ADMIN}/0/pid`) ?? -1;
    ledger.update({ kind: 'kdamond', target: pidTarget, pid: this.#kdamondPid });
  }

  poll(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#lost += reader.take(this.#kdamondPid, (start, end, nrAccesses) => {
      this.#waiting.push(start, end, nrAccesses);
      this.#regions++;
      // Regions come in address order: one that lies before the last begins a new interval.
      if (start < this.#lastEnd || this.#intervals === 0) this.#intervals++;
      this.#lastEnd = end;
    });
  }

  takeAreas(areas: AreaChecks): void {
    const { sampleUs, aggrUs } = this.#options;
    const trials = Math.max(1, Math.floor(aggrUs / sampleUs));
    const waiting = this.#waiting;
    for (let i = 0; i < waiting.length; i += 3) {
      addArea(areas, waiting[i], waiting[i + 1], trials, Math.min(trials, waiting[i + 2]));
    }
    waiting.length = 0;
    areas.dropped += this.#lost;
    this.#lost = 0;
  }

  stop(): void {
    this.#reader?.stop();
    this.#reader = undefined;
    // The ledger takes the kdamond and DAMON_STAT back.
  }

  externalCpuNs(): number {
    const stat = this.#options.tree.read(`/proc/${this.#kdamondPid}/stat`) ?? '';
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return stat === '' ? 0 : (Number(fields[11]) + Number(fields[12])) * TICK_NS;
  }

  facts(): Readonly<Record<string, number | string>> {
    const regionsPerInterval = this.#intervals === 0 ? 0 : Math.round(this.#regions / this.#intervals);
    return { way: this.#reader?.way ?? '', intervals: this.#intervals, regionsPerInterval };
  }
}
