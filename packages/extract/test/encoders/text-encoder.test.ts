import { createSession, modelBytes } from '@lsgmer/onnx';
import { describe, expect, it } from 'vitest';
import { type TextConfig, maxTokens } from '../../src/encoders/text-config.ts';
import { buildTextEncoder } from '../../src/encoders/text-encoder.ts';
import { golden, largestError } from '../support.ts';
import { goldenWeights } from './seeded.ts';

const { config, seed, batches } = golden('encoders/roberta.json') as {
  config: TextConfig;
  seed: number;
  batches: { ids: number[][]; hidden: number[][] }[];
};

describe('buildTextEncoder', () => {
  it("gives the hidden states of Hugging Face's RobertaModel, ragged batches included", async () => {
    const session = await createSession(modelBytes(buildTextEncoder(config, goldenWeights(seed))), {
      device: 'cpu',
      threads: 1,
    });
    for (const { ids, hidden } of batches) {
      const longest = Math.max(...ids.map((row) => row.length));
      const shape = [ids.length, longest];
      const padded = ids.flatMap((row) => [
        ...row,
        ...Array.from({ length: longest - row.length }, () => config.pad_token_id),
      ]);
      const mask = ids.flatMap((row) =>
        Array.from({ length: longest }, (_, i) => (i < row.length ? 1n : 0n)),
      );
      const { last_hidden_state: out = { data: new Float32Array(), shape: [] } } = await session.run({
        input_ids: { data: BigInt64Array.from(padded, BigInt), shape },
        attention_mask: { data: BigInt64Array.from(mask), shape },
      });
      expect(out.shape).toEqual([...shape, config.hidden_size]);
      ids.forEach((row, i) => {
        const from = i * longest * config.hidden_size;
        const found = (out.data as Float32Array).subarray(from, from + row.length * config.hidden_size);
        expect(largestError(found, hidden[i] ?? [])).toBeLessThan(1e-5);
      });
    }
    await session.release();
  });

  it('has room for 512 tokens in the base size', () => {
    expect(maxTokens({ ...config, max_position_embeddings: 514, pad_token_id: 1 })).toBe(512);
    expect(maxTokens(config)).toBe(38);
    expect(Math.max(...batches.flatMap(({ ids }) => ids.map((row) => row.length)))).toBe(38);
  });
});
