import { describe, expect, it } from 'vitest';
import { createSession, distinctSteps, packed, realSteps, tf, trace, viewed } from '@lsgmer/onnx';

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

describe('distinct steps', () => {
  const inputs = [{ name: 'mask', shape: [rows, steps], dtype: 'float32' }] as const;

  it.each([
    [[0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1], 7, [0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 5, 6]],
    [[1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0], 4, [0, 1, 2, 2, 2, 2, 2, 2, 3, 2, 2, 2]],
    [Array<number>(12).fill(1), 12, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
    [Array<number>(12).fill(0), 1, Array<number>(12).fill(0)],
  ])('are the real ones and the first of padding: %j', async (mask, count, places) => {
    const { bytes } = trace(inputs, (given) => {
      const { row, step, place, count } = distinctSteps(T(given.mask));
      const at = tf.add(tf.mul(row, tf.scalar(steps, 'int32')), step);
      const sum = tf.sum(viewed(tf.cast(at, 'float32'), [rows * steps, 1], 0), 0);
      return { place, count, sum, places: tf.gather(at, place) };
    });
    const session = await createSession(bytes, { device: 'cpu' });
    const outputs = await session.run({ mask: { data: Float32Array.from(mask), shape: [rows, steps] } });
    await session.release();
    const numbers = (name: string): number[] => Array.from(outputs[name]?.data ?? [], Number);
    expect(numbers('count')).toEqual([count]);
    expect(numbers('place')).toEqual(places);
    const first = mask.indexOf(0);
    const own = mask.map((one, place) => (one === 1 ? place : first));
    expect(numbers('places')).toEqual(own);
    expect(numbers('sum')).toEqual([[...new Set(own)].reduce((sum, place) => sum + place, 0)]);
  });

  it('are found inside trace() only', () => {
    expect(() => distinctSteps(tf.zeros([2, 3]))).toThrow('distinctSteps() outside trace()');
  });
});
