import { UserError } from '@lsgmer/datasets';
import { type TokenizerJson, describeByteLevel } from './train-bpe.ts';

/**
 * tokenizer.json of a RoBERTa whose folder has only vocab.json and merges.txt, as older ones do.
 * @throws UserError when the files are not what they should be
 */
export function byteLevelTokenizer(vocab: string, merges: string, origin: string): string {
  let ids: TokenizerJson['model']['vocab'];
  try {
    ids = JSON.parse(vocab) as typeof ids;
  } catch (error) {
    throw new UserError(`${origin} is not JSON (${(error as Error).message})`);
  }
  for (const token of ['<s>', '<pad>', '</s>', '<unk>', '<mask>']) {
    if (typeof ids[token] !== 'number')
      throw new UserError(`${origin} has no ${token}: it is no RoBERTa's vocabulary`);
  }
  // The first line names the version; a token may well begin with #.
  const lines = merges
    .split(/\r?\n/)
    .filter((line, i) => line !== '' && !(i === 0 && line.startsWith('#version')));
  return `${JSON.stringify(describeByteLevel(ids, lines))}\n`;
}
