import type { RegionRecord } from '../memory/region-record.ts';
import type { ReportContext, Reported } from './commands/report.ts';
export function whatIfReport(_record: RegionRecord, _context: ReportContext): Reported {
  return { json: null, text: '' };
}
