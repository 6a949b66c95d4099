import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError, sha256Hex } from '@lsgmer/datasets';
import { findVocabulary, tokenizerText } from '../../src/models/tokenizer-file.ts';
import { TextTokenizer } from '../../src/tokenizer/text-tokenizer.ts';
import { describeByteLevel } from '../../src/tokenizer/train-bpe.ts';
import { BYTE_CHARACTERS } from '../../src/tokenizer/byte-level.ts';
import { golden } from '../support.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-vocabulary-'));
afterAll(() => rmSync(folder, { recursive: true }));

type Files = { readonly [name: string]: unknown };

let folders = 0;
function folderOf(files: Files): string {
  const place = join(folder, `v${folders++}`);
  mkdirSync(place);
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(place, name), typeof content === 'string' ? content : JSON.stringify(content));
  return place;
}

function build(files: Files, type: string): string {
  const origin = folderOf(files);
  const vocabulary = findVocabulary(origin);
  return tokenizerText({ origin, ...(vocabulary === undefined ? {} : { vocabulary }) }, type);
}

/** vocab.txt of a golden tokenizer. */
function wordPiece(name: string): Files {
  const { tokenizer } = golden(`tokenizer/${name}.json`) as {
    tokenizer: { model: { vocab: { [token: string]: number } } };
  };
  const { vocab } = tokenizer.model;
  const tokens = Object.keys(vocab).sort((a, b) => (vocab[a] as number) - (vocab[b] as number));
  return { 'vocab.txt': `${tokens.join('\n')}\n` };
}

function byteLevel(): Files {
  const { merges } = golden('tokenizer/bpe.json') as { merges: string[] };
  const tokens = ['<s>', '<pad>', '</s>', '<unk>', ...[...BYTE_CHARACTERS].sort()];
  tokens.push(...merges.map((pair) => pair.replace(' ', '')), '<mask>');
  const vocab = Object.fromEntries([...new Set(tokens)].map((token, id) => [token, id]));
  return { 'vocab.json': vocab, 'merges.txt': ['#version: 0.2', ...merges, ''].join('\n') };
}

const uncased = wordPiece('wordpiece');
const cased = wordPiece('wordpiece-cased');
const roberta = byteLevel();

describe('a tokenizer built of its vocabulary', () => {
  const cases = golden('tokenizer/vocabularies.json') as {
    [name: string]: { type: string; beside: Files; rows: string[] };
  };
  const { rows: known } = golden('tokenizer/wordpiece.json') as { rows: [text: string][] };

  it.each(Object.entries(cases))(
    "equals transformers' fast tokenizer on 500 texts, ids and offsets: %s",
    (name, { type, beside, rows }) => {
      const vocabulary = type === 'roberta' ? roberta : name.startsWith('cased') ? cased : uncased;
      const tokenizer = new TextTokenizer(build({ ...vocabulary, ...beside }, type), 512);
      expect(rows).toHaveLength(500);
      const wrong = known.flatMap(([text], i) => {
        const { ids, spans } = tokenizer.encode(text);
        const digest = sha256Hex(JSON.stringify([[...ids], [...spans]])).slice(0, 8);
        return digest === rows[i] ? [] : [{ text, ids: [...ids], spans: [...spans] }];
      });
      expect(wrong).toEqual([]);
    },
  );

  it('is read whatever ends its lines', () => {
    const crlf = { 'vocab.txt': (uncased['vocab.txt'] as string).replaceAll('\n', '\r\n') };
    expect(build(crlf, 'bert')).toBe(build(uncased, 'bert'));
    expect(build({ 'vocab.txt': (uncased['vocab.txt'] as string).trimEnd() }, 'bert')).toBe(
      build(uncased, 'bert'),
    );
  });

  it('takes the special tokens that are named', () => {
    const text = (uncased['vocab.txt'] as string).replace('[CLS]', '<cls>').replace('[SEP]', '<sep>');
    expect(() => build({ 'vocab.txt': text }, 'bert')).toThrow(/vocab\.txt has no \[CLS\], \[SEP\]/);
    const beside = {
      'tokenizer_config.json': { cls_token: { content: '<cls>', lstrip: false } },
      'special_tokens_map.json': { sep_token: '<sep>' },
    };
    const tokenizer = new TextTokenizer(build({ 'vocab.txt': text, ...beside }, 'bert'), 20);
    expect([...tokenizer.encode('').ids]).toEqual([2, 3]);
    expect([...tokenizer.encode('<cls>').ids]).toEqual([2, 2, 3]);
  });

  it('is refused where what it lacks would make other tokens', () => {
    const refused = (files: Files, type = 'bert'): string => {
      try {
        new TextTokenizer(build(files, type), 20).check();
        return 'taken';
      } catch (error) {
        return error instanceof UserError ? error.message : String(error);
      }
    };
    const settings = (value: object): Files => ({ 'tokenizer_config.json': value });
    expect(refused(cased)).toMatch(
      /vocab\.txt has capitals \(.+\), and no tokenizer_config\.json beside it says "do_lower_case"/,
    );
    expect(refused({ ...cased, ...settings({ do_lower_case: true }) })).toBe('taken');
    expect(refused({ ...uncased, ...settings({ tokenizer_class: 'BertJapaneseTokenizer' }) })).toMatch(
      /has no tokenizer\.json, which a bert needs here: its vocabulary is of a kind \(BertJapaneseTokenizer\)/,
    );
    expect(refused({ ...uncased, ...settings({ do_basic_tokenize: false }) })).toMatch(
      /tokenizer_config\.json: "do_basic_tokenize": false is not done here/,
    );
    expect(refused({ ...uncased, ...settings({ do_lower_case: 'yes' }) })).toMatch(
      /tokenizer_config\.json: "do_lower_case": /,
    );
    expect(refused({ ...uncased, 'tokenizer_config.json': '{' })).toMatch(
      /tokenizer_config\.json is not JSON/,
    );
    expect(refused({ ...uncased, 'added_tokens.json': { '<laugh>': 400 } })).toMatch(
      /the added token <laugh> is looked for in normalised text/,
    );
    expect(refused(uncased, 'roberta')).toMatch(
      /which a roberta needs here: its vocabulary is of a kind that/,
    );
    expect(refused({ ...roberta, ...settings({ add_prefix_space: true }) }, 'roberta')).toMatch(
      /"add_prefix_space": true is not done here/,
    );
    expect(refused({ 'sentencepiece.bpe.model': '' }, 'xlm-roberta')).toMatch(
      /has no tokenizer\.json, which a xlm-roberta needs here: save it with a fast tokenizer/,
    );
    expect(refused({ 'vocab.json': '{"a": 1}', 'merges.txt': '' }, 'roberta')).toMatch(
      /vocab\.json has no <s>: it is no RoBERTa's vocabulary/,
    );
  });

  it("has RoBERTa's own rules for a literal mask", () => {
    const { added_tokens: added } = JSON.parse(build(roberta, 'roberta')) as { added_tokens: object[] };
    expect(added).toEqual(describeByteLevel(roberta['vocab.json'] as never, []).added_tokens);
  });
});
