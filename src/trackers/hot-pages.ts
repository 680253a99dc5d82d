/** Visits single pages as ranges: what every tracker's `forEachHot` does with the pages it knows. */
import { PAGE_SIZE } from '../memory/range.ts';

/** @param addresses of pages, in any order and without doubles; sorted in place */
export function visitPages(addresses: Float64Array, visit: (start: number, end: number) => void): void {
  addresses.sort();
  let start = -1;
  let end = -1;
  for (const address of addresses) {
    if (address !== end) {
      if (start >= 0) visit(start, end);
      start = address;
    }
    end = address + PAGE_SIZE;
  }
  if (start >= 0) visit(start, end);
}
