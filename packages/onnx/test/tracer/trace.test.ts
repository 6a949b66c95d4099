import { afterEach, describe, expect, it } from 'vitest';
import { createSession, type Feeds, isTracing, tf, trace, type TracedModel } from '@lsgmer/onnx';
import { expectClose, numbers } from './compare.ts';

const vector = [{ name: 'x', shape: [3], dtype: 'float32' }] as const;

async function run(model: TracedModel, feeds: Feeds): Promise<Record<string, number[]>> {
  const session = await createSession(model.bytes, { device: 'cpu' });
  const outputs = await session.run(feeds);
  await session.release();
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { data }]) => [name, [...(data as Float32Array)]]),
  );
}

describe('trace', () => {
  afterEach(() => {
    expect(isTracing()).toBe(false);
    expect(tf.engine().isTapeOn()).toBe(false);
  });

  it('names inputs and outputs, and drops dead nodes', async () => {
    const model = trace(vector, ({ x }) => {
      tf.exp(x as tf.Tensor); // nobody uses it
      expect(isTracing()).toBe(true);
      return { twice: tf.mul(x as tf.Tensor, 2), same: x as tf.Tensor, five: tf.mul(tf.ones([70]), 5) };
    });
    expect(model.inputs).toEqual([{ name: 'x', type: 'float32', shape: [3] }]);
    expect(model.outputs.map(({ name, shape }) => [name, shape])).toEqual([
      ['twice', [3]],
      ['same', [3]],
      ['five', [70]],
    ]);
    expect(model.nodes).toBe(6); // Mul twice, Expand, and an Identity for each output's name
    const outputs = await run(model, { x: { data: Float32Array.of(1, 2, 3), shape: [3] } });
    expect(outputs.twice).toEqual([2, 4, 6]);
    expect(outputs.same).toEqual([1, 2, 3]);
    expect(outputs.five).toEqual(Array.from({ length: 70 }, () => 5));
  });

  it('casts float16 inputs in the graph', async () => {
    const inputs = [{ name: 'x', shape: [2, 2], dtype: 'float16' }] as const;
    const model = trace(inputs, ({ x }) => {
      expect(x?.dtype).toBe('float32');
      return { y: tf.matMul(x as tf.Tensor, x as tf.Tensor) };
    });
    expect(model.inputs[0]?.type).toBe('float16');
    // 1, 2, -0.5 and 65504 (the largest) as float16 bits
    const outputs = await run(model, {
      x: { data: Uint16Array.of(0x3c00, 0x4000, 0xb800, 0x7bff), shape: [2, 2] },
    });
    expectClose(outputs.y ?? [], [0, 131010, -32752.5, 65504 * 65504 - 1], 1e-6);
  });

  it('takes integer inputs', async () => {
    const model = trace([{ name: 'i', shape: [2], dtype: 'int32' }], ({ i }) => ({
      rows: tf.gather(tf.tensor2d([1, 2, 3, 4], [2, 2]), i as tf.Tensor1D),
    }));
    const outputs = await run(model, { i: { data: Int32Array.of(1, 0), shape: [2] } });
    expect(outputs.rows).toEqual([3, 4, 1, 2]);
  });

  it('takes tensors of another backend as constants and leaves them usable', async () => {
    await tf.setBackend('cpu');
    const outside = tf.tensor1d(numbers(300, 5));
    const before = [...outside.dataSync()];
    const model = trace([{ name: 'x', shape: [300], dtype: 'float32' }], ({ x }) => ({
      y: tf.add(x as tf.Tensor, outside),
    }));
    const again = trace([{ name: 'x', shape: [300], dtype: 'float32' }], ({ x }) => ({
      y: tf.sub(x as tf.Tensor, outside),
    }));
    const x = { data: new Float32Array(300), shape: [300] };
    expect((await run(model, { x })).y).toEqual(before);
    expect((await run(again, { x })).y).toEqual(before.map((value) => 0 - value));
    expect([...tf.neg(tf.neg(outside)).dataSync()]).toEqual(before);
  });

  it('explains why a value cannot be read', () => {
    expect(() => trace(vector, ({ x }) => ({ y: tf.mul(x as tf.Tensor, x?.dataSync()[0] ?? 0) }))).toThrow(
      'the value of a traced tensor [3] was read',
    );
  });

  it('names the kernel that is missing', () => {
    expect(() => trace(vector, ({ x }) => ({ y: tf.atan(x as tf.Tensor) }))).toThrow(
      'the op Atan has no ONNX kernel',
    );
  });

  it('refuses equal names of an input and an output, and of two inputs', () => {
    expect(() => trace(vector, ({ x }) => ({ x: tf.neg(x as tf.Tensor) }))).toThrow(
      'the name x is given twice',
    );
    expect(() => trace([...vector, ...vector], ({ x }) => ({ y: x as tf.Tensor }))).toThrow(
      'the name x is given twice',
    );
  });

  it('refuses asynchronous functions, nested traces and tensors of an earlier trace', () => {
    const later = (async () => ({})) as unknown as () => Record<string, tf.Tensor>;
    expect(() => trace(vector, later)).toThrow('must not be asynchronous');
    expect(() => trace(vector, () => trace(vector, ({ x }) => ({ y: x as tf.Tensor })) as never)).toThrow(
      'trace() inside a traced function',
    );
    let escaped: tf.Tensor | undefined;
    trace(vector, ({ x }) => {
      escaped = tf.keep(tf.neg(x as tf.Tensor));
      return { y: x as tf.Tensor };
    });
    expect(() => trace(vector, ({ x }) => ({ y: tf.add(x as tf.Tensor, escaped as tf.Tensor) }))).toThrow(
      'a tensor of an earlier trace',
    );
    escaped?.dispose();
    expect(() => trace(vector, () => ({ y: tf.neg(escaped as tf.Tensor) }))).toThrow(
      'a tensor that is disposed of',
    );
  });

  it('leaves tfjs as it was, after an error in the middle of a gradient too', async () => {
    await tf.setBackend('cpu');
    const failing = (): unknown =>
      trace(vector, ({ x }) => ({
        y: tf.grad((v) => {
          const y = tf.square(v);
          throw new Error(`failed on ${y.shape.join()}`);
        })(x as tf.Tensor),
      }));
    expect(failing).toThrow('failed on 3');
    expect(tf.getBackend()).toBe('cpu');
    expect(tf.engine().state.gradientDepth).toBe(0);
    expect(tf.engine().state.kernelDepth).toBe(0);
    expect([...tf.square(tf.tensor1d([3])).dataSync()]).toEqual([9]);
    expect(trace(vector, ({ x }) => ({ y: tf.neg(x as tf.Tensor) })).nodes).toBe(2);
  });

  it('gives the same bytes again', () => {
    const build = (): Uint8Array =>
      trace(vector, ({ x }) => ({ g: tf.grad((v) => tf.sum(tf.softmax(v)))(x as tf.Tensor) })).bytes;
    expect(build()).toEqual(build());
  });
});
