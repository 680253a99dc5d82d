/** Every tracker by name. One line each, in order of the alphabet. */
import type { Footprint } from './footprint.ts';
import { createHemem, HEMEM_FOOTPRINT } from './hemem.ts';
import { createHybridtier, HYBRIDTIER_FOOTPRINT } from './hybridtier.ts';
import { createKlruscand, KLRUSCAND_FOOTPRINT } from './klruscand.ts';
import { createKpromotedIntended, createKpromotedPosted } from './kpromoted.ts';
import { createKscandIntended, createKscandPosted } from './kscand.ts';
import { createMemtis, MEMTIS_FOOTPRINT } from './memtis.ts';
import { createNumab2 } from './numab2.ts';
import { createPghotDefault, createPghotPrecise } from './pghot.ts';
import { DEFAULT_FORMAT, PRECISE_FORMAT } from './pghot-record.ts';
import type { TrackerFactory } from './tracker.ts';

export interface TrackerEntry {
  readonly create: TrackerFactory;
  /** What it is, in a line. */
  readonly is: string;
  /** Section of the reference tiering-systems that it follows. */
  readonly section: string;
  /** Whose samples it takes: those that the machine gives, those that it asks for, or none. */
  readonly samples: 'given' | 'asked for' | 'none';
  /** What it keeps per page; left out where that depends on what is accessed. */
  readonly footprint?: Footprint;
}

const PGHOT_DEFAULT: Footprint = { of: 'lower tier', recordBytes: DEFAULT_FORMAT.bytes };
const PGHOT_PRECISE: Footprint = { of: 'lower tier', recordBytes: PRECISE_FORMAT.bytes };

// biome-ignore format: one line per tracker.
export const TRACKERS: Readonly<Record<string, TrackerEntry>> = {
  hemem: { create: createHemem, is: 'HeMem, hot and cold lists of 2 MiB pages', section: '7.2', samples: 'asked for', footprint: HEMEM_FOOTPRINT },
  hybridtier: { create: createHybridtier, is: 'HybridTier, sketches of frequency and momentum', section: '7.3', samples: 'asked for', footprint: HYBRIDTIER_FOOTPRINT },
  klruscand: { create: createKlruscand, is: 'Accessed bits of all memory every 4 s into pghot records', section: '1.5', samples: 'none', footprint: KLRUSCAND_FOOTPRINT },
  'kpromoted-intended': { create: createKpromotedIntended, is: 'kpromoted v0 with the window test it documents', section: '1.2', samples: 'given' },
  'kpromoted-posted': { create: createKpromotedPosted, is: 'kpromoted v0, a hash of sampled pages, with its errors', section: '1.2', samples: 'given' },
  'kscand-intended': { create: createKscandIntended, is: 'kscand with scans of its scan size', section: '4', samples: 'none' },
  'kscand-posted': { create: createKscandPosted, is: 'kscand, Accessed bits of whole VMAs, with its errors', section: '4', samples: 'none' },
  memtis: { create: createMemtis, is: 'MEMTIS, a histogram of page scores that fills DRAM', section: '7.1', samples: 'asked for', footprint: MEMTIS_FOOTPRINT },
  numab2: { create: createNumab2, is: 'NUMA balancing mode 2, hint faults on slow memory', section: '3', samples: 'none' },
  'pghot-default': { create: createPghotDefault, is: 'pghot, a byte per page of the lower tier', section: '1.4', samples: 'given', footprint: PGHOT_DEFAULT },
  'pghot-precise': { create: createPghotPrecise, is: 'pghot, 4 bytes per page of the lower tier', section: '1.4', samples: 'given', footprint: PGHOT_PRECISE },
};
