import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type FeatureSet, UserError, openFeatureSet, silent } from '@lsgmer/datasets';
import { Graph, modelBytes, writeModel } from '@lsgmer/onnx';
import { openCheckpoint } from '../../src/checkpoint/checkpoint.ts';
import { CheckpointWeights } from '../../src/checkpoint/checkpoint-weights.ts';
import { searchFfmpeg } from '../../src/decode/ffmpeg-binary.ts';
import { DEFAULT_DECODE_POLICY, type DecodePolicy } from '../../src/decode/policy.ts';
import type { EncodedSteps, EncoderInput } from '../../src/features/form.ts';
import { buildEncoder } from '../../src/models/build-encoder.ts';
import { findModelFiles } from '../../src/models/model-files.ts';
import type { EncoderModel } from '../../src/models/model-folder.ts';
import { parseModelRequest } from '../../src/models/model-request.ts';
import { parseConfig, readJson } from '../../src/models/parse-config.ts';
import { prepareModel } from '../../src/models/prepare-model.ts';
import { prepareModels } from '../../src/models/presets.ts';
import { LocalEncoder } from '../../src/run/encoder.ts';
import { extractFeatures } from '../../src/run/extract.ts';
import { trainByteLevelBpe } from '../../src/tokenizer/train-bpe.ts';
import { makeCorpus } from '../run/corpus.ts';
import { goldenPath, largestError } from '../support.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-onnx-'));
afterAll(() => rmSync(folder, { recursive: true }));
const models = join(folder, 'models');
const tokenizer = JSON.stringify(trainByteLevelBpe(['a few words'], 262));

async function encode(model: EncoderModel, input: EncoderInput): Promise<EncodedSteps> {
  const encoder = await LocalEncoder.start([model], { device: 'cpu', threads: 1 });
  try {
    const [[steps]] = (await encoder.encode(0, [input], [0])) as [[EncodedSteps]];
    return steps;
  } finally {
    await encoder.close();
  }
}

let cases = 0;
/** An encoder of two graphs: energies of 100 samples, then two numbers of each; its weights lie beside the second. */
async function describedEncoder(change: object = {}): Promise<string> {
  const place = join(folder, `case${cases++}`);
  mkdirSync(place);
  const first = new Graph('frames');
  const wave = first.input('wave', 'float32', ['batch', 1, 'samples']);
  const mask = first.input('valid', 'bool', ['batch', 'samples']);
  const kept = first.op('Where', [first.op('Unsqueeze', [mask, first.int64([1])]), wave, first.scalar(0)]);
  const ones = first.constant('float32', [1, 1, 100], new Float32Array(100).fill(1));
  const energies = first.op('Conv', [first.op('Mul', [kept, kept]), ones], {
    kernel_shape: [100],
    strides: [100],
  });
  first.output(energies, 'float32', ['batch', 1, 'frames'], 'energies');
  writeFileSync(join(place, 'frames.onnx'), modelBytes(first));
  const second = new Graph('numbers');
  const given = second.input('energies', 'float32', ['batch', 1, 'frames']);
  writeFileSync(join(place, 'numbers.data'), new Uint8Array(Float32Array.of(2, -3).buffer));
  const factors = second.initializer('factors', 'float32', [1, 2, 1], {
    location: 'numbers.data',
    offset: 0,
    length: 8,
  });
  second.output(second.op('Mul', [given, factors]), 'float32', ['batch', 2, 'frames'], 'numbers');
  await writeModel(second, join(place, 'numbers.onnx'));
  const description = {
    model_type: 'onnx',
    input: { kind: 'waveform', normalise: false, least: 100 },
    models: [
      { file: 'frames.onnx', inputs: { wave: 'input', valid: 'mask' } },
      { file: 'numbers.onnx', inputs: { energies: 'energies' } },
    ],
    output: 'numbers',
    layout: 'dim',
    dim: 2,
    framesPerSecond: 160,
    ...change,
  };
  writeFileSync(join(place, 'energy.json'), JSON.stringify(description));
  return join(place, 'energy.json');
}

