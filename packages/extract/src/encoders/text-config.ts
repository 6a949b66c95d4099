import { z } from 'zod';

const size = z.number().int().positive();

const shared = {
  vocab_size: size,
  hidden_size: size,
  num_hidden_layers: size,
  num_attention_heads: size,
  intermediate_size: size,
  max_position_embeddings: size,
  layer_norm_eps: z.number().positive().default(1e-12),
  hidden_act: z.literal('gelu').default('gelu'),
  position_embedding_type: z.literal('absolute').optional(),
  is_decoder: z.literal(false).optional(),
  add_cross_attention: z.literal(false).optional(),
};

const robertaShape = {
  ...shared,
  type_vocab_size: size.default(1),
  pad_token_id: z.number().int().nonnegative().default(1),
};

/** What a RoBERTa's config.json must say; other keys do not matter here. XLM-R and CamemBERT are built alike. */
export const RobertaConfig = z.object({ model_type: z.literal('roberta'), ...robertaShape });
export const XlmRobertaConfig = z.object({ model_type: z.literal('xlm-roberta'), ...robertaShape });
export const CamembertConfig = z.object({ model_type: z.literal('camembert'), ...robertaShape });

export const BertConfig = z.object({
  model_type: z.literal('bert'),
  ...shared,
  type_vocab_size: size.default(2),
  pad_token_id: z.number().int().nonnegative().default(0),
});

export type TextConfig =
  | z.infer<typeof RobertaConfig>
  | z.infer<typeof XlmRobertaConfig>
  | z.infer<typeof CamembertConfig>
  | z.infer<typeof BertConfig>;

/** RoBERTa's positions start after the padding's: 512 of RoBERTa-base's 514 hold tokens. BERT's start at 0. */
export function maxTokens(config: TextConfig): number {
  if (config.model_type === 'bert') return config.max_position_embeddings;
  return config.max_position_embeddings - config.pad_token_id - 1;
}
