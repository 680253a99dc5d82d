/** `thermocline report what-if FILE --scheme SCHEMES`. */
import { watchedBytes } from '../lab/report/region-facts.ts';
import { intervalsOfRecord, whatIf } from '../lab/report/what-if.ts';
import { nodeOf } from '../machines/simulated/hardware.ts';
import { cxl, dram } from '../machines/simulated/presets/preset.ts';
import { ThermoError } from '../memory/error.ts';
import type { RegionRecord } from '../memory/region-record.ts';
import { renderWhatIf } from '../view/report/what-if.ts';
import type { ReportContext, Reported } from './commands/report.ts';
import { readSchemes } from './scheme-input.ts';

export async function whatIfReport(record: RegionRecord, context: ReportContext): Promise<Reported> {
  const { options, terminal } = context;
  if (options.scheme === undefined) {
    throw new ThermoError('THERMO_USAGE', 'what-if needs a scheme file', { hint: 'add --scheme FILE' });
  }
  const { sampleUs, aggrUs } = intervalsOfRecord(record);
  const loaded = await readSchemes(options.scheme, { sampleUs, aggrUs }, terminal);
  const bytes = watchedBytes(record);
  const nodes = [dram(bytes), cxl(bytes)].map((model, nid) => nodeOf(nid, model, dram(bytes)));
  const report = whatIf(record, loaded.schemes, nodes);
  return { json: report, text: `${renderWhatIf(report, options.raw === true, terminal.width).join('\n')}\n` };
}
