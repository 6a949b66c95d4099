import { describe, expect, it } from 'vitest';
import { melPictureForm } from '../../src/features/mel-picture.ts';
import { AlexnetMel } from '../../src/spectrogram/alexnet-mel.ts';

describe('melPictureForm', () => {
  it('stacks pictures of equal width', () => {
    const form = melPictureForm({ model_type: 'alexnet', channels: [1, 2, 3, 4, 5] });
    const [a, b] = [12_490, 12_510].map((length) => Float32Array.from({ length }, (_, i) => Math.sin(i * i)));
    expect([form.batchKey(12_490), form.batchKey(12_510), form.batchKey(100)]).toEqual([100, 100, 63]);
    const { picture = { data: new Float32Array(), shape: [] } } = form.feeds([
      a as Float32Array,
      b as Float32Array,
    ]);
    expect(picture.shape).toEqual([2, 256, 100]);
    const second = (picture.data as Float32Array).subarray(256 * 100);
    expect(second).toEqual(new AlexnetMel().picture(b as Float32Array).values);
    expect([form.dim, form.firstSeconds, form.stepSeconds]).toEqual([35, 31.5 / 128, 0.25]);
  });
});
