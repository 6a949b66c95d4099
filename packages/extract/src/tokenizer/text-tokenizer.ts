import { readFileSync } from 'node:fs';
import { Tokenizer } from '@huggingface/tokenizers';
import { UserError, sha256Hex } from '@lsgmer/datasets';
import { PIECE_PATTERN } from './byte-level.ts';
import { tokenSpans, type AddedTokenRule } from './token-spans.ts';

/** The part of the package used here; its own typings do not resolve under Node's module rules. */
interface LibraryTokenizer {
  encode(text: string, options?: { add_special_tokens?: boolean }): { ids: number[]; tokens: string[] };
  get_added_tokens_decoder(): Map<number, AddedTokenRule>;
  readonly pre_tokenizer: { pattern: RegExp };
}

export interface EncodedText {
  /** Token ids with special tokens, n of them. */
  readonly ids: Int32Array;
  /** 2n offsets: start and end in UTF-16 units of the text; 0,0 for the special tokens around it. */
  readonly spans: Int32Array;
}

/**
 * A byte-level BPE tokenizer as `tokenizer.json` describes it, run by @huggingface/tokenizers. That package has
 * no truncation and no offsets: both are done here, with the results of Hugging Face's own tokenizers.
 */
export class TextTokenizer {
  /** sha256 of the bytes of tokenizer.json. */
  readonly digest: string;
  /** Longest encoding in tokens, special ones included. */
  readonly maxTokens: number;
  private readonly tokenizer: LibraryTokenizer;
  private readonly added: ReadonlyMap<string, AddedTokenRule>;
  private readonly before: readonly number[];
  private readonly after: readonly number[];

  /**
   * @param json text of a tokenizer.json
   * @param maxTokens longest encoding, special tokens included (512 for RoBERTa: positions less the padding's)
   * @param origin where the text came from, for messages
   * @throws UserError when the text is no tokenizer.json of a byte-level tokenizer
   */
  constructor(json: string, maxTokens: number, origin = 'tokenizer.json') {
    this.tokenizer = open(json, origin);
    this.digest = sha256Hex(json);
    this.maxTokens = maxTokens;
    this.added = new Map(
      [...this.tokenizer.get_added_tokens_decoder().values()].map((token) => [token.content, token]),
    );
    // What the post-processor puts around every text, seen by trying.
    const bare = this.tokenizer.encode('a', { add_special_tokens: false }).ids;
    const full = this.tokenizer.encode('a').ids;
    const at = full.findIndex((_, i) => bare.every((id, j) => full[i + j] === id));
    this.before = full.slice(0, at);
    this.after = full.slice(at + bare.length);
    if (maxTokens <= this.before.length + this.after.length) {
      throw new Error(`maxTokens is ${maxTokens}: no room beside the special tokens`);
    }
  }

  /** Reads a tokenizer.json. @throws UserError when it cannot be read or is of another kind */
  static read(path: string, maxTokens: number): TextTokenizer {
    let json: string;
    try {
      json = readFileSync(path, 'utf8');
    } catch (error) {
      throw new UserError(
        `${path}: cannot be read (${(error as Error).message}); a text encoder needs its tokenizer.json`,
      );
    }
    return new TextTokenizer(json, maxTokens, path);
  }

  /** How many tokens are put before and after every text. */
  get specialTokens(): { readonly before: number; readonly after: number } {
    return { before: this.before.length, after: this.after.length };
  }

  /** Encodes one text; one that is too long loses its end, never the closing special token. */
  encode(text: string): EncodedText {
    const room = this.maxTokens - this.before.length - this.after.length;
    const { ids, tokens } = this.tokenizer.encode(text, { add_special_tokens: false });
    const kept = Math.min(ids.length, room);
    const all = new Int32Array(this.before.length + kept + this.after.length);
    all.set(this.before);
    all.set(ids.slice(0, kept), this.before.length);
    all.set(this.after, this.before.length + kept);
    const spans = new Int32Array(2 * all.length);
    spans.set(tokenSpans(text, tokens.slice(0, kept), this.added), 2 * this.before.length);
    return { ids: all, spans };
  }
}

function open(json: string, origin: string): LibraryTokenizer {
  let description: {
    pre_tokenizer?: { type?: unknown; add_prefix_space?: unknown; use_regex?: unknown } | null;
    normalizer?: unknown;
  };
  let tokenizer: LibraryTokenizer;
  try {
    description = JSON.parse(json) as typeof description;
    tokenizer = new Tokenizer(description, {});
  } catch (error) {
    throw new UserError(`${origin}: not a tokenizer.json (${(error as Error).message})`);
  }
  const pre = description.pre_tokenizer;
  if (
    pre?.type !== 'ByteLevel' ||
    pre.add_prefix_space === true ||
    pre.use_regex === false ||
    description.normalizer
  ) {
    throw new UserError(
      `${origin}: expected a byte-level tokenizer without normaliser and without prefix space, as RoBERTa's is; found ` +
        JSON.stringify({ pre_tokenizer: pre ?? null, normalizer: description.normalizer ?? null }),
    );
  }
  // The package cuts with JavaScript's idea of white space, the reference with Unicode's.
  tokenizer.pre_tokenizer.pattern = PIECE_PATTERN;
  return tokenizer;
}
