/**
 * The generator of the reference fields: mulberry32 (Tommy Ettinger), 32 bits of state. Only fields
 * whose layout must be equal to the measured ones in every byte draw from it; everything else takes a
 * {@link RandomStream}.
 */

/** Floats in [0, 1) = 32-bit value / 2^32; equal states give equal sequences. */
export function mulberry32(state: number): () => number {
  let a = state >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** The generator of field `letter` and seed `seed`: state (seed x 1,000,003 + ASCII) mod 2^32. */
export function fieldRandom(letter: string, seed: number): () => number {
  return mulberry32((seed * 1_000_003 + letter.charCodeAt(0)) % 4294967296);
}
