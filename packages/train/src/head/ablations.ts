import type { HeadConfig } from './contract.ts';

/**
 * The paper's ablations as settings of the full head. Without label attention and APC nothing looks at the
 * label embeddings, so `no-lsma-joo` has none.
 */
export const ABLATIONS = {
  full: {},
  'no-ma': { 'ma.alpha': 0 },
  'no-joo': { 'loss.apc': 0 },
  'no-lsma-joo': { 'label.attention': false, 'loss.apc': 0 },
} as const satisfies { readonly [name: string]: HeadConfig };

export type Ablation = keyof typeof ABLATIONS;

/** The configuration with an ablation's settings laid over it. */
export function withAblation(config: HeadConfig, ablation: Ablation): HeadConfig {
  return { ...config, ...ABLATIONS[ablation] };
}
