import { Rng, sha256Hex } from '@lsgmer/datasets';
import type { FeatureSource, LabelledId } from '../../src/batches/source.ts';

/** Random rows in memory: float16 bits of values in (-2, 2), of lengths in a range. */
export class MemorySource implements FeatureSource {
  readonly feature: string;
  readonly fingerprint: string;
  readonly dim: number;
  readonly dtype = 'float16' as const;
  readonly firstSeconds: number | null;
  readonly stepSeconds: number | null;
  readonly rows = new Map<string, Uint16Array>();
  readonly reasons = new Map<string, string>();

  constructor(
    feature: string,
    dim: number,
    ids: readonly string[],
    [shortest, longest]: readonly [number, number],
    firstSeconds: number | null = null,
    stepSeconds: number | null = null,
  ) {
    this.feature = feature;
    this.fingerprint = sha256Hex(feature);
    this.dim = dim;
    this.firstSeconds = firstSeconds;
    this.stepSeconds = stepSeconds;
    for (const id of ids) {
      const rng = Rng.for(feature, id);
      const values = new Uint16Array((shortest + rng.int(longest - shortest + 1)) * dim);
      // sign, exponent 12 to 15, fraction: |x| in [1/8, 2)
      for (let i = 0; i < values.length; i++) {
        values[i] = (rng.int(2) << 15) | ((12 + rng.int(4)) << 10) | rng.int(1024);
      }
      this.rows.set(id, values);
    }
  }

  length(id: string): number | undefined {
    const row = this.rows.get(id);
    return row === undefined ? undefined : row.length / this.dim;
  }

  reason(id: string): string | undefined {
    return this.reasons.get(id);
  }

  readInto(id: string, target: Uint16Array | Float32Array, offset: number): void {
    target.set(this.rows.get(id) as Uint16Array, offset);
  }

  checksum(id: string): string {
    return sha256Hex(new Uint8Array((this.rows.get(id) as Uint16Array).buffer)).slice(0, 16);
  }
}

/** Utterances `demo/u000`.. of `classes` classes in turn. */
export function utterances(n: number, classes: number): LabelledId[] {
  return Array.from({ length: n }, (_, i) => ({
    id: `demo/u${String(i).padStart(3, '0')}`,
    label: i % classes,
  }));
}
