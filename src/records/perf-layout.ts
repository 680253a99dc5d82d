/**
 * Tells which of the hexadecimal columns behind a sample's event are addresses of data.
 *
 * `perf script` prints its fields in one order whatever `-F` says, but prints no titles: behind the event
 * come addr, data_src, weight, ins_lat, ip with symbol, phys_addr and page size, each there or not. An
 * instruction's address looks like a datum's. What tells them apart: the low 12 bits of a physical
 * address are those of the virtual one (the offset in the page), and `ip` is followed by its symbol.
 */
export interface PerfLayout {
  /** The first column behind the event is the data address. */
  readonly hasAddress: boolean;
  /** The last hexadecimal column is the physical address. */
  readonly hasPhysical: boolean;
  /** It is known of most samples: perf prints 0 where it is not. */
  readonly isPhysicalKnown: boolean;
}

/** From the names given to `perf script -F`. */
export function layoutOfFields(fields: readonly string[]): PerfLayout {
  const hasPhysical = fields.includes('phys_addr');
  return { hasAddress: fields.includes('addr'), hasPhysical, isPhysicalKnown: hasPhysical };
}

const SAMPLE = /(?:^|\s)\d+\.(?:\d{6}|\d{9}):(?:\s+(\d+))?\s+(?:(\S+):\s+)?(.*)$/;
const HEX = /^[0-9a-f]{1,16}$/i;
const PAGE_SIZE_NAME = /^(?:\d+[KMG]|N\/A)$/;

/** The offset in a page: the last three digits. */
const offsetOf = (hex: string): string => hex.slice(-3).padStart(3, '0').toLowerCase();

/** From lines of the text; undefined if none of them is a sample. */
export function layoutOfLines(lines: readonly string[]): PerfLayout | undefined {
  let samples = 0;
  let withTwo = 0;
  let onlySymbols = 0;
  let sameOffset = 0;
  let zero = 0;
  for (const line of lines) {
    const match = SAMPLE.exec(line);
    if (match === null) continue;
    const tokens = match[3].split(/\s+/).filter((token) => token !== '');
    if (tokens.length === 0 || !HEX.test(tokens[0])) continue;
    samples++;
    if (PAGE_SIZE_NAME.test(tokens[tokens.length - 1])) tokens.pop();
    const last = tokens[tokens.length - 1];
    const isLastHex = tokens.length > 1 && HEX.test(last) && !tokens[tokens.length - 2].startsWith('|BLK');
    const others = tokens.slice(1).filter((token) => HEX.test(token));
    if (tokens.length > 1 && !tokens[1].startsWith('|') && !HEX.test(tokens[1]) && others.length === 0) {
      onlySymbols++;
    }
    if (!isLastHex) continue;
    withTwo++;
    if (/^0+$/.test(last)) zero++;
    else if (offsetOf(last) === offsetOf(tokens[0])) sameOffset++;
  }
  if (samples === 0) return undefined;
  return {
    hasAddress: onlySymbols * 2 < samples,
    // Zeros alone say nothing: weights are 0 as well.
    hasPhysical: sameOffset > 0 && sameOffset + zero >= 0.99 * withTwo,
    isPhysicalKnown: sameOffset > zero,
  };
}
