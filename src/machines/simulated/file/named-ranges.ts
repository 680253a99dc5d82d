/** What the readers of a written-out workload share. */
import { type AddressRange, PAGE_SIZE } from '../../../memory/range.ts';
import { formatBytes, parseBytes } from '../../../memory/units.ts';
import type { YamlPath } from '../../../yaml/source-document.ts';
import type { ValueReader } from '../../../yaml/value-reader.ts';

/** Where the ranges of a workload lie, by name, and which of them are late. */
export type NamedRanges = ReadonlyMap<string, AddressRange & { readonly isLate: boolean }>;

/** Bytes in whole pages; undefined if left out or wrong. */
export function readPages(
  value: string | number | undefined,
  path: YamlPath,
  reader: ValueReader,
): number | undefined {
  const bytes = reader.read(path, value, parseBytes);
  if (bytes === undefined || (bytes % PAGE_SIZE === 0 && bytes <= 2 ** 50)) return bytes;
  reader.fail(path, `${path.at(-1)}: ${formatBytes(bytes)}`, 'expected whole pages of 4 KiB, at most 1 PiB');
  return undefined;
}
