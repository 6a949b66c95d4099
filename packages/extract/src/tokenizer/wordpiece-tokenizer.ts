import { UserError } from '@lsgmer/datasets';
import { type FileText, type VocabularyTexts, addedTokens, readSettings } from './tokenizer-settings.ts';

/** BERT's special tokens, by the key that may name others. */
const SPECIALS = {
  pad_token: '[PAD]',
  unk_token: '[UNK]',
  cls_token: '[CLS]',
  sep_token: '[SEP]',
  mask_token: '[MASK]',
} as const;

/** Longer words are unknown. */
const LONGEST_WORD = 100;

/**
 * tokenizer.json of a BERT whose folder has only vocab.txt, as transformers' BertTokenizerFast builds it.
 *
 * @param vocab a token a line; its number, from 0, is its id
 * @throws UserError when a file is not what it should be, or does not say whether texts are brought to lower case where
 *   that makes a difference
 */
export function wordPieceTokenizer(vocab: FileText, beside: VocabularyTexts): string {
  const lines = vocab.text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const ids = new Map(lines.map((token, id) => [token, id]));
  const settings = readSettings(beside);
  if (settings.do_basic_tokenize === false)
    throw new UserError(
      `${beside.settings?.path}: "do_basic_tokenize": false is not done here: save the model with a fast tokenizer`,
    );
  const names = Object.entries(SPECIALS).map(
    ([key, usual]) => [key, settings[key as keyof typeof SPECIALS] ?? usual] as const,
  );
  const special = new Map(names.map(([, content]) => [content, { id: ids.get(content) as number }]));
  const lacking = [...special].filter(([, { id }]) => id === undefined).map(([content]) => content);
  if (lacking.length > 0)
    throw new UserError(
      `${vocab.path} has no ${lacking.join(', ')}: it is no BERT's vocabulary, or tokenizer_config.json is missing beside it`,
    );
  const {
    unk_token: unknown,
    cls_token: first,
    sep_token: last,
  } = Object.fromEntries(names) as Record<keyof typeof SPECIALS, string>;
  const token = (content: string, type: number): object => ({ SpecialToken: { id: content, type_id: type } });
  const text = (id: 'A' | 'B', type: number): object => ({ Sequence: { id, type_id: type } });
  const one = [token(first, 0), text('A', 0), token(last, 0)];
  const entry = (content: string): object => ({ id: content, ids: [ids.get(content)], tokens: [content] });
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(settings, beside, special, (token) => ids.get(token)),
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: settings.tokenize_chinese_chars ?? true,
      strip_accents: settings.strip_accents ?? null,
      lowercase: settings.do_lower_case ?? lowersCase(vocab, lines),
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single: one,
      pair: [...one, text('B', 1), token(last, 1)],
      special_tokens: { [first]: entry(first), [last]: entry(last) },
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: unknown,
      continuing_subword_prefix: '##',
      max_input_chars_per_word: LONGEST_WORD,
      vocab: Object.fromEntries(ids),
    },
  };
  return `${JSON.stringify(tokenizer)}\n`;
}

/**
 * Transformers brings texts to lower case unless it is told otherwise, also for a cased model, whose capitals are unknown
 * words then: such a folder has to say what it wants.
 */
function lowersCase({ path }: FileText, tokens: readonly string[]): true {
  const capital = tokens.find((token) => /\p{Lu}/u.test(token) && !/^\[.*\]$/.test(token));
  if (capital === undefined) return true;
  throw new UserError(
    `${path} has capitals (${capital}), and no tokenizer_config.json beside it says "do_lower_case": add one with ` +
      '{"do_lower_case": false}, or true if the model was trained so',
  );
}
