import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '@lsgmer/datasets';
import { isRowMajor, readFloats } from '../../src/checkpoint/stored-tensor.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-tensor-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'values.bin');

function stored(bytes: ArrayBuffer): void {
  writeFileSync(file, Buffer.concat([Buffer.alloc(3), Buffer.from(bytes)]));
}

describe('readFloats', () => {
  it('reads float16 exactly: subnormals, infinities, NaN', () => {
    stored(Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x03ff, 0x7bff, 0xfc00, 0x7e00, 0x3555).buffer);
    const values = readFloats({ name: 'w', kind: 'F16', shape: [8], file, offset: 3 });
    // numpy: np.array([...], np.uint16).view(np.float16).astype(np.float32)
    expect([...values]).toEqual([1, -2, 2 ** -24, 1023 * 2 ** -24, 65_504, -Infinity, NaN, 0.333251953125]);
  });

  it('reads bfloat16 and float64', () => {
    stored(Uint16Array.of(0x3f80, 0xc049, 0x7f80).buffer);
    expect([...readFloats({ name: 'w', kind: 'BF16', shape: [3], file, offset: 3 })]).toEqual([
      1,
      -3.140625,
      Infinity,
    ]);
    stored(Float64Array.of(0.1, -2).buffer);
    expect([...readFloats({ name: 'w', kind: 'F64', shape: [2], file, offset: 3 })]).toEqual([
      Math.fround(0.1),
      -2,
    ]);
  });

  it('follows strides', () => {
    stored(Float32Array.from({ length: 6 }, (_, i) => i).buffer);
    const transposed = { name: 'w', kind: 'F32', shape: [3, 2], strides: [1, 3], file, offset: 3 } as const;
    expect([...readFloats(transposed)]).toEqual([0, 3, 1, 4, 2, 5]);
    expect(isRowMajor(transposed)).toBe(false);
    expect(isRowMajor({ shape: [1, 5], strides: [77, 1] })).toBe(true);
  });

  it('names the file and the tensor that it cannot read', () => {
    stored(Float32Array.of(1, 2).buffer);
    const read =
      (change: object): (() => unknown) =>
      () =>
        readFloats({ name: 'layer.weight', kind: 'F32', shape: [2], file, offset: 3, ...change });
    expect(read({ shape: [3] })).toThrow(UserError);
    expect(read({ shape: [3] })).toThrow('values.bin ends at byte 11, but layer.weight takes bytes 3 to 15');
    expect(read({ kind: 'I8' })).toThrow('layer.weight is I8: expected a floating-point tensor');
    expect(read({ file: join(folder, 'nothing') })).toThrow(/nothing cannot be read/);
  });
});
