import { readFileSync } from 'node:fs';
import * as cpu from '@tensorflow/tfjs-backend-cpu';
import { createSession, tf, trace } from '@lsgmer/onnx';
import { describe, expect, it } from 'vitest';
import { bilstm } from '../../src/head/lstm.ts';
import { drawn } from '../support/head-golden.ts';

interface Case {
  readonly name: string;
  readonly lengths: number[];
  readonly steps: number;
  readonly inputs: number;
  readonly hidden: number;
  readonly x: number[];
  readonly dy: number[];
  readonly y: number[];
  readonly dx: number[];
  readonly weights: { readonly [name: string]: { readonly values: number[]; readonly gradient: number[] } };
}

const golden = JSON.parse(
  readFileSync(new URL('../../../../test/golden/lstm/lstm.json', import.meta.url), 'utf8'),
) as { torch: string; cases: Case[] };

tf.env().set('IS_TEST', true); // no greeting

interface Values {
  readonly data: Float32Array;
  readonly shape: number[];
}

/** torch's per-direction tensors as ours: [2, ...], matrices transposed. */
function ours({ weights, inputs, hidden }: Case, part: 'values' | 'gradient'): Record<string, Values> {
  const pair = (name: string): number[][] =>
    ['', '_reverse'].map((suffix) => weights[`${name}_l0${suffix}`]?.[part] as number[]);
  const transposed = (values: number[], columns: number): number[] => {
    const rows = values.length / columns;
    return Array.from(
      { length: values.length },
      (_, i) => values[(i % rows) * columns + Math.floor(i / rows)] as number,
    );
  };
  const matrix = (name: string, columns: number): Values => ({
    data: Float32Array.from(pair(name).flatMap((values) => transposed(values, columns))),
    shape: [2, columns, 4 * hidden],
  });
  const bias = (name: string): Values => ({
    data: Float32Array.from(pair(name).flat()),
    shape: [2, 4 * hidden],
  });
  return {
    wx: matrix('weight_ih', inputs),
    wh: matrix('weight_hh', hidden),
    bih: bias('bias_ih'),
    bhh: bias('bias_hh'),
  };
}

function feedsOf(one: Case, extra = 0, filler = 0): Record<string, Values> {
  const { lengths, steps, inputs, hidden } = one;
  const rows = lengths.length;
  const padded = (values: readonly number[], width: number, fill: number): Values => {
    const data = new Float32Array(rows * (steps + extra) * width).fill(fill);
    for (let row = 0; row < rows; row++) {
      const from = row * steps * width;
      data.set(values.slice(from, from + steps * width), row * (steps + extra) * width);
    }
    return { data, shape: [rows, steps + extra, width] };
  };
  const mask = Float32Array.from({ length: rows * (steps + extra) }, (_, i) =>
    i % (steps + extra) < (lengths[Math.floor(i / (steps + extra))] as number) ? 1 : 0,
  );
  return {
    x: padded(one.x, inputs, filler),
    mask: { data: mask, shape: [rows, steps + extra] },
    dy: padded(one.dy, 2 * hidden, filler),
    ...ours(one, 'values'),
  };
}

/** Output, and gradients of sum(y dy), by name. */
function results(given: Record<string, tf.Tensor>): Record<string, tf.Tensor> {
  const get = (name: string): tf.Tensor => given[name] as tf.Tensor;
  const names = ['x', 'wx', 'wh', 'bih', 'bhh'];
  let y: tf.Tensor | undefined;
  const objective = (...values: tf.Tensor[]): tf.Scalar => {
    const [x, wx, wh, bih, bhh] = values as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    y = tf.keep(bilstm(x, get('mask'), { wx, wh, bih, bhh }));
    return tf.sum<tf.Scalar>(tf.mul(y, get('dy')));
  };
  const { grads } = tf.valueAndGrads(objective)(names.map(get));
  return {
    y: y as tf.Tensor,
    ...Object.fromEntries(names.map((name, i) => [`d${name}`, grads[i] as tf.Tensor])),
  };
}

type Outcome = Record<string, Float32Array>;

