import { RandomWeights } from '../../src/encoders/weight-source.ts';

/** The rule of test/golden/encoders/seeded.py. */
export function goldenWeights(seed: number): RandomWeights {
  return new RandomWeights(seed, (name) => {
    if (/norm\.weight$/i.test(name) || name.endsWith('gru_rel_pos_const')) return { mean: 1, sd: 0.3 };
    if (name.endsWith('rel_attn_embed.weight') || name.startsWith('input')) return { mean: 0, sd: 1 };
    if (name.startsWith('picture')) return { mean: 0.5, sd: 0.25 };
    return { mean: 0, sd: name.endsWith('bias') ? 0.15 : 0.3 };
  });
}