const prepare = async (path: string): Promise<EncoderModel> =>
  prepareModel('energy', findModelFiles(path), models);

describe('a described ONNX encoder', () => {
  it('runs a chain of graphs with external data', async () => {
    const model = await prepare(await describedEncoder());
    expect(model.features[0]).toMatchObject({ dim: 2, stepSeconds: 1 / 160, firstSeconds: 1 / 320 });
    const clip = Float32Array.from({ length: 330 }, (_, i) => (i < 100 ? 0.1 : 0.2));
    const { n, values } = await encode(model, clip);
    expect(n).toBe(3);
    // 100 samples of 0.1 have an energy of 1, of 0.2 one of 4.
    expect([...values].map((value) => value.toFixed(4))).toEqual([
      '2.0000',
      '-3.0000',
      '8.0000',
      '-12.0000',
      '8.0000',
      '-12.0000',
    ]);
    // Another file name is the same encoder, another weight another one.
    const weights = (made: EncoderModel): unknown => made.features[0]?.computation['weights'];
    const again = await describedEncoder();
    expect((await prepare(again)).features[0]?.computation).toEqual(model.features[0]?.computation);
    writeFileSync(again.replace('energy.json', 'numbers.data'), new Uint8Array(Float32Array.of(2, 5).buffer));
    expect(weights(await prepare(again))).not.toBe(weights(model));
  });

  it('is refused where it does not do what it says', async () => {
    const refused = async (change: object): Promise<string> =>
      prepare(await describedEncoder(change)).then(
        () => 'taken',
        (error: unknown) => (error instanceof UserError ? error.message : `no user error: ${String(error)}`),
      );
    expect(await refused({ dim: 3 })).toMatch(
      /it fails on a trial: numbers has shape \[2, 2, 320\], expected \[batch, 3, steps\]/,
    );
    expect(await refused({ framesPerSecond: 50 })).toMatch(/give 320 steps, expected about 100/);
    expect(await refused({ output: 'nothing' })).toMatch(/gives energies, numbers, expected nothing/);
    expect(await refused({ framesPerSecond: undefined })).toMatch(/"framesPerSecond": missing/);
    expect(
      await refused({ models: [{ file: 'frames.onnx', inputs: { wave: 'input' } }], output: 'energies' }),
    ).toMatch(/frames\.onnx has the inputs wave, valid, but nothing is said of valid/);
    expect(await refused({ models: [{ file: 'numbers.onnx', inputs: { energies: 'energies' } }] })).toMatch(
      /energies is to be fed with energies, which is neither input, mask or zeros nor an output of an earlier graph/,
    );
    expect(await refused({ models: [{ file: 'gone.onnx', inputs: {} }] })).toMatch(
      /gone\.onnx does not exist/,
    );
    // At another rate than the graphs are made for its frames do not come as they should.
    expect(await refused({ input: { kind: 'waveform', rate: 8000, least: 100 } })).toMatch(
      /give 160 steps, expected about 320/,
    );
    for (const rate of [0, 22_050.5, 1e6])
      expect(await refused({ input: { kind: 'waveform', rate } })).toMatch(/energy\.json: "input\.rate"/);
    const mel = { kind: 'log-mel', bands: 4, window: 64, hop: 32, fftSize: 64, log: 'ln' };
    expect(await refused({ input: { ...mel, rate: 8000, highest: 6000 } })).toMatch(
      /energy\.json: "input\.highest": above half the rate/,
    );
    expect(await refused({ colour: 1 })).toMatch(/colour/);
    const lacking = await describedEncoder();
    rmSync(lacking.replace('energy.json', 'numbers.data'));
    await expect(prepare(lacking)).rejects.toThrow(
      /numbers\.data, in which weights of .*numbers\.onnx lie, is missing/,
    );
  });
});

