import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Attributes,
  Graph,
  ModelFile,
  type Session,
  createSession,
  layConvolutions,
  modelBytes,
  writeModel,
} from '@lsgmer/onnx';
import { noiseFrom } from './noise.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lsgmer-rows-'));
});
afterAll(() => rm(folder, { recursive: true }));

const noise = noiseFrom(5);

const CHANNELS = 64;
interface Layer {
  readonly shape: readonly [number, number, number];
  readonly attributes: Attributes;
  readonly bias?: boolean;
}

/** Convolutions as speech encoders have them: a waveform, then a relu with channels last between each two. */
function stack(layers: readonly Layer[]): Graph {
  const g = new Graph();
  g.input('wave', 'float32', ['batch', 'samples']);
  let x = g.op('Unsqueeze', ['wave', g.int64([1])]);
  layers.forEach(({ shape, attributes, bias }, i) => {
    const inputs = [x, g.initializer(`W${i}`, 'float32', shape, noise(shape[0] * shape[1] * shape[2]))];
    if (bias === true) inputs.push(g.initializer(`b${i}`, 'float32', [shape[0]], noise(shape[0])));
    const made = g.op('Conv', inputs, { kernel_shape: [shape[2]], ...attributes });
    const last = g.op('Relu', [g.op('Transpose', [made], { perm: [0, 2, 1] })]);
    if (i < layers.length - 1) x = g.op('Transpose', [last], { perm: [0, 2, 1] });
    else g.output(last, 'float32', ['batch', 'frames', shape[0]], 'y');
  });
  return g;
}

async function both(g: Graph): Promise<{ model: ModelFile; changed: number; sessions: Session[] }> {
  const [before, after] = [join(folder, 'model.onnx'), join(folder, 'rows.onnx')];
  await writeModel(g, before);
  const model = ModelFile.read(before);
  const changed = layConvolutions(model);
  await model.write(after);
  const load = (path: string): Promise<Session> => createSession(path, { device: 'cpu', threads: 2 });
  return { model, changed, sessions: [await load(before), await load(after)] };
}

const WAVE: Layer = { shape: [CHANNELS, 1, 10], attributes: { strides: [5] } };
const CASES: readonly [string, Layer][] = [
  ['kernel 3, stride 2', { shape: [80, CHANNELS, 3], attributes: { strides: [2] } }],
  ['kernel 3, stride 2, with a bias', { shape: [80, CHANNELS, 3], attributes: { strides: [2] }, bias: true }],
  ['kernel 2, stride 2', { shape: [CHANNELS, CHANNELS, 2], attributes: { strides: [2] } }],
  ['kernel 1', { shape: [CHANNELS, CHANNELS, 1], attributes: {} }],
  ['kernel 8, stride 3', { shape: [CHANNELS, CHANNELS, 8], attributes: { strides: [3] } }],
];

describe('convolutions as float32 products', () => {
  it.each(CASES)('%s after a waveform: the same features, alone and in a batch', async (_, layer) => {
    for (const wave of [WAVE, { ...WAVE, bias: true }]) {
      const { model, changed, sessions } = await both(stack([wave, layer]));
      expect(changed).toBe(2);
      expect(model.nodes.map(({ type }) => type)).not.toContain('Conv');
      // What remains turns a waveform of one channel, which moves nothing.
      expect(model.nodes.filter(({ type }) => type === 'Transpose')).toHaveLength(1);
      for (const samples of [400, 401, 1234]) {
        const data = noise(3 * samples);
        await expectEqual(sessions, data, [3, samples]);
        await expectEqual(sessions, data.slice(samples, 2 * samples), [1, samples]);
      }
      for (const session of sessions) await session.release();
    }
  });

  it('a padded one in groups, as stands for positions', async () => {
    const groups: Layer = {
      shape: [2 * CHANNELS, CHANNELS, 8],
      attributes: { group: 2, pads: [4, 3] },
      bias: true,
    };
    const before: Layer = { shape: [2 * CHANNELS, 1, 10], attributes: { strides: [5] } };
    const { changed, sessions } = await both(stack([before, groups]));
    expect(changed).toBe(2);
    for (const samples of [10, 60, 777]) await expectEqual(sessions, noise(2 * samples), [2, samples]);
    for (const session of sessions) await session.release();
  });

  it('leaves what has few channels, gaps or padding, and what is wanted with channels first', () => {
    const changes = (layer: Layer): number =>
      layConvolutions(ModelFile.parse(modelBytes(stack([WAVE, layer])))) - 1;
    expect(changes({ shape: [32, CHANNELS, 3], attributes: {} })).toBe(0);
    expect(changes({ shape: [CHANNELS, CHANNELS, 3], attributes: { dilations: [2] } })).toBe(0);
    expect(changes({ shape: [CHANNELS, CHANNELS, 3], attributes: { pads: [1, 1] } })).toBe(0);
    const g = new Graph();
    g.input('x', 'float32', ['batch', 1, 'samples']);
    const weights = g.initializer('W', 'float32', [CHANNELS, 1, 10], noise(10 * CHANNELS));
    const made = g.op('Conv', ['x', weights], { kernel_shape: [10], strides: [5] });
    g.output(g.op('Relu', [made]), 'float32', ['batch', CHANNELS, 'after'], 'first');
    g.output(g.op('Transpose', [made], { perm: [0, 2, 1] }), 'float32', ['batch', 'after', CHANNELS], 'last');
    expect(layConvolutions(ModelFile.parse(modelBytes(g)))).toBe(0);
  });
});

async function expectEqual(sessions: readonly Session[], data: Float32Array, shape: number[]): Promise<void> {
  const [wanted, found] = await Promise.all(
    sessions.map((session) => session.run({ wave: { data, shape } })),
  );
  expect(found?.['y']?.shape).toEqual(wanted?.['y']?.shape);
  const [exact, values] = [wanted, found].map((results) => results?.['y']?.data) as [
    Float32Array,
    Float32Array,
  ];
  const largest = exact.reduce(
    (most, value, i) => Math.max(most, Math.abs((values[i] as number) - value)),
    0,
  );
  expect(largest).toBeLessThan(1e-4);
}
