import { describe, expect, it } from 'vitest';
import { UserError } from '@lsgmer/datasets';
import { TextTokenizer } from '../../src/tokenizer/text-tokenizer.ts';
import { trainByteLevelBpe } from '../../src/tokenizer/train-bpe.ts';
import { golden, sharedData } from '../support.ts';

interface Row {
  readonly text: string;
  readonly ids: number[];
  readonly offsets: [number, number][];
}

/** Hugging Face counts code points, we count UTF-16 units. */
function utf16Offsets(row: Row): number[] {
  const units = [0];
  for (const character of row.text) units.push((units.at(-1) as number) + character.length);
  return row.offsets.flatMap(([start, end]) => [units[start] as number, units[end] as number]);
}

const folder = sharedData('tokenizer_roberta/tokenizer.json');

describe.skipIf(folder === undefined)("roberta-base's tokenizer", () => {
  const tokenizer = folder === undefined ? undefined : TextTokenizer.read(folder, 512);

  it('gives the documented ids', () => {
    expect([...(tokenizer?.encode('Test sentence with <mask>.').ids ?? [])]).toEqual([
      0, 34603, 3645, 19, 50264, 4, 2,
    ]);
  });

  it('agrees with Hugging Face tokenizers on 500 texts, ids and offsets', () => {
    const rows = golden('tokenizer/roberta.json') as Row[];
    expect(rows.length).toBe(500);
    for (const row of rows) {
      const encoded = tokenizer?.encode(row.text);
      expect({ text: row.text, ids: [...(encoded?.ids ?? [])] }).toEqual({ text: row.text, ids: row.ids });
      expect({ text: row.text, spans: [...(encoded?.spans ?? [])] }).toEqual({
        text: row.text,
        spans: utf16Offsets(row),
      });
    }
  });

  it('keeps the closing token when it truncates', () => {
    const short = TextTokenizer.read(folder as string, 6).encode('one two three four five six seven');
    const whole = tokenizer?.encode('one two three four five six seven').ids as Int32Array;
    expect([...short.ids]).toEqual([...whole.slice(0, 5), 2]);
    expect([short.spans.at(-2), short.spans.at(-1)]).toEqual([0, 0]);
  });
});

describe('a tokenizer trained here', () => {
  const tokenizer = new TextTokenizer(JSON.stringify(trainByteLevelBpe(['so so glad', 'so sad'], 270)), 20);

  it('puts every text back together from its spans', () => {
    const text = 'so 😀 glad, Łódź';
    const { ids, spans } = tokenizer.encode(text);
    expect(ids[0]).toBe(0);
    expect(ids.at(-1)).toBe(2);
    expect(text.slice(spans[2], spans[3])).toBe('so');
    const glad = text.indexOf('glad');
    const at = [...spans].findIndex((value, i) => i % 2 === 0 && value === glad);
    expect(at).toBeGreaterThan(0);
    // The four bytes of the emoji were never merged: each of their tokens covers both UTF-16 units.
    const emoji = [...spans].flatMap((value, i) => (i % 2 === 0 && value === 3 ? [spans[i + 1]] : []));
    expect(emoji.filter((end) => end === 5)).toHaveLength(4);
  });

  it('encodes the empty text as its two special tokens', () => {
    expect([...tokenizer.encode('').ids]).toEqual([0, 2]);
  });
});

describe('a file that is no tokenizer', () => {
  it('is refused with one line, when it is needed', () => {
    const check = (json: string) => () => new TextTokenizer(json, 10, 'x/tokenizer.json').check();
    expect(check('{"model": 1}')).toThrow(UserError);
    expect(check('not json')).toThrow(/^x\/tokenizer\.json: not a tokenizer/);
    expect(() => TextTokenizer.read('/nowhere/tokenizer.json', 10)).toThrow(/cannot be read/);
    const words = { ...trainByteLevelBpe(['a b'], 261), pre_tokenizer: { type: 'Whitespace' } };
    expect(check(JSON.stringify(words))).toThrow(/expected a byte-level tokenizer/);
  });
});
