import { describe, expect, it } from 'vitest';
import { createSession, packed, realSteps, tf, trace } from '@lsgmer/onnx';

const T = (x?: tf.Tensor): tf.Tensor => x as tf.Tensor;

/** float16 bits of small whole numbers. */
function halves(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, (x) => {
    if (x === 0) return 0;
    const exponent = Math.floor(Math.log2(Math.abs(x)));
    return (x < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | ((Math.abs(x) / 2 ** exponent - 1) * 1024);
  });
}

const [rows, steps, width] = [3, 4, 2] as const;
const whole = Float32Array.from({ length: rows * steps * width }, (_, i) => i - 9);

/** Packs x, doubles it, and puts it back; by one graph for several masks. */
async function runs(
  masks: readonly (readonly number[])[],
  half: boolean,
): Promise<Record<string, number[]>[]> {
  const model = trace(
    [
      { name: 'x', shape: [rows, steps, width], dtype: half ? 'float16' : 'float32' },
      { name: 'mask', shape: [rows, steps], dtype: 'float32' },
    ],
    (given) => {
      const real = realSteps(T(given.mask));
      const own = packed(T(given.x), real);
      return {
        sum: tf.sum(own, 0),
        rowSum: tf.sum(tf.cast(real.row, 'float32')),
        stepSum: tf.sum(tf.cast(real.step, 'float32')),
        back: tf.gather(tf.mul(own, 2), real.place),
      };
    },
  );
  const session = await createSession(model.bytes, { device: 'cpu' });
  const results = [];
  for (const mask of masks) {
    const outputs = await session.run({
      x: { data: half ? halves(whole) : whole, shape: [rows, steps, width] },
      mask: { data: Float32Array.from(mask), shape: [rows, steps] },
    });
    results.push(
      Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, [...data].map(Number)])),
    );
  }
  await session.release();
  return results;
}

describe('real steps', () => {
  const ragged = [1, 1, 1, 0, 1, 0, 0, 0, 1, 1, 0, 0];
  const full = Array<number>(rows * steps).fill(1);

  it.each([false, true])('of one graph and any mask, float16: %s', async (half) => {
    const results = await runs([ragged, full], half);
    for (const [i, mask] of [ragged, full].entries()) {
      const real = mask.flatMap((one, place) => (one === 1 ? [place] : []));
      const expected = [0, 1].map((k) =>
        real.reduce((sum, place) => sum + (whole[2 * place + k] as number), 0),
      );
      expect(results[i]?.['sum']).toEqual(expected);
      expect(results[i]?.['rowSum']).toEqual([
        real.reduce((sum, place) => sum + Math.floor(place / steps), 0),
      ]);
      expect(results[i]?.['stepSum']).toEqual([real.reduce((sum, place) => sum + (place % steps), 0)]);
      const back = results[i]?.['back'] as number[];
      for (const place of real) {
        for (const k of [0, 1]) expect(back[2 * place + k]).toBe(2 * (whole[2 * place + k] as number));
      }
      // padding holds some real step
      expect(
        back.every((value) =>
          real.some((place) => [0, 1].some((k) => value === 2 * (whole[2 * place + k] as number))),
        ),
      ).toBe(true);
    }
  });

  it('counts the first step as real where no other is, or the first row is padding', async () => {
    const none = Array<number>(rows * steps).fill(0);
    const later = [0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0];
    const results = await runs([none, later], false);
    expect(results[0]?.['sum']).toEqual([whole[0], whole[1]]);
    expect(results[0]?.['back']).toEqual(
      Array.from({ length: rows * steps * width }, (_, i) => 2 * (whole[i % 2] as number)),
    );
    expect(results[1]?.['sum']).toEqual([-9 + -1 + 1, -8 + 0 + 2]);
    expect(results[1]?.['back']?.slice(8, 12)).toEqual([-2, 0, 2, 4]);
  });

  it('works inside trace() only, and without a gradient', () => {
    expect(() => realSteps(tf.zeros([2, 3]))).toThrow('realSteps() outside trace()');
    const inputs = [{ name: 'x', shape: [2, 3], dtype: 'float32' }] as const;
    const gradient = () =>
      trace(inputs, (given) => ({
        dx: tf.grad((x) => tf.sum(tf.cast(realSteps(x).row, 'float32')))(T(given.x)),
      }));
    expect(gradient).toThrow('realSteps() has no gradient');
  });
});