const { found: ffmpeg } = await searchFfmpeg();
if (ffmpeg === undefined) process.stderr.write('skipped: no ffmpeg, so that nothing is resampled\n');

describe.skipIf(ffmpeg === undefined)('encoders at several rates', () => {
  const RATES = [8000, 16_000, 24_000, 44_100];
  const root = join(folder, 'corpus');
  const extract = async (policy: DecodePolicy): Promise<FeatureSet[]> => {
    const encoders = [];
    for (const rate of RATES) {
      const path = await describedEncoder({
        input: { kind: 'waveform', rate, least: 100 },
        framesPerSecond: rate / 100,
      });
      encoders.push(await prepareModel(`energy${rate}`, findModelFiles(path), models));
    }
    const store = join(folder, `store${cases++}`);
    const utterances = makeCorpus(root, [16_000, 12_345, 5000]);
    const common = {
      dataset: 'toy',
      root,
      utterances,
      store,
      policy,
      models: encoders,
      dtype: 'float32',
    } as const;
    const sets = await extractFeatures({ ...common, device: 'cpu', threads: 1, encoders: 'inside' });
    return sets.map(({ feature }) => openFeatureSet({ stores: [store], dataset: 'toy', feature }));
  };

  it('each get the recordings at their own, in one run, and their fingerprints say so', async () => {
    const sets = await extract(DEFAULT_DECODE_POLICY);
    expect(new Set(sets.map(({ fingerprint }) => fingerprint)).size).toBe(RATES.length);
    for (const [i, set] of sets.entries()) {
      const rate = RATES[i] as number;
      expect(set.spec.computation).toMatchObject({
        decode: { sampleRate: rate },
        encoder: { input: { rate } },
      });
      expect([set.spec.firstSeconds, set.spec.stepSeconds]).toEqual([50 / rate, 100 / rate]);
      for (const name of ['u000', 'u001', 'u002']) {
        const { n, values } = set.read(`toy/${name}`);
        const samples = resampled(join(root, 'wav', `${name}.wav`), rate);
        const energies = Array.from({ length: Math.floor(samples.length / 100) }, (_, frame) =>
          samples.subarray(100 * frame, 100 * frame + 100).reduce((sum, x) => sum + x * x, 0),
        );
        expect(n, `${name} at ${rate}`).toBe(energies.length);
        const expected = energies.flatMap((energy) => [2 * energy, -3 * energy]);
        const error = largestError(values, expected) / Math.max(...expected);
        expect(error, `${name} at ${rate}`).toBeLessThan(1e-6);
      }
      set.close();
    }
  });

  it('cut long clips into pieces at their own, too', async () => {
    const { length } = DEFAULT_DECODE_POLICY;
    const sets = await extract({ channels: 'downmix', length });
    const pieces = await extract({
      channels: 'downmix',
      length: { maxSeconds: 0.3, over: 'chunk', overlapSeconds: 0.1 },
    });
    for (const [i, set] of sets.entries()) {
      const [whole, joined] = [set.read('toy/u000'), (pieces[i] as FeatureSet).read('toy/u000')];
      expect(joined.n).toBe(whole.n);
      expect(largestError(joined.values, whole.values)).toBe(0);
      set.close();
      pieces[i]?.close();
    }
  });
});

/** As ffmpeg resamples by itself. */
function resampled(path: string, rate: number): Float32Array {
  const args = ['-nostdin', '-v', 'error', '-i', path, '-ar', String(rate), '-ac', '1', '-f', 'f32le', '-'];
  const { stdout } = spawnSync(ffmpeg?.path as string, args, { maxBuffer: 2 ** 26 });
  return new Float32Array(new Uint8Array(stdout).buffer);
}

