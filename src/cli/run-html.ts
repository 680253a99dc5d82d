/** Writes the report of a run as one HTML file. */
import { writeFileSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import type { HeatGrid } from '../lab/heat-grid.ts';
import type { RunReport, RunResult } from '../lab/run.ts';
import type { RunHistory } from '../lab/run-history.ts';
import type { ModelledMachine } from '../machines/machine.ts';
import { totalBytes } from '../memory/range.ts';
import { writeError } from '../records/write-error.ts';
import type { HeatCells } from '../view/run-page/heat-layers.ts';
import { type RunSeries, renderRunPage } from '../view/run-page/run-page.ts';

/** @throws ThermoError THERMO_FILE_UNWRITABLE */
export function writeRunPage(
  path: string,
  { report, heat }: RunResult,
  history: RunHistory,
  machine: ModelledMachine,
  command: string,
): void {
  const { minRatePerS } = report.hotSet;
  const page = renderRunPage(
    {
      facts: report,
      command,
      heat: {
        seen: cellsOf(heat),
        truth: cellsOf(history.truth),
        regions: cellsOf(history.regions),
        endUs: report.simulatedSeconds * 1e6,
        totalBytes: totalBytes(machine.ranges()),
        minRatePerS,
      },
      series: seriesOf(report, history, machine),
    },
    (bytes) => deflateSync(bytes, { level: 9 }),
  );
  try {
    writeFileSync(path, page);
  } catch (error) {
    throw writeError(error, path, 'name another file with --html');
  }
}

function cellsOf(grid: HeatGrid): HeatCells {
  const columns = grid.columns();
  const cells = new Float64Array(columns.length * grid.rows);
  columns.forEach((column, time) => {
    cells.set(column.cells, time * grid.rows);
  });
  return { times: columns.length, rows: grid.rows, cells };
}

function seriesOf(report: RunReport, history: RunHistory, machine: ModelledMachine): RunSeries {
  const columns = history.columns();
  return {
    endsUs: columns.map(({ endUs }) => endUs),
    used: machine.nodes.map(({ nid, kind }, i) => ({
      name: `node${nid} ${kind}`,
      bytes: columns.map(({ usedBytes }) => usedBytes[i]),
    })),
    promotedBytes: columns.map(({ promotedBytes }) => promotedBytes),
    demotedBytes: columns.map(({ demotedBytes }) => demotedBytes),
    fastShare: columns.map(({ accesses, fastAccesses }) =>
      accesses > 0 ? fastAccesses / accesses : Number.NaN,
    ),
    nrRegions: columns.map(({ nrRegions }) => nrRegions),
    schemes: report.schemes.map(({ name, quotaSeconds }, i) => ({
      name,
      quotaSeconds,
      allowedBytes: columns.map(({ schemes }) => schemes[i]?.effectiveBytes ?? Number.NaN),
      triedBytes: columns.map(({ schemes }) => schemes[i]?.triedBytes ?? 0),
    })),
  };
}
