import { tf } from '@lsgmer/onnx';
import * as ort from 'onnxruntime-web';
import { describe, expect, it } from 'vitest';
import { namedStandards } from '../../src/batches/standards.ts';
import type { RunEntry } from '../../src/catalogue/run-entry.ts';
import { trainerConfig, trainerOptions } from '../../src/config/trainer-options.ts';
import type { Head, HeadConfig, HostBatch } from '../../src/head/contract.ts';
import { headByName } from '../../src/head/registry.ts';
import { lsgmer } from '../../src/head/lsgmer.ts';
import { compareExport, exportHead } from '../../src/trained/export-head.ts';
import type { TrainedHead } from '../../src/trained/trained-head.ts';
import {
  about,
  cases,
  goldenBatch,
  goldenDims,
  goldenParameters,
  largestDifference,
  type GoldenCase,
  type Padding,
} from '../support/head-golden.ts';
import { withEngine } from '../support/head-engines.ts';
import { otherCases } from '../support/other-golden.ts';

/** A head with the golden case's parameters, as a run would hold it. */
export function trainedOf(head: Head, entry: GoldenCase): TrainedHead {
  const flat = goldenParameters(entry);
  let at = 0;
  const tensors = Object.fromEntries(
    entry.parameters.map(([name, shape]) => {
      const size = shape.reduce((a, b) => a * b, 1);
      at += size;
      return [name, { shape, values: flat.slice(at - size, at) }];
    }),
  );
  const config: HeadConfig = Object.fromEntries(
    head.options.map(({ key, default: usual }) => [key, entry.config[key] ?? usual]),
  );
  return {
    run: { id: 'golden', identity: {} } as unknown as RunEntry,
    rule: 'last',
    epoch: '1',
    head,
    config,
    trainer: trainerConfig(Object.fromEntries(trainerOptions.map((one) => [one.key, one.default]))),
    classes: ['a', 'b', 'c', 'd'],
    tensors,
    standards: undefined,
  };
}

/** Batches of the golden rows: as they are; padded, with numbers in the padding; one utterance of one token alone. */
const SHAPES: readonly { readonly padding: Padding; readonly rows?: number[]; readonly absent?: boolean }[] =
  [
    { padding: {} },
    { padding: { rows: 2, text: 9, audio: 31, map: 4, junk: 2 } },
    { padding: { text: -5, audio: -4, map: -2 }, rows: [1] },
    { padding: { audio: 3 }, absent: true },
  ];

function batchesOf(head: Head, entry: GoldenCase): HostBatch[] {
  return SHAPES.map(({ padding, rows, absent }) => {
    const batch = goldenBatch(entry.config, padding, rows, head);
    // row 0 without text, row 1 without audio
    if (absent === true) {
      batch.feeds['textMask']?.fill(0, 0, batch.shape.text);
      batch.feeds['audioMask']?.fill(0, batch.shape.audio, 2 * batch.shape.audio);
    }
    return batch;
  });
}

async function difference(head: Head, entry: GoldenCase): Promise<number> {
  const trained = trainedOf(head, entry);
  const { model, inputs } = exportHead(trained, goldenDims);
  return withEngine(
    'traced',
    entry,
    async (engine) => {
      const batches = [];
      for (const batch of batchesOf(head, entry)) {
        const { logits } = await engine.forward(batch);
        batches.push({ batch, logits: logits.slice(0, batch.ids.length * about.classes) });
      }
      return compareExport(model, inputs, batches);
    },
    head,
  );
}

/** Cases that differ in what the forward pass computes. */
const forward = <C extends GoldenCase>(list: readonly C[]): C[] =>
  list.filter(
    ({ name, loss }) =>
      loss !== undefined && !/^(apc|loss)\.|^no-(ma|joo)$|dropout=|focal$|^heads=8|^d=8/.test(name),
  );

describe('an exported head, on batches of any size, says what the engine says', () => {
  it.each(forward(cases).map((entry) => [entry.name, entry] as const))('lsgmer: %s', async (_, entry) => {
    expect(await difference(lsgmer, entry)).toBeLessThan(1e-5);
  });

  it.each(forward(otherCases).map((entry) => [entry.name, entry] as const))('%s', async (_, entry) => {
    const head = headByName(entry.head);
    expect(await difference(head, entry)).toBeLessThan(1e-5);
  });
});

