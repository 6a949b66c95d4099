import { UserError } from '@lsgmer/datasets';
import type { EncoderModel } from './model-folder.ts';
import { TINY_NAMES, makeTinyModel } from './tiny.ts';

/** Names of the feature presets (`FEATURES=`), and the features that each consists of. */
export const FEATURE_PRESETS = {
  tiny: TINY_NAMES,
  paper: ['roberta-base', 'wavlm-large', 'alexnet-mel'],
} as const;
export type FeaturePreset = keyof typeof FEATURE_PRESETS;

/** Where the weights of the paper's encoders come from. */
const PAPER_WEIGHTS = [
  'roberta-base (Hugging Face: FacebookAI/roberta-base)',
  'wavlm-large (Hugging Face: microsoft/wavlm-large)',
  'alexnet-mel (torchvision: alexnet-owt-7be5be79.pth)',
];

export interface PresetOptions {
  /** Folder in which models lie. */
  readonly models: string;
  /** All texts of the corpus, from which the tiny tokenizer is built. */
  readonly texts: readonly string[];
}

/**
 * The models of a preset, made on the spot where they can be.
 * @throws UserError for another name, and for a preset whose weights are not there
 */
export function preparePreset(name: string, { models, texts }: PresetOptions): EncoderModel[] {
  switch (name) {
    case 'tiny':
      return TINY_NAMES.map((tiny) => makeTinyModel(tiny, models, texts));
    case 'paper':
      throw new UserError(
        `FEATURES=paper needs pretrained weights, which this version cannot load yet: ${PAPER_WEIGHTS.join(', ')}; ` +
          'FEATURES=tiny runs the whole pipeline with random encoders instead',
      );
    default:
      throw new UserError(
        `unknown feature preset "${name}": expected ${Object.keys(FEATURE_PRESETS).join(' or ')}`,
      );
  }
}
