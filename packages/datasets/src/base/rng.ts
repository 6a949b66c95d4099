/**
 * Seeded random numbers, equal on every platform: sfc32 (Chris Doty-Humphrey, PractRand), seeded from
 * a string or number through a 32-bit hash. `Math.random` is never used in this project.
 */
export class Rng {
  private a: number;
  private b: number;
  private c: number;
  private d: number;

  constructor(seed: number | string | Rng.State) {
    if (typeof seed === 'object') {
      [this.a, this.b, this.c, this.d] = seed;
      return;
    }
    const hash = hash32(String(seed));
    this.a = hash();
    this.b = hash();
    this.c = hash();
    this.d = 1;
    for (let i = 0; i < 15; i++) this.uint32();
  }

  /** An independent generator for a named purpose: adding one never moves the numbers of another. */
  static for(...key: (string | number)[]): Rng {
    return new Rng(key.join('\u0000'));
  }

  get state(): Rng.State {
    return [this.a, this.b, this.c, this.d];
  }

  uint32(): number {
    const t = (((this.a + this.b) | 0) + this.d) | 0;
    this.d = (this.d + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return t >>> 0;
  }

  /** Uniform in [0, 1), 32 bits. */
  uniform(): number {
    return this.uint32() / 4294967296;
  }

  /** Uniform integer in [0, n). */
  int(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** Normal with mean 0 and standard deviation 1 (Box-Muller, one value per two draws). */
  normal(): number {
    const u = 1 - this.uniform();
    const v = this.uniform();
    return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
  }

  /** An array of n values with the given standard deviation. */
  normals(n: number, sd = 1): Float32Array {
    const out = new Float32Array(n);
    for (let i = 0; i < n; i++) out[i] = sd * this.normal();
    return out;
  }

  /** Fisher-Yates, in place; returns its argument. */
  shuffle<T>(items: T[]): T[] {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      const t = items[i] as T;
      items[i] = items[j] as T;
      items[j] = t;
    }
    return items;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(items.length)] as T;
  }
}

export declare namespace Rng {
  type State = readonly [number, number, number, number];
}

/** xmur3-style string hash that yields a stream of 32-bit words. */
function hash32(text: string): () => number {
  let h = 1779033703 ^ text.length;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 3432918353);
    h = (h << 13) | (h >>> 19);
  }
  return () => {
    h = Math.imul(h ^ (h >>> 16), 2246822507);
    h = Math.imul(h ^ (h >>> 13), 3266489909);
    h ^= h >>> 16;
    return h >>> 0;
  };
}
