import { BYTE_CHARACTERS, byteLevelPieces } from './byte-level.ts';

/** What a Hugging Face `tokenizer.json` of a byte-level BPE in RoBERTa's layout holds. */
export interface TokenizerJson {
  readonly version: '1.0';
  readonly truncation: null;
  readonly padding: null;
  readonly added_tokens: readonly {
    readonly id: number;
    readonly content: string;
    readonly single_word: boolean;
    readonly lstrip: boolean;
    readonly rstrip: boolean;
    readonly normalized: boolean;
    readonly special: boolean;
  }[];
  readonly normalizer: null;
  readonly pre_tokenizer: {
    readonly type: 'ByteLevel';
    readonly add_prefix_space: boolean;
    readonly trim_offsets: boolean;
  };
  readonly post_processor: {
    readonly type: 'RobertaProcessing';
    readonly sep: readonly [string, number];
    readonly cls: readonly [string, number];
    readonly trim_offsets: boolean;
    readonly add_prefix_space: boolean;
  };
  readonly decoder: {
    readonly type: 'ByteLevel';
    readonly add_prefix_space: boolean;
    readonly trim_offsets: boolean;
  };
  readonly model: {
    readonly type: 'BPE';
    readonly dropout: null;
    readonly unk_token: null;
    readonly continuing_subword_prefix: '';
    readonly end_of_word_suffix: '';
    readonly fuse_unk: false;
    readonly vocab: { readonly [token: string]: number };
    readonly merges: readonly string[];
  };
}

/** RoBERTa's special tokens in the order of their ids; `<mask>` comes last in the vocabulary. */
const LEADING_SPECIALS = ['<s>', '<pad>', '</s>', '<unk>'] as const;
const MASK = '<mask>';

/** A pair that occurs once is no pattern. */
const LEAST_COUNT = 2;

/** Two ids as one key: ids stay far below 2^21. */
const PAIR_BASE = 2 ** 21;

/**
 * Trains a byte-level BPE tokenizer (Sennrich et al. 2016; the alphabet is GPT-2's): the most frequent pair of
 * neighbours inside the pieces is merged until the vocabulary is full or no pair occurs twice; of equally
 * frequent pairs the one with the lower ids wins, as in Hugging Face's trainer. The same texts in any order
 * give the same tokenizer.
 *
 * @param texts the corpus
 * @param vocabularySize largest number of tokens, special ones included; at least 261 (256 bytes and 5 special)
 * @throws when the vocabulary has no room for the bytes
 */
export function trainByteLevelBpe(texts: Iterable<string>, vocabularySize: number): TokenizerJson {
  const alphabet = [...BYTE_CHARACTERS].sort();
  const tokens: string[] = [...LEADING_SPECIALS, ...alphabet];
  if (!Number.isInteger(vocabularySize) || vocabularySize < tokens.length + 1) {
    throw new Error(
      `vocabularySize is ${vocabularySize}, expected an integer of at least ${tokens.length + 1}`,
    );
  }
  const idOf = new Map(tokens.map((token, id) => [token, id]));
  const words = countPieces(texts).map(({ piece, count }) => ({
    ids: Array.from(piece, (character) => idOf.get(character) as number),
    count,
  }));
  const pairs = new PairTable();
  words.forEach((word, index) => pairs.add(word.ids, index, word.count));

  const merges: string[] = [];
  while (tokens.length + 1 < vocabularySize) {
    const pair = pairs.mostFrequent(LEAST_COUNT);
    if (pair === undefined) break;
    const [left, right] = pair;
    const merged = tokens.length;
    merges.push(`${tokens[left]} ${tokens[right]}`);
    tokens.push(`${tokens[left]}${tokens[right]}`);
    for (const index of pairs.wordsWith(left, right)) {
      const word = words[index] as { ids: number[]; count: number };
      pairs.add(word.ids, index, -word.count);
      word.ids = mergePair(word.ids, left, right, merged);
      pairs.add(word.ids, index, word.count);
    }
  }
  tokens.push(MASK);
  return describeByteLevel(Object.fromEntries(tokens.map((token, id) => [token, id])), merges);
}

function countPieces(texts: Iterable<string>): { piece: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const piece of byteLevelPieces(text)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
  }
  return [...counts].map(([piece, count]) => ({ piece, count }));
}

/** How often each pair of neighbours occurs, and in which words. */
class PairTable {
  private readonly counts = new Map<number, number>();
  private readonly words = new Map<number, Set<number>>();

  /** Adds (or, with a negative count, takes away) the pairs of one word. */
  add(ids: readonly number[], word: number, count: number): void {
    for (let i = 0; i + 1 < ids.length; i++) {
      const key = (ids[i] as number) * PAIR_BASE + (ids[i + 1] as number);
      this.counts.set(key, (this.counts.get(key) ?? 0) + count);
      // A word that loses a pair keeps its entry here: looking at it once more changes nothing.
      let at = this.words.get(key);
      if (at === undefined) this.words.set(key, (at = new Set()));
      at.add(word);
    }
  }

  mostFrequent(least: number): [number, number] | undefined {
    let best = -1;
    let most = least - 1;
    for (const [key, count] of this.counts) {
      if (count > most || (count === most && best >= 0 && key < best)) {
        best = key;
        most = count;
      }
    }
    return best < 0 ? undefined : [Math.floor(best / PAIR_BASE), best % PAIR_BASE];
  }

  wordsWith(left: number, right: number): number[] {
    return [...(this.words.get(left * PAIR_BASE + right) ?? [])];
  }
}

function mergePair(ids: readonly number[], left: number, right: number, merged: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < ids.length; i++) {
    if (ids[i] === left && ids[i + 1] === right) {
      out.push(merged);
      i++;
    } else {
      out.push(ids[i] as number);
    }
  }
  return out;
}

/** tokenizer.json in RoBERTa's layout. */
export function describeByteLevel(
  vocab: { readonly [token: string]: number },
  merges: readonly string[],
): TokenizerJson {
  const added = [...LEADING_SPECIALS, MASK].map((content) => ({
    id: vocab[content] as number,
    content,
    single_word: false,
    lstrip: content === MASK,
    rstrip: false,
    normalized: true,
    special: true,
  }));
  const byteLevel = { type: 'ByteLevel', trim_offsets: true } as const;
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: { ...byteLevel, add_prefix_space: false },
    post_processor: {
      type: 'RobertaProcessing',
      sep: ['</s>', vocab['</s>'] as number],
      cls: ['<s>', vocab['<s>'] as number],
      trim_offsets: true,
      add_prefix_space: false,
    },
    decoder: { ...byteLevel, add_prefix_space: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      vocab,
      merges,
    },
  };
}
