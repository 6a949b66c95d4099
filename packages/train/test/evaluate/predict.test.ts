import { describe, expect, it } from 'vitest';
import { Assembler } from '../../src/batches/assemble.ts';
import { planPass } from '../../src/batches/epoch.ts';
import { chooseShapes } from '../../src/batches/shapes.ts';
import { featureDims, joinFeatures } from '../../src/batches/source.ts';
import { argmax, predict, softmax } from '../../src/evaluate/predict.ts';
import { rows, tinySources } from '../support/tiny-experiment.ts';
import { TinyEngine, tinyHead } from '../support/tiny-head.ts';

const sources = tinySources();
const joined = joinFeatures(rows, sources);
const config = { modality: 'full', apc: 0.1, 'classifier.dropout': 0.5 };

function engineWith(scale: number): TinyEngine {
  const engine = new TinyEngine(config, featureDims(sources), 3);
  engine.parameters.forEach((_, i) => (engine.parameters[i] = scale * Math.sin(i + 1)));
  return engine;
}

async function predictions(batchShapes: number, items: number[], engine = engineWith(1)) {
  const shapes = chooseShapes(joined.lengths, { batchSize: 7, batchFrames: 500, batchShapes });
  const assembler = new Assembler(tinyHead, config, 3, joined, sources);
  return predict(engine, assembler, planPass(items, joined.lengths, shapes), joined, 3);
}

describe('predict', () => {
  it('answers in the order of the utterances, without dropout, whatever the padding', async () => {
    const items = [5, 40, 41, 42, 60, 88];
    const found = await predictions(1, items);
    expect(found.map((one) => one.id)).toEqual(items.map((i) => rows[i]?.id));
    expect(found.map((one) => one.label)).toEqual(items.map((i) => rows[i]?.label));
    const other = await predictions(4, items);
    found.forEach((one, i) => {
      one.probabilities.forEach((p, k) => expect(other[i]?.probabilities[k]).toBeCloseTo(p, 6));
      expect(one.probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
      expect(one.prediction).toBe(argmax(one.probabilities));
    });
  });

  it('gives an utterance alone what it gets among others', async () => {
    const all = await predictions(
      1,
      rows.map((_, i) => i),
    );
    const [alone] = await predictions(1, [17]);
    expect(alone).toEqual(all[17]);
  });

  it('stops on logits that are not finite', async () => {
    await expect(predictions(1, [3], engineWith(NaN))).rejects.toThrow(
      /^a logit is not finite; .*batch: demo\/u003/,
    );
  });
});

describe('softmax and argmax', () => {
  it('survives large logits, and takes the first on ties', () => {
    expect(softmax(new Float32Array([1000, 1000, -1000]))).toEqual([0.5, 0.5, 0]);
    expect(argmax([1, 3, 3])).toBe(1);
  });
});