describe('in onnxruntime-web, another build of the runtime', () => {
  it.each([
    ['default', lsgmer, cases],
    ['label.reduce=concat', lsgmer, cases],
    ['le-mer: default', headByName('le-mer'), otherCases],
  ] as const)('%s: the same logits', async (name, head, list) => {
    const entry = list.find((one) => one.name === name) as GoldenCase;
    const { model, inputs } = exportHead(trainedOf(head, entry), goldenDims);
    ort.env.wasm.numThreads = 1;
    const session = await ort.InferenceSession.create(model);
    await withEngine(
      'eager',
      entry,
      async (engine) => {
        for (const batch of batchesOf(head, entry)) {
          const { rows, text, audio, map } = batch.shape;
          const sizes: { readonly [name: string]: number } = {
            rows,
            tokens: text,
            frames: audio,
            steps: map,
          };
          const feeds = Object.fromEntries(
            inputs.map(({ name, shape }) => [
              name,
              new ort.Tensor(
                'float32',
                batch.feeds[name] as Float32Array,
                shape.map((dim) => (typeof dim === 'string' ? (sizes[dim] as number) : dim)),
              ),
            ]),
          );
          const results = await session.run(feeds);
          const { logits } = await engine.forward(batch);
          const real = batch.ids.length * about.classes;
          const values = (name: string): Float32Array => results[name]?.data as Float32Array;
          const found = values('logits').subarray(0, real);
          expect(largestDifference(found, logits.subarray(0, real))).toBeLessThan(1e-5);
          const p = values('probabilities').subarray(0, about.classes);
          expect(p.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
        }
      },
      head,
    );
    await session.release();
  });
});

describe('an export', () => {
  it('names its open sizes, and has nothing that serves training only', () => {
    const { inputs } = exportHead(trainedOf(lsgmer, cases[0] as GoldenCase), goldenDims);
    expect(inputs.map(({ name, shape }) => `${name} [${shape.join(',')}]`)).toEqual([
      'text [rows,tokens,6]',
      'textMask [rows,tokens]',
      'audio [rows,frames,5]',
      'audioMask [rows,frames]',
      'map [rows,steps,14]',
      'mapPosition [rows,frames]',
    ]);
    expect(inputs.every((input) => input.meaning.length > 10)).toBe(true);
  });

  it('standardises inside the model, where the run did', async () => {
    const entry = cases[0] as GoldenCase;
    const trained = trainedOf(lsgmer, entry);
    const named = {
      'standardise.text.mean': new Float32Array(6).fill(0.5),
      'standardise.text.sd': new Float32Array(6).fill(2),
    };
    const exported = exportHead({ ...trained, standards: namedStandards(named) }, goldenDims);
    await withEngine('traced', entry, async (engine) => {
      const plain = goldenBatch(entry.config);
      const text = plain.feeds['text'] as Float32Array;
      const moved = { ...plain, feeds: { ...plain.feeds, text: text.map((x) => (x - 0.5) / 2) } };
      const { logits } = await engine.forward(moved);
      expect(await compareExport(exported.model, exported.inputs, [{ batch: plain, logits }])).toBeLessThan(
        1e-5,
      );
      const other = (await engine.forward(plain)).logits;
      expect(largestDifference(other, logits)).toBeGreaterThan(0.01);
    });
  });

  it('of a head whose graph depends on lengths in its own way is refused', () => {
    const odd: Head = {
      ...lsgmer,
      forward: (parameters, batch, config, training) => {
        const output = lsgmer.forward(parameters, batch, config, training);
        const steps = (batch['text'] as { shape: number[] }).shape[1] as number;
        return { ...output, logits: tf.mul(output.logits, Math.log(steps)) };
      },
    };
    expect(() => exportHead({ ...trainedOf(lsgmer, cases[0] as GoldenCase), head: odd }, goldenDims)).toThrow(
      /is no product of sizes/,
    );
  });
});
