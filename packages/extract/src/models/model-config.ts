import type { Json } from '@lsgmer/datasets';
import { z } from 'zod';
import { AlexnetConfig } from '../encoders/alexnet.ts';
import { OnnxConfig } from '../encoders/onnx-config.ts';
import { HubertConfig, type SpeechConfig, Wav2vec2Config, WavlmConfig } from '../encoders/speech-config.ts';
import {
  BertConfig,
  CamembertConfig,
  RobertaConfig,
  type TextConfig,
  XlmRobertaConfig,
} from '../encoders/text-config.ts';

/** A model's config.json: model_type decides the architecture. */
export const ModelConfig = z.discriminatedUnion('model_type', [
  RobertaConfig,
  XlmRobertaConfig,
  CamembertConfig,
  BertConfig,
  WavlmConfig,
  Wav2vec2Config,
  HubertConfig,
  AlexnetConfig,
  OnnxConfig,
]);
export type ModelConfig = z.infer<typeof ModelConfig>;
/** Those whose graphs are built here. */
export type BuiltConfig = Exclude<ModelConfig, OnnxConfig>;

export const MODEL_TYPES: readonly string[] = ModelConfig.options.map(
  (option) => option.shape.model_type.value,
);

export function isTextConfig(config: ModelConfig): config is TextConfig {
  return ['roberta', 'xlm-roberta', 'camembert', 'bert'].includes(config.model_type);
}

export function isSpeechConfig(config: ModelConfig): config is SpeechConfig {
  return ['wavlm', 'wav2vec2', 'hubert'].includes(config.model_type);
}

/** Keys that must have one value, or be absent: they tell nothing of what is computed. */
const FIXED = [
  'add_adapter',
  'adapter_attn_dim',
  'position_embedding_type',
  'is_decoder',
  'add_cross_attention',
];

/** The configuration as it stands in the fingerprint. */
export function describeConfig(config: ModelConfig): Json {
  if (config.model_type === 'onnx') {
    // What its graphs hold is in the digest; what their files are called decides nothing.
    const { models, ...rest } = config;
    return { ...rest, models: models.map(({ inputs }) => ({ inputs })) } as Json;
  }
  // Straight from JSON: no key is undefined.
  return Object.fromEntries(Object.entries(config).filter(([key]) => !FIXED.includes(key)));
}
