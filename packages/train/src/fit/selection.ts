import type { SelectionRule } from '../config/recipe.ts';
import type { Chosen, ChosenEpoch } from '../record/run-state.ts';
import type { Safetensors } from './safetensors.ts';

/** Rules that look for a best epoch. */
export type SearchingRule = Exclude<SelectionRule, 'last'>;
export const searchingRules: readonly SearchingRule[] = ['dev', 'oracle-test'];

interface Best extends ChosenEpoch {
  /** The parameters that evaluation saw. */
  readonly parameters: Float32Array;
}

/** Keeps the best epoch so far for each rule: the highest score, the earliest on ties, with its parameters. */
export class EpochSelection {
  private readonly best = new Map<SearchingRule, Best>();

  /** @param parameters copies what evaluation saw; called only where the epoch is kept */
  offer(rule: SearchingRule, epoch: number, score: number, parameters: () => Float32Array): void {
    const known = this.best.get(rule)?.score ?? -Infinity;
    if (score > known) this.best.set(rule, { epoch, score, parameters: parameters() });
  }

  of(rule: SearchingRule): Best | undefined {
    return this.best.get(rule);
  }

  get chosen(): Chosen {
    const entries = [...this.best].map(([rule, { epoch, score }]) => [rule, { epoch, score }]);
    return Object.fromEntries(entries) as Chosen;
  }

  /** For a checkpoint, beside `chosen`. */
  tensors(): Safetensors['tensors'] {
    const entries = [...this.best].map(([rule, { parameters }]) => [
      `chosen.${rule}`,
      { shape: [parameters.length], values: parameters },
    ]);
    return Object.fromEntries(entries) as Safetensors['tensors'];
  }

  restore(chosen: Chosen, tensors: Safetensors['tensors']): void {
    for (const rule of searchingRules) {
      const found = chosen[rule];
      if (found === undefined) continue;
      const parameters = tensors[`chosen.${rule}`]?.values;
      if (parameters === undefined) throw new Error(`checkpoint: no parameters chosen by ${rule}`);
      this.best.set(rule, { ...found, parameters });
    }
  }
}
