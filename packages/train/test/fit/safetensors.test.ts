import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors } from '../../src/fit/safetensors.ts';

const reference = new Uint8Array(
  readFileSync(new URL('../../../../test/golden/safetensors/reference.safetensors', import.meta.url)),
);

describe('safetensors', () => {
  it('reads what the reference implementation writes', () => {
    const { tensors, metadata } = decodeSafetensors(reference);
    expect(metadata).toEqual({ epoch: '7' });
    expect(Object.keys(tensors).sort()).toEqual(['audio', 'bias', 'scalar', 'text.lstm.weight']);
    expect(tensors['bias']?.values).toEqual(new Float32Array([-1.5, 3e-39, Math.PI]));
    expect(tensors['scalar']).toEqual({ shape: [], values: new Float32Array([2.5]) });
    expect(tensors['text.lstm.weight']?.shape).toEqual([2, 3, 4]);
    expect(tensors['text.lstm.weight']?.values).toEqual(Float32Array.from({ length: 24 }, (_, i) => i / 7));
    expect(Object.is(tensors['audio']?.values[4], -0)).toBe(true);
  });

  it('writes the same bytes as the reference implementation', () => {
    expect(Buffer.compare(encodeSafetensors(decodeSafetensors(reference)), reference)).toBe(0);
  });

  it('names what is wrong with a damaged file', () => {
    expect(() => decodeSafetensors(reference.subarray(0, reference.length - 4))).toThrow('it is cut off');
    const garbled = reference.slice();
    garbled[8] = 0x21;
    expect(() => decodeSafetensors(garbled)).toThrow('its safetensors header is no JSON');
    expect(() =>
      encodeSafetensors({ tensors: { a: { shape: [3], values: new Float32Array(2) } }, metadata: {} }),
    ).toThrow('a: shape [3] but 2 values');
  });
});
