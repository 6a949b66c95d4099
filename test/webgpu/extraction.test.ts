import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Utterance, openFeatureSet, silent } from '@lsgmer/datasets';
import { Graph, modelBytes } from '@lsgmer/onnx/runtime';
import { findModelFiles } from '../../packages/extract/src/models/model-files.ts';
import { prepareModel } from '../../packages/extract/src/models/prepare-model.ts';
import { TINY_NAMES, makeTinyModel } from '../../packages/extract/src/models/tiny.ts';
import { type ExtractedSet, extractFeatures } from '../../packages/extract/src/run/extract.ts';
import type { ExtractOptions } from '../../packages/extract/src/run/extract-options.ts';
import { makeCorpus } from '../../packages/extract/test/run/corpus.ts';
import { largestError } from '../../packages/extract/test/support.ts';
import { DEVICE, SOFTWARE, TOLERANCE } from './device.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-device-extraction-'));
afterAll(() => rmSync(folder, { recursive: true }));

const compiled = (name: string): string => resolve(`packages/extract/dist/run/${name}.js`);
/** In processes of their own, as the command line has them. */
const encoders = { entry: compiled('encoder-process'), sinkEntry: compiled('sink-thread') };

let utterances: Utterance[];
let said: string[] = [];

beforeAll(() => {
  // Equal lengths go in one batch.
  utterances = makeCorpus(folder, [8000, 8000, 8000, 12_345, 16_000, 5200, 5300, 399]);
});

const run = (
  models: ExtractOptions['models'],
  device: 'cpu' | typeof DEVICE,
  store: string,
): Promise<ExtractedSet[]> => {
  said = [];
  const note = (text: string): void => void said.push(text);
  return extractFeatures({
    dataset: 'toy',
    root: folder,
    utterances,
    models,
    store: join(folder, store),
    device,
    dtype: 'float32',
    threads: 1,
    encoders,
    reporter: { ...silent, info: note, warn: note },
  });
};

describe(`extraction on ${DEVICE}`, () => {
  it("stores the CPU's features, and says how near they are", async () => {
    const texts = utterances.map(({ text }) => text);
    const models = TINY_NAMES.map((name) => makeTinyModel(name, join(folder, 'models'), texts));
    const sets = await run(models, DEVICE, DEVICE);
    expect(sets.map(({ computed, quarantined }) => [computed, quarantined])).toEqual(sets.map(() => [8, []]));
    const checks = said.filter((text) => text.includes(`on ${DEVICE} against the CPU: cosine 1.00000`));
    expect(checks).toHaveLength(3);
    const cpu = await run(models, 'cpu', 'cpu');
    expect(said.filter((text) => text.includes('against the CPU'))).toEqual([]);
    for (const [i, { feature, fingerprint }] of sets.entries()) {
      expect(cpu[i]?.fingerprint).toBe(fingerprint);
      const [found, expected] = [DEVICE, 'cpu'].map((store) =>
        openFeatureSet({ stores: [join(folder, store)], dataset: 'toy', feature }),
      );
      for (const { id } of utterances)
        expect(
          largestError(found?.read(id).values ?? [], expected?.read(id).values ?? [0]),
          `${feature} of ${id}`,
        ).toBeLessThan(TOLERANCE);
    }
  });

  // How much a GPU holds is its own matter; this driver takes tensors of about 1.8 GiB.
  it.skipIf(!SOFTWARE)('goes on in smaller batches where one does not fit', async () => {
    const place = join(folder, 'greedy');
    mkdirSync(place);
    const graph = new Graph('greedy');
    graph.input('wave', 'float32', ['batch', 'samples']);
    const frames = graph.op(
      'Conv',
      [
        graph.op('Unsqueeze', ['wave', graph.int64([1])]),
        graph.constant(
          'float32',
          [2, 1, 400],
          Float32Array.from({ length: 800 }, (_, i) => Math.sin(i)),
        ),
      ],
      { strides: [400], kernel_shape: [400] },
    ); // [B, 2, m]
    // Half a gigabyte for each second of sound that nothing needs.
    const wide = graph.op('Expand', [
      graph.op('Unsqueeze', ['wave', graph.int64([2])]),
      graph.int64([1, 1, 16_384]),
    ]); // [B, n, 16384]
    const corner = graph.op('Slice', [wide, graph.int64([0, 0]), graph.int64([1, 1]), graph.int64([1, 2])]); // [B, 1, 1]
    const nothing = graph.op('Mul', [corner, graph.scalar(0)]);
    graph.output(graph.op('Add', [frames, nothing]), 'float32', ['batch', 2, 'frames'], 'frames');
    writeFileSync(join(place, 'greedy.onnx'), modelBytes(graph));
    const description = {
      model_type: 'onnx',
      input: { kind: 'waveform', normalise: false, least: 400 },
      models: [{ file: 'greedy.onnx', inputs: { wave: 'input' } }],
      output: 'frames',
      layout: 'dim',
      dim: 2,
      framesPerSecond: 40,
    };
    writeFileSync(join(place, 'greedy.json'), JSON.stringify(description));
    const model = await prepareModel(
      'greedy',
      findModelFiles(join(place, 'greedy.json')),
      join(folder, 'models'),
    );
    utterances = makeCorpus(folder, [8000, 8000, 8000, 8000]);
    const [set] = await run([model], DEVICE, 'greedy-store');
    expect(
      said.filter((text) =>
        /greedy: no memory for \d+ utterances at once, going on with \d at most/.test(text),
      ),
    ).not.toEqual([]);
    expect([set?.computed, set?.quarantined]).toEqual([4, []]);
  });
});
