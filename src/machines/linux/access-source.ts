/**
 * Where a live machine's accesses come from. Pull sources answer for pages or areas, push sources hand
 * over samples; the machine polls them, and the monitor fuses what they say.
 */
import type { AccessBatch } from '../../memory/access-batch.ts';
import type { AreaChecks } from '../../memory/area-checks.ts';

export interface AccessSource {
  /** As `--source` names it. */
  readonly name: string;
  readonly kind: 'areas' | 'pages' | 'push';
  /** What it costs, in words and, where it was measured, numbers. */
  readonly cost: string;
  /** What it cannot see. */
  readonly blindSpots: readonly string[];

  /** @throws ThermoError when the machine refuses; nothing stays changed then */
  start(): void;
  /** Called once per sampling interval, after it. */
  poll(): void;
  /** Ends it; called from exit handlers too, and safe to call twice. */
  stop(): void;

  /** Areas: appends what was counted since the last call. */
  takeAreas?(areas: AreaChecks): void;
  /** Pages: makes the pages at the first `count` addresses old. */
  prepare?(addresses: Float64Array, count: number): void;
  /** Pages: writes 1 where the page was accessed since. */
  read?(hits: Uint8Array): void;
  /** Push: appends samples, and adds their exposure and what was lost. */
  takeSamples?(batch: AccessBatch): void;

  /** CPU time that it has cost outside of this process, ns; 0 where that is not told. */
  externalCpuNs?(): number;
  /** Facts for the report. */
  facts(): Readonly<Record<string, number | string>>;
}
