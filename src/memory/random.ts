/**
 * The one random generator of the program: named, seeded streams.
 *
 * A stream is sfc32 (Chris Doty-Humphrey's small fast counting generator, PractRand 2010), started
 * from a hash of (seed, stream name). Each consumer takes a stream of its own name, so that adding a
 * consumer never shifts the numbers another one sees. Nothing in the simulation may draw from
 * anywhere else.
 */

/** 32-bit string hash (FNV-1a with a final avalanche) used only to start streams. */
function hashText(text: string, basis: number): number {
  let hash = (0x811c9dc5 ^ basis) >>> 0;
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i);
    hash = Math.imul(hash, 0x01000193);
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x7feb352d);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x846ca68b);
  return (hash ^ (hash >>> 16)) >>> 0;
}

export class RandomStream {
  readonly seed: number;
  readonly name: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, name: string) {
    this.seed = seed;
    this.name = name;
    const text = `${seed}/${name}`;
    this.#a = hashText(text, 1);
    this.#b = hashText(text, 2);
    this.#c = hashText(text, 3);
    for (let i = 0; i < 12; i++) this.uint32();
  }

  /** A stream that is independent of this one and depends only on the seed and both names. */
  fork(name: string): RandomStream {
    return new RandomStream(this.seed, `${this.name}/${name}`);
  }

  /** Uniform in 0 .. 2^32 - 1. */
  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** Uniform in [0, 1) with 32 bits: enough for probabilities and for pages of up to 16 TiB. */
  unit(): number {
    return this.uint32() * 2.3283064365386963e-10;
  }

  /** Uniform in [0, 1) with 53 bits. */
  unit53(): number {
    return ((this.uint32() >>> 5) * 67108864 + (this.uint32() >>> 6)) / 9007199254740992;
  }

  /** Uniform integer in [0, bound), bound at most 2^53. */
  below(bound: number): number {
    return Math.floor((bound <= 0x10000 ? this.unit() : this.unit53()) * bound);
  }

  /** Exponential with mean 1. */
  exponential(): number {
    return -Math.log(1 - this.unit53());
  }

  /**
   * Poisson count of the given mean: multiplication of uniforms below mean 10, Hormann's transformed
   * rejection PTRS above (W. Hormann, "The transformed rejection method for generating Poisson random
   * variables", Insurance: Mathematics and Economics 12, 1993, algorithm PTRS).
   */
  poisson(mean: number): number {
    if (mean <= 0) return 0;
    if (mean < 10) {
      const limit = Math.exp(-mean);
      let product = this.unit53();
      let count = 0;
      while (product > limit) {
        product *= this.unit53();
        count++;
      }
      return count;
    }
    const logMean = Math.log(mean);
    const b = 0.931 + 2.53 * Math.sqrt(mean);
    const a = -0.059 + 0.02483 * b;
    const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
    const vr = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
      const u = this.unit53() - 0.5;
      const v = 1 - this.unit53();
      const us = 0.5 - Math.abs(u);
      const k = Math.floor(((2 * a) / us + b) * u + mean + 0.43);
      if (us >= 0.07 && v <= vr) return k;
      if (k < 0 || (us < 0.013 && v > us)) continue;
      if (
        Math.log(v) + Math.log(inverseAlpha) - Math.log(a / (us * us) + b) <=
        k * logMean - mean - logFactorial(k)
      ) {
        return k;
      }
    }
  }
}

/** ln k!, exact to double rounding for small k, Stirling's series above. */
function logFactorial(k: number): number {
  if (k < 16) {
    let product = 1;
    for (let i = 2; i <= k; i++) product *= i;
    return Math.log(product);
  }
  const n = k + 1;
  return (n - 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * n) - 1 / (360 * n * n * n);
}