async function eager(feeds: Record<string, Values>): Promise<Outcome> {
  await tf.setBackend('cpu');
  return tf.tidy(() => {
    const tensors = Object.entries(feeds).map(([name, { data, shape }]) => [name, tf.tensor(data, shape)]);
    const found = results(Object.fromEntries(tensors) as Record<string, tf.Tensor>);
    return Object.fromEntries(Object.entries(found).map(([name, t]) => [name, t.dataSync() as Float32Array]));
  });
}

async function traced(feeds: Record<string, Values>, threads = 1): Promise<Outcome> {
  const inputs = Object.entries(feeds).map(([name, { shape }]) => ({
    name,
    shape,
    dtype: 'float32' as const,
  }));
  const session = await createSession(trace(inputs, results).bytes, { device: 'cpu', threads });
  const found = await session.run(feeds);
  await session.release();
  return Object.fromEntries(Object.entries(found).map(([name, { data }]) => [name, data as Float32Array]));
}

/** Largest difference relative to the largest expected value. */
function error(found: ArrayLike<number> | undefined, expected: ArrayLike<number>): number {
  let difference = 0;
  let scale = 0;
  expect(found?.length).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs((found?.[i] ?? NaN) - (expected[i] as number)));
    scale = Math.max(scale, Math.abs(expected[i] as number));
  }
  return Number.isNaN(difference) ? Infinity : difference / (scale || 1);
}

describe.each([
  ['eager', eager],
  ['traced', traced],
] as const)(
  `bilstm, %s, against torch ${golden.torch} on packed sequences (tfjs-cpu ${cpu.version_cpu})`,
  (_, run) => {
    it.each(golden.cases.map((one) => [one.name, one] as const))(
      '%s: output and all gradients',
      async (_, one) => {
        const found = await run(feedsOf(one));
        expect(error(found.y, one.y)).toBeLessThan(1e-6);
        expect(error(found.dx, one.dx)).toBeLessThan(2e-6);
        for (const [name, { data }] of Object.entries(ours(one, 'gradient'))) {
          expect(error(found[`d${name}`], data), name).toBeLessThan(2e-6);
        }
      },
    );

    it('outputs and gradients at padding are exactly 0, whatever stands there', async () => {
      const one = golden.cases[0] as Case;
      const found = await run(feedsOf(one, 3, 1000));
      const { hidden, inputs, lengths } = one;
      const steps = one.steps + 3;
      for (const [row, length] of lengths.entries()) {
        for (const [name, width] of [
          ['y', 2 * hidden],
          ['dx', inputs],
        ] as const) {
          const rest = (found[name] as Float32Array).subarray(
            (row * steps + length) * width,
            (row + 1) * steps * width,
          );
          expect(
            rest.every((value) => value === 0),
            `${name} of row ${row}`,
          ).toBe(true);
        }
      }
      for (const [name, { data }] of Object.entries(ours(one, 'gradient'))) {
        expect(error(found[`d${name}`], data), name).toBeLessThan(2e-6);
      }
    });

    it('a row that is all padding gives zeros, also alone', async () => {
      const one = { ...(golden.cases[3] as Case), lengths: [0] };
      const found = await run(feedsOf(one));
      for (const values of Object.values(found)) expect(values.every((value) => value === 0)).toBe(true);
    });
  },
);

it('bilstm, traced, at the real width: the same bits with one thread and with two', async () => {
  const [rows, steps, inputs, hidden] = [32, 3, 16, 128];
  const values = (name: string, shape: number[]): Values => ({ data: drawn(name, shape, 0.2), shape });
  const mask = { data: new Float32Array(rows * steps).fill(1), shape: [rows, steps] };
  const feeds = {
    x: values('x', [rows, steps, inputs]),
    mask,
    dy: values('dy', [rows, steps, 2 * hidden]),
    wx: values('wx', [2, inputs, 4 * hidden]),
    wh: values('wh', [2, hidden, 4 * hidden]),
    bih: values('bih', [2, 4 * hidden]),
    bhh: values('bhh', [2, 4 * hidden]),
  };
  const [one, two] = [await traced(feeds, 1), await traced(feeds, 2)];
  expect(Object.keys(one)).toEqual(['y', 'dx', 'dwx', 'dwh', 'dbih', 'dbhh']);
  expect(two).toEqual(one);
});
