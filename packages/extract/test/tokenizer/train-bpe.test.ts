import { describe, expect, it } from 'vitest';
import { trainByteLevelBpe } from '../../src/tokenizer/train-bpe.ts';
import { golden } from '../support.ts';

const { corpus, merges } = golden('tokenizer/bpe.json') as { corpus: string[]; merges: string[] };

describe('trainByteLevelBpe', () => {
  it("finds the merges of Hugging Face's trainer", () => {
    expect(trainByteLevelBpe(corpus, 4 + 256 + 300 + 1).model.merges).toEqual(merges);
  });

  it('does not depend on the order of the texts', () => {
    const one = JSON.stringify(trainByteLevelBpe(corpus, 400));
    expect(JSON.stringify(trainByteLevelBpe([...corpus].reverse(), 400))).toBe(one);
  });

  it("lays the vocabulary out as RoBERTa's", () => {
    const { model, added_tokens: added } = trainByteLevelBpe(['aa aa'], 300);
    expect(model.merges).toEqual(['a a']); // 'Ġ aa' occurs once
    expect(model.vocab['aa']).toBe(260);
    expect(Object.keys(model.vocab)).toHaveLength(262);
    expect(added.map(({ content, id }) => [content, id])).toEqual([
      ['<s>', 0],
      ['<pad>', 1],
      ['</s>', 2],
      ['<unk>', 3],
      ['<mask>', 261],
    ]);
    expect(new Set(Object.values(model.vocab)).size).toBe(262);
  });

  it('refuses a vocabulary without room for the bytes', () => {
    expect(() => trainByteLevelBpe(['a'], 260)).toThrow(
      'vocabularySize is 260, expected an integer of at least 261',
    );
  });
});
