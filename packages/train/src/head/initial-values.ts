import { Rng } from '@lsgmer/datasets';
import type { ParameterSpec } from './contract.ts';

/** Seeds of the two random streams: equal weights with other label embeddings, or the reverse, are one number away. */
export interface InitialSeeds {
  readonly weights: number;
  readonly labels: number;
}

/**
 * The flat parameter vector before the first step. Each parameter draws from a generator of its own, named after
 * stream, seed and parameter, so that an option that adds or removes one leaves all others as they were.
 */
export function initialValues(specs: readonly ParameterSpec[], seeds: InitialSeeds): Float32Array {
  const sizes = specs.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  const out = new Float32Array(sizes.reduce((a, b) => a + b, 0));
  let at = 0;
  specs.forEach(({ name, init, stream }, index) => {
    const end = at + (sizes[index] as number);
    if (init.kind === 'constant') out.fill(init.value, at, end);
    else {
      const rng = Rng.for('initial', stream, seeds[stream], name);
      const draw =
        init.kind === 'normal' ? () => init.sd * rng.normal() : () => init.bound * (2 * rng.uniform() - 1);
      for (let i = at; i < end; i++) out[i] = draw();
    }
    at = end;
  });
  return out;
}
