import { UserError } from '@lsgmer/datasets';
import { type FileText, type VocabularyTexts, addedTokens, readSettings } from './tokenizer-settings.ts';
import { type TokenizerJson, describeByteLevel } from './train-bpe.ts';

/**
 * tokenizer.json of a RoBERTa whose folder has only vocab.json and merges.txt, as older ones do. `<mask>` takes the blank
 * before it, as in RoBERTa's own tokenizer.json.
 * @throws UserError when the files are not what they should be
 */
export function byteLevelTokenizer(vocab: FileText, merges: FileText, beside: VocabularyTexts): string {
  let ids: TokenizerJson['model']['vocab'];
  try {
    ids = JSON.parse(vocab.text) as typeof ids;
  } catch (error) {
    throw new UserError(`${vocab.path} is not JSON (${(error as Error).message})`);
  }
  for (const token of ['<s>', '<pad>', '</s>', '<unk>', '<mask>']) {
    if (typeof ids[token] !== 'number')
      throw new UserError(`${vocab.path} has no ${token}: it is no RoBERTa's vocabulary`);
  }
  const settings = readSettings(beside);
  if (settings.add_prefix_space === true)
    throw new UserError(
      `${beside.settings?.path}: "add_prefix_space": true is not done here: RoBERTa itself has false`,
    );
  // The first line names the version; a token may well begin with #.
  const lines = merges.text
    .split(/\r?\n/)
    .filter((line, i) => line !== '' && !(i === 0 && line.startsWith('#version')));
  const described = describeByteLevel(ids, lines);
  const special = new Map(described.added_tokens.map((token) => [token.content, token]));
  const added = addedTokens(settings, beside, special, (token) =>
    Object.hasOwn(ids, token) ? ids[token] : undefined,
  );
  return `${JSON.stringify({ ...described, added_tokens: added })}\n`;
}