/** A folder as Hugging Face's exporter leaves it. */
async function exported(name: string, change: (graph: Graph) => void = () => {}): Promise<string> {
  const place = join(folder, `export${cases++}`);
  cpSync(goldenPath(`checkpoints/${name}`), place, { recursive: true });
  writeFileSync(join(place, 'tokenizer.json'), tokenizer);
  const config = parseConfig(readJson(join(place, 'config.json')), name);
  if (config.model_type === 'onnx') throw new Error('no configuration of weights');
  const checkpoint = await openCheckpoint([join(place, 'model.safetensors')]);
  const graph = buildEncoder(config, new CheckpointWeights(checkpoint, config.model_type));
  change(graph);
  mkdirSync(join(place, 'onnx'));
  writeFileSync(join(place, 'onnx', 'model.onnx'), modelBytes(graph));
  return place;
}

describe('a ready-made export', () => {
  it('is fed at the rate that its preprocessor_config.json names', async () => {
    const place = await exported('hubert-layer');
    writeFileSync(
      join(place, 'preprocessor_config.json'),
      JSON.stringify({ do_normalize: false, sampling_rate: 8000 }),
    );
    for (const path of [place, join(place, 'onnx', 'model.onnx')]) {
      const { form, features } = await prepareModel('x', findModelFiles(path), models);
      expect(form.sampleRate).toBe(8000);
      expect(features[0]?.stepSeconds).toBeCloseTo(2 * (320 / 16_000), 12);
    }
  });

  it.each(['roberta', 'hubert-layer'])('of %s gives what the weights give', async (name) => {
    const place = await exported(name);
    const [built, ready] = [
      await prepareModel('x', findModelFiles(place), models),
      await prepareModel('x', findModelFiles(join(place, 'onnx', 'model.onnx')), models),
    ];
    const input =
      name === 'roberta'
        ? Int32Array.of(0, 17, 42, 5, 2)
        : Float32Array.from({ length: 5000 }, (_, i) => Math.sin(i * i * 1e-3));
    const [a, b] = [await encode(built, input), await encode(ready, input)];
    expect(b.n).toBe(a.n);
    expect(largestError(b.values, a.values)).toBeLessThan(1e-5);
    const times = ({
      firstSeconds,
      stepSeconds,
    }: {
      firstSeconds: number | null;
      stepSeconds: number | null;
    }) => [firstSeconds, stepSeconds];
    expect(times(ready.features[0] as never)).toEqual(times(built.features[0] as never));
  });

  it('of logits is refused, with the reason', async () => {
    const place = await exported('roberta', (graph) => {
      const output = graph.outputs[0] as { name: string };
      graph.op('Identity', [output.name], {}, 'logits');
      output.name = 'logits';
    });
    const refused = prepareModel('x', findModelFiles(join(place, 'onnx', 'model.onnx')), models);
    await expect(refused).rejects.toThrow(
      /gives logits, expected last_hidden_state: it is the export of a whole model with its head/,
    );
    await expect(refused).rejects.toThrow(UserError);
  });

  it('without a configuration has to be described', async () => {
    const place = await exported('roberta');
    rmSync(join(place, 'config.json'));
    expect(() => findModelFiles(join(place, 'onnx', 'model.onnx'))).toThrow(
      /no config\.json lies beside it or one folder up/,
    );
  });
});

describe('log-mel', () => {
  it('is a feature of its own', async () => {
    const [model] = await prepareModels([parseModelRequest('mel=log-mel')], {
      places: { cache: folder, endpoint: '', offline: true, models, torchCache: folder },
      tinyModels: folder,
      texts: [],
      reporter: silent,
    });
    expect(model?.features[0]).toMatchObject({ name: 'mel', dim: 128, firstSeconds: 0, stepSeconds: 0.01 });
    // Another digest makes every feature set a new one.
    expect(model?.features[0]?.computation['weights']).toMatch(/^[0-9a-f]{64}$/);
    const { n, values } = await encode(
      model as EncoderModel,
      Float32Array.from({ length: 8000 }, (_, i) => Math.sin(0.3 * i)),
    );
    expect(n).toBe(51);
    expect(values.reduce((most, value) => Math.max(most, value), 0)).toBe(1);
  });
});
