import { readFileSync } from 'node:fs';
import { UserError, sha256Hex } from '@lsgmer/datasets';
import { type OpenTokenizer, openTokenizer } from './library-tokenizer.ts';

export interface EncodedText {
  /** Token ids with special tokens, n of them. */
  readonly ids: Int32Array;
  /** 2n offsets: start and end in UTF-16 units of the text; 0,0 for the special tokens around it. */
  readonly spans: Int32Array;
}

/** A tokenizer.json that was opened, and what its post-processor puts around every text. */
interface Opened extends OpenTokenizer {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/**
 * A tokenizer as `tokenizer.json` describes it, run by @huggingface/tokenizers. That package has no truncation and
 * no offsets: both are done here, with the results of Hugging Face's own tokenizers.
 */
export class TextTokenizer {
  /** sha256 of the bytes of tokenizer.json. */
  readonly digest: string;
  /** Longest encoding in tokens, special ones included. */
  readonly maxTokens: number;
  private readonly json: string;
  private readonly origin: string;
  /** Opened when it is needed first: a vocabulary of 50,000 tokens takes a third of a second. */
  private lazily: Opened | undefined;

  /**
   * @param json text of a tokenizer.json
   * @param maxTokens longest encoding, special tokens included (512 for RoBERTa: positions less the padding's)
   * @param origin where the text came from, for messages
   */
  constructor(json: string, maxTokens: number, origin = 'tokenizer.json') {
    this.json = json;
    this.origin = origin;
    this.digest = sha256Hex(json);
    this.maxTokens = maxTokens;
  }

  /** Reads a tokenizer.json. @throws UserError when it cannot be read */
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

  /**
   * Opens the tokenizer now.
   * @param vocabulary tokens that the encoder has embeddings of
   * @throws UserError when the text is no tokenizer.json of a kind that is known here, or belongs to another encoder
   */
  check(vocabulary = Infinity): void {
    const { largestId } = this.opened();
    if (largestId < vocabulary) return;
    throw new UserError(
      `${this.origin} has token ids up to ${largestId}, but the encoder has ${vocabulary} tokens (vocab_size): it belongs to another model`,
    );
  }

  /** How many tokens are put before and after every text. */
  get specialTokens(): { readonly before: number; readonly after: number } {
    const { before, after } = this.opened();
    return { before: before.length, after: after.length };
  }

  /** Encodes one text; one that is too long loses its end, never the closing special token. */
  encode(text: string): EncodedText {
    const opened = this.opened();
    const { before, after } = opened;
    const room = this.maxTokens - before.length - after.length;
    const { ids, tokens } = opened.encode(text, { add_special_tokens: false });
    const kept = Math.min(ids.length, room);
    const all = new Int32Array(before.length + kept + after.length);
    all.set(before);
    all.set(ids.slice(0, kept), before.length);
    all.set(after, before.length + kept);
    const spans = new Int32Array(2 * all.length);
    spans.set(opened.spans(text, tokens.slice(0, kept)), 2 * before.length);
    return { ids: all, spans };
  }

  private opened(): Opened {
    if (this.lazily !== undefined) return this.lazily;
    const tokenizer = openTokenizer(this.json, this.origin);
    // What the post-processor puts around every text, seen by trying.
    const bare = tokenizer.encode('a', { add_special_tokens: false }).ids;
    const full = tokenizer.encode('a').ids;
    const at = full.findIndex((_, i) => bare.every((id, j) => full[i + j] === id));
    const [before, after] = [full.slice(0, at), full.slice(at + bare.length)];
    if (this.maxTokens <= before.length + after.length)
      throw new Error(`maxTokens is ${this.maxTokens}: no room beside the special tokens`);
    return (this.lazily = { ...tokenizer, before, after });
  }
}
