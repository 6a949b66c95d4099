import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Graph, ModelFile, createSession, modelBytes, writeModel } from '@lsgmer/onnx';
import { UserError } from '@lsgmer/datasets';
import { afterAll, describe, expect, it } from 'vitest';
import { RandomWeights, type WeightSource } from '../../src/encoders/weight-source.ts';
import type { EncodedSteps, EncoderInput } from '../../src/features/form.ts';
import { buildEncoder } from '../../src/models/build-encoder.ts';
import { computeGraph } from '../../src/models/compute-dtype.ts';
import { computeGraphs } from '../../src/models/compute-graphs.ts';
import { DEFAULT_FEATURE_OPTIONS } from '../../src/models/feature-options.ts';
import type { BuiltConfig } from '../../src/models/model-config.ts';
import { findModelFiles } from '../../src/models/model-files.ts';
import { type EncoderModel, readModel } from '../../src/models/model-folder.ts';
import { prepareModel } from '../../src/models/prepare-model.ts';
import { sampleInputs } from '../../src/models/sample-inputs.ts';
import { makeTinyModel } from '../../src/models/tiny.ts';
import { LocalEncoder } from '../../src/run/encoder.ts';
import { compareSteps } from '../../src/run/fidelity.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-graphs-'));
afterAll(() => rmSync(folder, { recursive: true }));

const TEXTS = ['what are you doing here', 'oh my god', 'nothing at all, really', 'go away', 'why, when, how'];

/** Random weights, and layer norms that lift one channel far above the others, as those of pretrained encoders do. */
function lifted(): WeightSource {
  const random = new RandomWeights(3, (name, shape) =>
    name.endsWith('LayerNorm.weight')
      ? { mean: 1, sd: 0.1 }
      : { mean: 0, sd: name.includes('embeddings') ? 0.3 : 0.7 / Math.sqrt(shape.at(-1) ?? 1) },
  );
  return {
    tensor(name, shape) {
      const values = random.tensor(name, shape);
      if (name.endsWith('LayerNorm.bias')) values[5] = 12;
      return values;
    },
  };
}

function tinyText(name: string): EncoderModel {
  const model = makeTinyModel('random-tiny-roberta', join(folder, name), TEXTS);
  writeFileSync(model.graphPath, modelBytes(buildEncoder(model.config as BuiltConfig, lifted())));
  return model;
}

async function encoded(graph: string, model: EncoderModel): Promise<EncodedSteps[]> {
  const session = await createSession(graph, { device: 'cpu', threads: 1 });
  const all: EncodedSteps[] = [];
  for (const text of TEXTS) {
    const ids = model.tokenizer?.encode(text).ids as EncoderInput;
    const found = (await session.run(model.form.feeds([ids])))['last_hidden_state']?.data as Float32Array;
    all.push({ n: ids.length, values: found });
  }
  await session.release();
  return all;
}

