import { Rng } from '@lsgmer/datasets';
import { describe, expect, it } from 'vitest';
import { AdamW } from '../../src/engine/adamw.ts';
import { trainingVectors } from '../../src/engine/vectors.ts';

const bits = (values: Float32Array): Uint32Array =>
  new Uint32Array(values.buffer, values.byteOffset, values.length);

/** Values over many magnitudes, zeros among them. */
function draw(name: string, size: number): Float32Array {
  const rng = Rng.for('adamw simd', name, size);
  return Float32Array.from(rng.normals(size), (x, i) => (i % 7 === 3 ? 0 : x * 10 ** (rng.int(40) - 30)));
}

describe('AdamW in SIMD', () => {
  const options = { lr: 3e-3, decay: 0.1, beta1: 0.87, beta2: 0.97, eps: 1e-7 };
  it.each([
    { size: 1, undecayed: [] },
    { size: 2, undecayed: [] },
    { size: 1001, undecayed: [] },
    // stretches that start and end at odd elements
    {
      size: 1000,
      undecayed: [
        { offset: 3, length: 1 },
        { offset: 501, length: 250 },
      ],
    },
  ])(
    'gives the bits of the plain loop: $size parameters, without decay $undecayed',
    ({ size, undecayed }) => {
      const vectors = trainingVectors(size);
      const fast = new AdamW(size, { ...options, undecayed }, vectors.moments);
      const plain = new AdamW(size, { ...options, undecayed });
      const parameters = draw('parameters', size);
      vectors.parameters.set(parameters);
      for (let step = 0; step < 5; step++) {
        const gradient = draw(`gradient ${step}`, size);
        vectors.gradient.set(gradient);
        fast.step(vectors.parameters, vectors.gradient);
        plain.step(parameters, gradient);
        expect(bits(vectors.gradient)).toEqual(bits(gradient));
      }
      expect(bits(vectors.parameters)).toEqual(bits(parameters));
      expect(bits(fast.first)).toEqual(bits(plain.first));
      expect(bits(fast.second)).toEqual(bits(plain.second));
      expect(parameters).not.toEqual(draw('parameters', size));
    },
  );

  it('passes infinities and NaN on as the loop does', () => {
    const vectors = trainingVectors(6);
    const gradient = [Infinity, -Infinity, NaN, 0, -0, 1e-45];
    vectors.gradient.set(gradient);
    const fast = new AdamW(6, options, vectors.moments);
    const plain = new AdamW(6, options);
    const parameters = new Float32Array(6);
    fast.step(vectors.parameters, vectors.gradient);
    plain.step(parameters, Float32Array.from(gradient));
    expect(vectors.parameters).toEqual(parameters);
    expect(fast.second).toEqual(plain.second);
  });

  it('starts from empty moments, whatever lay there, and refuses moments of another size', () => {
    const { moments } = trainingVectors(4);
    moments.first.fill(3);
    expect(new AdamW(4, options, moments).first).toEqual(new Float32Array(4));
    expect(() => new AdamW(5, options, moments)).toThrow('AdamW of 5 parameters got moments of 4, 4');
  });
});
