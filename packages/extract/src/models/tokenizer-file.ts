import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@lsgmer/datasets';
import { byteLevelTokenizer } from '../tokenizer/byte-level-tokenizer.ts';
import { type FileText, type VocabularyTexts, readSettings } from '../tokenizer/tokenizer-settings.ts';
import { wordPieceTokenizer } from '../tokenizer/wordpiece-tokenizer.ts';

/** What a tokenizer is built of where there is no tokenizer.json. Absolute paths. */
export interface VocabularyFiles {
  /** WordPiece's vocab.txt, or vocab.json of a byte-level BPE. */
  readonly vocab: string;
  /** The latter's. */
  readonly merges?: string;
  readonly settings?: string;
  readonly specials?: string;
  readonly added?: string;
}

/** Files beside a vocabulary, by what they are here. */
const BESIDE = {
  settings: 'tokenizer_config.json',
  specials: 'special_tokens_map.json',
  added: 'added_tokens.json',
} as const;

/** Names of all files that a tokenizer may be built of without tokenizer.json. */
export const VOCABULARY_NAMES: readonly string[] = [
  'vocab.json',
  'merges.txt',
  'vocab.txt',
  ...Object.values(BESIDE),
];

/** The vocabulary in a folder, if there is one of a kind that is known here. */
export function findVocabulary(folder: string): VocabularyFiles | undefined {
  const present = (name: string): string | undefined =>
    existsSync(join(folder, name)) ? join(folder, name) : undefined;
  const beside = Object.fromEntries(
    Object.entries(BESIDE).flatMap(([key, name]) => {
      const path = present(name);
      return path === undefined ? [] : [[key, path]];
    }),
  );
  const [json, merges, txt] = [present('vocab.json'), present('merges.txt'), present('vocab.txt')];
  if (json !== undefined && merges !== undefined) return { vocab: json, merges, ...beside };
  return txt === undefined ? undefined : { vocab: txt, ...beside };
}

/** Classes of transformers whose tokens are known here, by the files that they read. */
const CLASSES = {
  wordPiece: ['BertTokenizer', 'BertTokenizerFast'],
  byteLevel: ['RobertaTokenizer', 'RobertaTokenizerFast'],
} as const;

/**
 * The text of a model's tokenizer.json, built of its vocabulary where there is none.
 * @param type model_type, where it is known
 * @throws UserError where there is neither, or the vocabulary belongs to a tokenizer of another kind
 */
export function tokenizerText(
  { origin, tokenizer, vocabulary }: { origin: string; tokenizer?: string; vocabulary?: VocabularyFiles },
  type?: string,
): string {
  if (tokenizer !== undefined) return readFileSync(tokenizer, 'utf8');
  const save =
    'save it with a fast tokenizer (AutoTokenizer.from_pretrained(...).save_pretrained(...) writes one)';
  const none = `${origin} has no tokenizer.json, which a ${type ?? 'text encoder'} needs here`;
  if (vocabulary === undefined) throw new UserError(`${none}: ${save}`);
  const { vocab, merges } = vocabulary;
  const beside: VocabularyTexts = {
    settings: read(vocabulary.settings),
    specials: read(vocabulary.specials),
    added: read(vocabulary.added),
  };
  const kind = merges === undefined ? 'wordPiece' : 'byteLevel';
  const usual = type === undefined || type === (kind === 'wordPiece' ? 'bert' : 'roberta');
  const named = readSettings(beside).tokenizer_class;
  const known: readonly string[] = CLASSES[kind];
  if (named === undefined || named === null ? !usual : !known.includes(named)) {
    const what = named === undefined || named === null ? '' : ` (${named})`;
    throw new UserError(`${none}: its vocabulary is of a kind${what} that is not built here; ${save}`);
  }
  return merges === undefined
    ? wordPieceTokenizer(read(vocab), beside)
    : byteLevelTokenizer(read(vocab), read(merges), beside);
}

function read(path: string): FileText;
function read(path: string | undefined): FileText | undefined;
function read(path: string | undefined): FileText | undefined {
  return path === undefined ? undefined : { path, text: readFileSync(path, 'utf8') };
}
