import { sha256Hex } from '@lsgmer/datasets';
import type { FeatureSource } from '../../src/batches/source.ts';

/** float32 rows in memory. */
export class FloatSource implements FeatureSource {
  readonly feature: string;
  readonly fingerprint: string;
  readonly dim: number;
  readonly dtype = 'float32' as const;
  readonly firstSeconds = 0.0125;
  readonly stepSeconds = 0.02;
  readonly rows: ReadonlyMap<string, Float32Array>;

  constructor(feature: string, dim: number, rows: ReadonlyMap<string, ArrayLike<number>>) {
    this.feature = feature;
    this.fingerprint = sha256Hex(feature);
    this.dim = dim;
    this.rows = new Map([...rows].map(([id, values]) => [id, Float32Array.from(values)]));
  }

  length(id: string): number | undefined {
    const row = this.rows.get(id);
    return row === undefined ? undefined : row.length / this.dim;
  }

  readInto(id: string, target: Uint16Array | Float32Array, offset: number): void {
    target.set(this.rows.get(id) as Float32Array, offset);
  }

  checksum(id: string): string {
    return sha256Hex(new Uint8Array((this.rows.get(id) as Float32Array).buffer)).slice(0, 16);
  }
}
