import { Tokenizer } from '@huggingface/tokenizers';
import { UserError } from '@lsgmer/datasets';
import { z } from 'zod';
import type { AddedToken } from './aligned-text.ts';
import { PIECE_PATTERN, WORD } from './byte-level.ts';
import { CharactersMap } from './characters-map.ts';
import { tokenSpans } from './token-spans.ts';
import { unigramSpans } from './unigram-spans.ts';
import { type BertNormalisation, wordPieceSpans } from './wordpiece-spans.ts';

/** The part of the package used here; its own typings do not resolve under Node's module rules. */
interface LibraryTokenizer {
  encode(text: string, options?: { add_special_tokens?: boolean }): { ids: number[]; tokens: string[] };
  get_added_tokens_decoder(): Map<number, AddedToken>;
  readonly pre_tokenizer: { pattern: RegExp; readonly tokenizers?: readonly LibraryPreTokenizer[] };
  readonly normalizer: LibraryNormalizer | null;
}

interface LibraryPreTokenizer {
  pre_tokenize_text(text: string): string[];
}

interface LibraryNormalizer {
  readonly normalizers?: readonly LibraryNormalizer[];
  normalize(text: string): string;
}

/** A tokenizer.json at work: ids, and where its tokens lie in the text. */
export interface OpenTokenizer {
  encode(text: string, options?: { add_special_tokens?: boolean }): { ids: number[]; tokens: string[] };
  /** The largest id of the vocabulary and of the added tokens. */
  readonly largestId: number;
  /** Start and end of each token, in UTF-16 units. */
  spans(text: string, tokens: readonly string[]): Int32Array;
}

const Step = z.looseObject({ type: z.string() });
const Description = z.looseObject({
  model: z.looseObject({ type: z.string().optional() }),
  normalizer: Step.nullish(),
  pre_tokenizer: Step.nullish(),
});
type Description = z.infer<typeof Description>;

/**
 * Opens a tokenizer.json of one of the kinds whose results are known to equal Hugging Face's: byte-level BPE
 * (RoBERTa), WordPiece (BERT), SentencePiece unigram (XLM-R, CamemBERT).
 * @throws UserError for another kind
 */
export function openTokenizer(json: string, origin: string): OpenTokenizer {
  let description: Description;
  let library: LibraryTokenizer;
  try {
    const value = JSON.parse(json) as object;
    description = Description.parse(value);
    library = new Tokenizer(value, {});
  } catch (error) {
    throw new UserError(`${origin}: not a tokenizer.json (${(error as Error).message.split('\n', 1)[0]})`);
  }
  const added = [...library.get_added_tokens_decoder().values()];
  const spans =
    byteLevel(description, library, added) ??
    wordPiece(description, added, origin) ??
    unigram(description, library, added, origin);
  if (spans === undefined) {
    throw new UserError(
      `${origin}: expected a byte-level tokenizer without normaliser and without prefix space (RoBERTa), BERT's WordPiece, or a ` +
        `SentencePiece unigram model (XLM-R); found ${JSON.stringify(kindOf(description))}`,
    );
  }
  const ids = [...library.get_added_tokens_decoder().keys()];
  return {
    encode: (text, options) => library.encode(text, options),
    largestId: ids.reduce((most, id) => Math.max(most, id), lastId(description.model['vocab'])),
    spans,
  };
}

/** Of a vocabulary by token, or of a list in the order of the ids. */
function lastId(vocab: unknown): number {
  if (Array.isArray(vocab)) return vocab.length - 1;
  return Object.values((vocab ?? {}) as { [token: string]: number }).reduce(
    (most, id) => Math.max(most, id),
    -1,
  );
}

type Spans = OpenTokenizer['spans'];

function byteLevel(
  { normalizer, pre_tokenizer: pre }: Description,
  library: LibraryTokenizer,
  added: readonly AddedToken[],
): Spans | undefined {
  if (
    pre?.type !== 'ByteLevel' ||
    pre['add_prefix_space'] === true ||
    pre['use_regex'] === false ||
    normalizer
  )
    return undefined;
  // The package cuts with JavaScript's idea of white space, the reference with Unicode's.
  library.pre_tokenizer.pattern = PIECE_PATTERN;
  const rules = new Map(added.map((token) => [token.content, token]));
  return (text, tokens) => tokenSpans(text, tokens, rules);
}

function wordPiece(
  { model, normalizer, pre_tokenizer: pre }: Description,
  added: readonly (AddedToken & { readonly normalized?: boolean })[],
  origin: string,
): Spans | undefined {
  if (model.type !== 'WordPiece' || normalizer?.type !== 'BertNormalizer' || pre?.type !== 'BertPreTokenizer')
    return undefined;
  const late = added.find(({ normalized }) => normalized === true);
  if (late !== undefined)
    throw new UserError(
      `${origin}: the added token ${late.content} is looked for in normalised text ("normalized": true), which is not done here`,
    );
  const rules = {
    normalisation: normalizer as BertNormalisation,
    unknown: textOf(model['unk_token']),
    continuing: textOf(model['continuing_subword_prefix']),
    added,
  };
  return (text, tokens) => wordPieceSpans(text, tokens, rules);
}

function unigram(
  { model, normalizer, pre_tokenizer: pre }: Description,
  library: LibraryTokenizer,
  added: readonly AddedToken[],
  origin: string,
): Spans | undefined {
  const steps = flat(normalizer, 'normalizers');
  const [table, ...others] = steps;
  const splits = flat(pre, 'pretokenizers').map(({ type }) => type);
  const known =
    model.type === 'Unigram' &&
    table?.type === 'Precompiled' &&
    others.every(
      ({ type, pattern, content }) => type === 'Replace' && isBlanks(pattern) && content === ' ',
    ) &&
    ['Metaspace', 'WhitespaceSplit,Metaspace'].includes(splits.join());
  if (!known) return undefined;
  const map = new CharactersMap(textOf(table['precompiled_charsmap']), origin);
  const normalizers = library.normalizer?.normalizers ?? [library.normalizer as LibraryNormalizer];
  // The package approximates the table.
  (normalizers[0] as LibraryNormalizer).normalize = (text) => map.normalise(text);
  // As in `byteLevel`: Unicode's white space.
  const [words] = library.pre_tokenizer.tokenizers ?? [];
  if (words !== undefined) words.pre_tokenize_text = (text) => text.match(WORD) ?? [];
  const rules = { map, joinsBlanks: others.length > 0, splitsWords: splits.length > 1, added };
  return (text, tokens) => unigramSpans(text, tokens, rules);
}

type Steps = { type: string; [key: string]: unknown }[];

/** The steps of a sequence, or the one that there is. */
function flat(step: z.infer<typeof Step> | null | undefined, key: string): Steps {
  if (!step) return [];
  return step.type === 'Sequence' ? (step[key] as Steps) : [step];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isBlanks(pattern: unknown): boolean {
  return (pattern as { Regex?: unknown } | null)?.Regex === ' {2,}';
}

function kindOf({ model, normalizer, pre_tokenizer: pre }: Description): object {
  return {
    model: model.type ?? null,
    normalizer: flat(normalizer, 'normalizers').map(({ type }) => type),
    pre_tokenizer: flat(pre, 'pretokenizers').map(({ type }) => type),
  };
}
