/**
 * The clairvoyant: knows every access to come and keeps in the fast tier what is used soonest, and of that
 * what is used most per page, as fast as the machine migrates. Nobody can do much better with this machine and this bandwidth; it is
 * greedy, so not a proof.
 */
import type { LabMachine } from '../../machines/lab-machine.ts';
import { PAGE_SIZE, roundDown } from '../../memory/range.ts';
import { fastTierOf, tierOf } from '../../memory/tier.ts';
import { lowerTierNodes } from '../../trackers/tiers.ts';
import type { Tracker, TrackerCpu, TrackerHost } from '../../trackers/tracker.ts';

interface Wanted {
  readonly start: number;
  readonly end: number;
  readonly accessesPerPage: number;
  /** Time until the first use. */
  readonly afterS: number;
}

export class Oracle implements Tracker {
  readonly name = 'oracle';
  readonly stepUs: number;
  readonly usesSamples = false;
  readonly metadataBytes = 0;
  readonly cpu: TrackerCpu = { applicationNs: 0, backgroundNs: 0 };
  readonly #host: TrackerHost;
  readonly #machine: LabMachine;
  readonly #fastNid: number;
  readonly #slowNids: readonly number[];
  readonly #minRate: number;

  /** @param minRate from which on memory is hot, for its own score */
  constructor(machine: LabMachine, host: TrackerHost, minRate: number) {
    this.#machine = machine;
    this.stepUs = machine.lab.lookUs;
    this.#host = host;
    this.#minRate = minRate;
    const fastTier = fastTierOf(host.nodes);
    this.#fastNid = host.nodes.find((node) => tierOf(node) === fastTier)?.nid ?? 0;
    this.#slowNids = lowerTierNodes(host.nodes).map(({ nid }) => nid);
  }

  step(): void {
    if (this.#slowNids.length === 0 || this.#host.pendingBytes() > 0) return;
    const wanted = this.#wanted();
    const capacity = this.#capacity();
    let taken = 0;
    const keep: Wanted[] = [];
    let missing = 0;
    for (const each of wanted) {
      if (taken + (each.end - each.start) > capacity) break;
      taken += each.end - each.start;
      keep.push(each);
      missing += this.#slowBytes(each.start, each.end);
    }
    if (missing === 0) return;
    const room = this.#host.gauge(this.#fastNid).freeBytes - this.#host.watermarks(this.#fastNid).highBytes;
    this.#makeRoom(missing - room, keep);
    for (const { start, end } of keep) {
      this.#host.placement(start, end, (from, to, nid) => {
        if (this.#slowNids.includes(nid)) this.#ask.push([from, to, this.#fastNid]);
      });
    }
    for (const [from, to, nid] of this.#ask) this.#host.migrate(from, to, nid);
    this.#ask.length = 0;
  }

  counters(): Readonly<Record<string, number>> {
    return {};
  }

  /** It knows. */
  forEachHot(visit: (start: number, end: number) => void): void {
    this.#machine.truth.forEachHot(this.#minRate, visit);
  }

  readonly #ask: [number, number, number][] = [];

  /** What will be used, soonest and most first; overlapping uses are cut apart and added up. */
  #wanted(): Wanted[] {
    const uses = new Map<string, { start: number; end: number; accessesPerPage: number; afterS: number }>();
    this.#machine.lab.forEachFuture((start, end, accessesPerPage, afterS) => {
      const key = `${start} ${end}`;
      const use = uses.get(key);
      if (use === undefined) uses.set(key, { start, end, accessesPerPage, afterS });
      else {
        use.accessesPerPage += accessesPerPage;
        use.afterS = Math.min(use.afterS, afterS);
      }
    });
    const parts = cutApart([...uses.values()]);
    // Threads of one workload are in the same phase, if not to the millisecond.
    const soon = ({ afterS }: Wanted): number => Math.round(afterS);
    return parts.sort(
      (a, b) => soon(a) - soon(b) || b.accessesPerPage - a.accessesPerPage || a.start - b.start,
    );
  }

  /** Bytes of the fast node that the workload can have. */
  #capacity(): number {
    let used = 0;
    for (const { start, end } of this.#host.ranges()) {
      this.#host.placement(start, end, (from, to, nid) => {
        if (nid === this.#fastNid) used += to - from;
      });
    }
    const { freeBytes } = this.#host.gauge(this.#fastNid);
    return used + freeBytes - this.#host.watermarks(this.#fastNid).highBytes;
  }

  #slowBytes(start: number, end: number): number {
    let sum = 0;
    this.#host.placement(start, end, (from, to, nid) => {
      if (this.#slowNids.includes(nid)) sum += to - from;
    });
    return sum;
  }

  /** Demotes what nobody will use, then nothing: what is wanted stays. */
  #makeRoom(bytes: number, keep: readonly Wanted[]): void {
    let left = bytes;
    const kept = [...keep].sort((a, b) => a.start - b.start);
    for (const { start, end } of this.#host.ranges()) {
      let at = start;
      for (const each of [...kept.filter((k) => k.start < end && k.end > start), { start: end, end }]) {
        if (left > 0 && each.start > at) {
          this.#host.placement(at, each.start, (from, to, nid) => {
            if (nid !== this.#fastNid || left <= 0) return;
            const part = Math.min(to - from, Math.max(PAGE_SIZE, roundDown(left, PAGE_SIZE)));
            this.#ask.push([from, from + part, this.#slowNids[0]]);
            left -= part;
          });
        }
        at = Math.max(at, each.end);
      }
    }
  }
}

/** Overlapping uses become disjoint parts, each with the sum of what falls on it. */
function cutApart(uses: readonly Wanted[]): Wanted[] {
  const byStart = [...uses].sort((a, b) => a.start - b.start);
  const edges = [...new Set(uses.flatMap(({ start, end }) => [start, end]))].sort((a, b) => a - b);
  const parts: Wanted[] = [];
  let next = 0;
  let open: Wanted[] = [];
  for (let i = 0; i + 1 < edges.length; i++) {
    const [start, end] = [edges[i], edges[i + 1]];
    open = open.filter((use) => use.end > start);
    for (; next < byStart.length && byStart[next].start === start; next++) open.push(byStart[next]);
    if (open.length === 0) continue;
    parts.push({
      start,
      end,
      accessesPerPage: open.reduce((sum, use) => sum + use.accessesPerPage, 0),
      afterS: Math.min(...open.map((use) => use.afterS)),
    });
  }
  return parts;
}
