/**
 * CPU time of what trackers do, ns. Bounds and sources: reference tiering-systems; "inferred" are
 * estimates by cache misses of 100 ns, as nobody posted a measurement.
 */

/** NMI, irq_work and work item of one IBS sample: geometric mean of the bounds 2 and 16 us (2.1). */
export const IBS_SAMPLE_NS = 5_700;
/** The microcode that writes one PEBS record, in the application's time (inferred). */
export const PEBS_RECORD_NS = 200;
/** Kernel thread moving one 4 KiB folio alone: middle of 5.3 and 13 us (section 4). */
export const MIGRATE_PAGE_NS = 8_000;
/** Hash look-up, lock and update of one record: three cache misses (inferred). */
export const HASH_RECORD_NS = 300;
/** Update of one element of a per-page array: the element, struct page (inferred). */
export const ARRAY_RECORD_NS = 200;
/** Looking at one element of an array in address order (inferred). */
export const WALK_ELEMENT_NS = 1;
/**
 * Reading one PEBS record and walking four levels of page tables to its page's counter, seven cache
 * misses (inferred).
 */
export const PEBS_UPDATE_NS = 700;
/** A page-table entry that a walk looks at, with its folio: kscand's 2.7 s for 2,097,152 pages, 57 times in
 * 113.77 s at its period of 2 s (section 4; the number of passes is inferred). */
export const WALK_ENTRY_NS = 23;
/** Protecting one: 0.88 s of NUMA balancing's task work for the 2,097,152 pages of 8 GiB (section 4). */
export const PROTECT_ENTRY_NS = 420;
/** A hint fault: entry, handler, restored entry (inferred). */
export const HINT_FAULT_NS = 1_000;
/** One that promotes its page, migration and all: 65 s for 2.1 million (section 4). */
export const PROMOTING_FAULT_NS = 31_000;
/** Listed page that cannot be migrated: three cache misses (inferred). */
export const REFUSE_PAGE_NS = 300;
