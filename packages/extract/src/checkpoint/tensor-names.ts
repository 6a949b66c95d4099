import type { BuiltConfig } from '../models/model-config.ts';

/** What Hugging Face puts before an encoder's names where it is part of a larger model. */
const PREFIX: Readonly<Record<BuiltConfig['model_type'], string>> = {
  roberta: 'roberta.',
  'xlm-roberta': 'roberta.',
  camembert: 'roberta.',
  bert: 'bert.',
  wavlm: 'wavlm.',
  wav2vec2: 'wav2vec2.',
  hubert: 'hubert.',
  alexnet: '',
};

/** The same tensor under the name that the encoder's own state dict has today. */
export function encoderName(name: string, type: BuiltConfig['model_type']): string {
  const prefix = PREFIX[type];
  return (prefix !== '' && name.startsWith(prefix) ? name.slice(prefix.length) : name)
    .replace(/\bLayerNorm\.gamma$/, 'LayerNorm.weight')
    .replace(/\bLayerNorm\.beta$/, 'LayerNorm.bias')
    .replace(/\.parametrizations\.weight\.original0$/, '.weight_g')
    .replace(/\.parametrizations\.weight\.original1$/, '.weight_v');
}

/** Heads and training aids: parts that no hidden state depends on, so that leaving them out changes nothing. */
const TEXT_PARTS = [/^lm_head\./, /^cls\./, /pooler\./, /position_ids$/, /^classifier\./, /^qa_outputs\./];
const SPEECH_PARTS = [
  /^lm_head\./,
  /^masked_spec_embed$/,
  /^quantizer\./,
  /^project_(hid|q)\./,
  /^projector\./,
  /^classifier\./,
  /^layer_weights$/,
];

/** Whether a tensor that the graph does not use is known to have no influence. */
export function isWithoutInfluence(name: string, type: BuiltConfig['model_type']): boolean {
  if (type === 'alexnet') return name.startsWith('classifier.');
  const parts = ['wavlm', 'wav2vec2', 'hubert'].includes(type) ? SPEECH_PARTS : TEXT_PARTS;
  return parts.some((part) => part.test(name));
}
