/** Every tracker by name. One line each, in order of the alphabet. */
import { createHemem } from './hemem.ts';
import { createHybridtier } from './hybridtier.ts';
import { createKlruscand } from './klruscand.ts';
import { createKpromotedIntended, createKpromotedPosted } from './kpromoted.ts';
import { createKscandIntended, createKscandPosted } from './kscand.ts';
import { createMemtis } from './memtis.ts';
import { createNumab2 } from './numab2.ts';
import { createPghotDefault, createPghotPrecise } from './pghot.ts';
import type { TrackerFactory } from './tracker.ts';

export interface TrackerEntry {
  readonly create: TrackerFactory;
  /** What it is, in a line. */
  readonly is: string;
  /** Section of the reference tiering-systems that it follows. */
  readonly section: string;
}

// biome-ignore format: one line per tracker.
export const TRACKERS: Readonly<Record<string, TrackerEntry>> = {
  hemem: { create: createHemem, is: 'HeMem, hot and cold lists of 2 MiB pages', section: '7.2' },
  hybridtier: { create: createHybridtier, is: 'HybridTier, sketches of frequency and momentum', section: '7.3' },
  klruscand: { create: createKlruscand, is: 'Accessed bits of all memory every 4 s into pghot records', section: '1.5' },
  'kpromoted-intended': { create: createKpromotedIntended, is: 'kpromoted v0 with the window test it documents', section: '1.2' },
  'kpromoted-posted': { create: createKpromotedPosted, is: 'kpromoted v0, a hash of sampled pages, with its errors', section: '1.2' },
  'kscand-intended': { create: createKscandIntended, is: 'kscand with scans of its scan size', section: '4' },
  'kscand-posted': { create: createKscandPosted, is: 'kscand, Accessed bits of whole VMAs, with its errors', section: '4' },
  memtis: { create: createMemtis, is: 'MEMTIS, a histogram of page scores that fills DRAM', section: '7.1' },
  numab2: { create: createNumab2, is: 'NUMA balancing mode 2, hint faults on slow memory', section: '3' },
  'pghot-default': { create: createPghotDefault, is: 'pghot, a byte per page of the lower tier', section: '1.4' },
  'pghot-precise': { create: createPghotPrecise, is: 'pghot, 4 bytes per page of the lower tier', section: '1.4' },
};
