import { UserError } from '@lsgmer/datasets';
import { z } from 'zod';

/** A special token is named by its text, or by its text and how it is looked for. */
const Special = z
  .union([z.string(), z.looseObject({ content: z.string() }).transform(({ content }) => content)])
  .nullish();

/** Keys of tokenizer_config.json and special_tokens_map.json that decide tokens. */
const Settings = z.looseObject({
  tokenizer_class: z.string().nullish(),
  do_lower_case: z.boolean().nullish(),
  do_basic_tokenize: z.boolean().nullish(),
  strip_accents: z.boolean().nullish(),
  tokenize_chinese_chars: z.boolean().nullish(),
  add_prefix_space: z.boolean().nullish(),
  cls_token: Special,
  sep_token: Special,
  unk_token: Special,
  pad_token: Special,
  mask_token: Special,
  added_tokens_decoder: z
    .record(
      z.string().regex(/^\d+$/),
      z.object({
        content: z.string(),
        single_word: z.boolean().default(false),
        lstrip: z.boolean().default(false),
        rstrip: z.boolean().default(false),
        normalized: z.boolean().optional(),
        special: z.boolean().default(false),
      }),
    )
    .nullish(),
});
export type TokenizerSettings = z.infer<typeof Settings>;

const AddedIds = z.record(z.string(), z.number().int().nonnegative());

/** A token beside the vocabulary's pieces, as tokenizer.json has it. */
export interface AddedTokenJson {
  readonly id: number;
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

/** What lies beside a vocabulary, each as text with its path. */
export interface VocabularyTexts {
  /** tokenizer_config.json */
  readonly settings?: FileText | undefined;
  /** special_tokens_map.json */
  readonly specials?: FileText | undefined;
  /** added_tokens.json */
  readonly added?: FileText | undefined;
}

export interface FileText {
  readonly path: string;
  readonly text: string;
}

/** @throws UserError when a file is not what it should be */
export function readSettings({ settings, specials }: VocabularyTexts): TokenizerSettings {
  return { ...parsed(specials, Settings), ...parsed(settings, Settings) };
}

/**
 * The added tokens as transformers' fast tokenizers have them: the special ones, those of added_tokens.json, and those that
 * tokenizer_config.json lists, whose rules win; by id. One that is in the vocabulary, too, has the id that it has there.
 * @param special by content
 * @param idOf id in the vocabulary
 */
export function addedTokens(
  { added_tokens_decoder: listed }: TokenizerSettings,
  { added }: VocabularyTexts,
  special: ReadonlyMap<string, Partial<AddedTokenJson> & { readonly id: number }>,
  idOf: (content: string) => number | undefined,
): AddedTokenJson[] {
  const tokens = new Map<string, AddedTokenJson>();
  for (const [content, rule] of special)
    tokens.set(content, { ...PLAIN, normalized: false, special: true, ...rule, content });
  for (const [content, id] of Object.entries(parsed(added, AddedIds)))
    if (id !== undefined && !tokens.has(content)) tokens.set(content, { ...PLAIN, id, content });
  for (const [id, rule] of Object.entries(listed ?? {}))
    tokens.set(rule.content, { ...rule, normalized: rule.normalized ?? !rule.special, id: Number(id) });
  return [...tokens.values()]
    .map((token) => ({ ...token, id: idOf(token.content) ?? token.id }))
    .sort((a, b) => a.id - b.id);
}

const PLAIN = { single_word: false, lstrip: false, rstrip: false, normalized: true, special: false };

function parsed<T extends object>(file: FileText | undefined, schema: z.ZodType<T>): Partial<T> {
  if (file === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(file.text);
  } catch (error) {
    throw new UserError(`${file.path} is not JSON (${(error as Error).message})`);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new UserError(
    `${file.path}: "${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'not as expected'}`,
  );
}
