import { describe, expect, it } from 'vitest';
import { UserError } from '@lsgmer/datasets';
import { openTokenizer } from '../../src/tokenizer/library-tokenizer.ts';
import { TextTokenizer } from '../../src/tokenizer/text-tokenizer.ts';
import { golden } from '../support.ts';

/** Text, ids, and start and end of each token in code points. */
type Row = [string, number[], number[]];
interface Family {
  readonly tokenizer: { readonly [key: string]: unknown };
  readonly rows: Row[];
  readonly split?: { readonly pre_tokenizer: unknown; readonly rows: Row[] };
}

function utf16(text: string, offsets: readonly number[]): number[] {
  const units = [0];
  for (const character of text) units.push((units.at(-1) as number) + character.length);
  return offsets.map((at) => units[at] as number);
}

function compare(tokenizer: object, rows: readonly Row[]): void {
  const text = new TextTokenizer(JSON.stringify(tokenizer), 512);
  expect(rows).toHaveLength(500);
  for (const [sentence, ids, offsets] of rows) {
    const encoded = text.encode(sentence);
    expect({ sentence, ids: [...encoded.ids] }).toEqual({ sentence, ids });
    expect({ sentence, spans: [...encoded.spans] }).toEqual({ sentence, spans: utf16(sentence, offsets) });
  }
}

describe("Hugging Face's tokenizers on 500 texts, ids and offsets", () => {
  it.each(['wordpiece', 'wordpiece-cased', 'unigram'])('%s', (name) => {
    const { tokenizer, rows } = golden(`tokenizer/${name}.json`) as Family;
    compare(tokenizer, rows);
  });

  it('unigram with words cut at white space', () => {
    const { tokenizer, split } = golden('tokenizer/unigram.json') as Family;
    const [table] = (tokenizer['normalizer'] as { normalizers: object[] }).normalizers;
    compare({ ...tokenizer, normalizer: table, pre_tokenizer: split?.pre_tokenizer }, split?.rows ?? []);
  });
});

describe('openTokenizer', () => {
  it('refuses other kinds, and says what it found', () => {
    const { tokenizer } = golden('tokenizer/wordpiece.json') as Family;
    const open = (change: object) => () =>
      openTokenizer(JSON.stringify({ ...tokenizer, ...change }), 'x/tokenizer.json');
    expect(open({ pre_tokenizer: { type: 'Whitespace' } })).toThrow(UserError);
    expect(open({ pre_tokenizer: { type: 'Whitespace' } })).toThrow(
      'found {"model":"WordPiece","normalizer":["BertNormalizer"],"pre_tokenizer":["Whitespace"]}',
    );
    const { tokenizer: unigram } = golden('tokenizer/unigram.json') as Family;
    const damaged = { type: 'Precompiled', precompiled_charsmap: 'AAA' };
    expect(() => openTokenizer(JSON.stringify({ ...unigram, normalizer: damaged }), 'y')).toThrow(
      'y: its precompiled_charsmap is damaged',
    );
  });
});