describe('graphs of a model for int8', () => {
  it('keep what differs between steps where all have a large channel in common', async () => {
    const model = tinyText('lifted');
    const exact = await encoded(model.graphPath, model);
    const r2 = async (graph: string): Promise<number> =>
      compareSteps(exact, await encoded(graph, model), model.form.dim).r2?.median as number;
    const plain = await computeGraph(model.graphPath, 'int8');
    const without = await r2(plain);
    rmSync(plain);
    const [graph] = await computeGraphs(model, 'int8');
    expect(graph).toBe(plain);
    const found = await r2(plain);
    expect(1 - found).toBeLessThan(0.5 * (1 - without));
    expect(found).toBeGreaterThan(0.98);
  });

  it('are the same bytes when they are made again, and leave nothing behind', async () => {
    const made = [];
    for (const name of ['once', 'again']) {
      const model = tinyText(name);
      const [graph] = (await computeGraphs(model, 'int8')) as [string];
      made.push(readFileSync(graph));
      expect(readdirSync(dirname(graph)).filter((file) => file.includes('tmp'))).toEqual([]);
      expect(await computeGraphs(model, 'fp32')).toEqual([model.graphPath]);
    }
    expect(made[0]).toEqual(made[1]);
    expect(readdirSync(join(folder, 'once')).length).toBeGreaterThan(0);
  });

  it('that cannot be tried are told in one line, and leave nothing', async () => {
    const model = tinyText('narrow');
    const g = new Graph();
    g.input('input_ids', 'int64', ['batch', 'tokens']);
    const table = g.initializer('table', 'float32', [4, 64], new Float32Array(256));
    const weights = g.initializer('W', 'float32', [64, 64], new Float32Array(64 * 64));
    const rows = g.op('Gather', [table, 'input_ids']);
    g.output(g.op('MatMul', [rows, weights]), 'float32', ['batch', 'tokens', 64], 'last_hidden_state');
    await writeModel(g, model.graphPath);
    await expect(computeGraphs(model, 'int8')).rejects.toThrow(
      /model\.onnx cannot be made int8: the model has no input or output attention_mask/,
    );
    await expect(computeGraphs(model, 'int8')).rejects.toBeInstanceOf(UserError);
    expect(readdirSync(dirname(model.graphPath)).filter((file) => /tmp|int8/.test(file))).toEqual([]);
  });

  it('are measured through a chain, each graph with what the one before gives', async () => {
    const place = join(folder, 'described');
    mkdirSync(place);
    const [channels, width] = [64, 80];
    const random = new RandomWeights(5, () => ({ mean: 0, sd: 0.2 }));
    const first = new Graph('frames');
    const wave = first.input('x', 'float32', ['batch', 'samples']);
    const kernel = first.initializer(
      'K',
      'float32',
      [channels, 1, 100],
      random.tensor('K', [channels, 1, 100]),
    );
    const lift = first.initializer('lift', 'float32', [channels], new Float32Array(channels).fill(20, 3, 5));
    const frames = first.op('Conv', [first.op('Unsqueeze', [wave, first.int64([1])]), kernel, lift], {
      kernel_shape: [100],
      strides: [100],
    });
    first.output(
      first.op('Transpose', [frames], { perm: [0, 2, 1] }),
      'float32',
      ['batch', 'frames', channels],
      'frames',
    );
    await writeModel(first, join(place, 'frames.onnx'));
    const second = new Graph('numbers');
    const given = second.input('x', 'float32', ['batch', 'frames', channels]);
    const matrix = second.initializer(
      'W',
      'float32',
      [channels, width],
      random.tensor('W', [channels, width]),
    );
    second.output(second.op('MatMul', [given, matrix]), 'float32', ['batch', 'frames', width], 'numbers');
    await writeModel(second, join(place, 'numbers.onnx'));
    const description = {
      model_type: 'onnx',
      input: { kind: 'waveform', normalise: false, least: 100 },
      models: [
        { file: 'frames.onnx', inputs: { x: 'input' } },
        { file: 'numbers.onnx', inputs: { x: 'frames' } },
      ],
      output: 'numbers',
      layout: 'steps',
      dim: width,
      framesPerSecond: 160,
    };
    writeFileSync(join(place, 'lifted.json'), JSON.stringify(description));
    const files = findModelFiles(join(place, 'lifted.json'));
    const model = await prepareModel('lifted', files, join(folder, 'models'));
    const steps = async (compute: 'fp32' | 'int8'): Promise<EncodedSteps[]> => {
      const variant = readModel(model.folder, { ...DEFAULT_FEATURE_OPTIONS, compute });
      const encoder = await LocalEncoder.start([variant], { device: 'cpu', threads: 1 });
      const clip = (sampleInputs(model)[0] as Float32Array).map((value) => 20 * value);
      const [[found]] = (await encoder.encode(0, [clip], [0])) as [[EncodedSteps]];
      await encoder.close();
      return [found];
    };
    const { r2 } = compareSteps(await steps('fp32'), await steps('int8'), width);
    expect(r2?.tenth).toBeGreaterThan(0.99);
    const made = ModelFile.read(join(model.folder, 'numbers.int8-4.onnx'));
    expect(made.nodes.map(({ type }) => type)).toContain('Sub');
  });
});

describe('sample inputs', () => {
  it('are texts of the model or voices of two to four seconds, the same each time', () => {
    const model = tinyText('inputs');
    const texts = sampleInputs(model);
    expect(texts.length).toBe(16);
    expect(new Set(texts.map((ids) => ids.join())).size).toBe(16);
    const speech = makeTinyModel('random-tiny-wavlm', join(folder, 'speech'), TEXTS);
    const voices = sampleInputs(speech) as Float32Array[];
    expect(voices).toEqual(sampleInputs(speech));
    for (const voice of voices) {
      expect(voice.length / 16_000).toBeGreaterThan(1.5);
      expect(voice.length / 16_000).toBeLessThan(4);
      expect(Math.max(...voice)).toBeLessThan(1);
      expect(Math.max(...voice)).toBeGreaterThan(0.02);
    }
  });
});
