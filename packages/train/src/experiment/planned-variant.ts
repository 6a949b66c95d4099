import type { HeadConfig } from '../head/contract.ts';
import type { VariantPlan } from './plan.ts';

/** What stands beside a number that a sweep led to. */
export interface SweepNote {
  /** Configurations tried. */
  readonly tried: number;
  /** By fold: the settings that were best on its dev part, with that score (mean over seeds). */
  readonly chosen: readonly {
    readonly fold: string;
    readonly settings: HeadConfig;
    readonly score: number;
  }[];
}

/** A row of the result with the plans of its runs: one, or several where folds differ in their configuration. */
export interface PlannedVariant {
  readonly name: string;
  readonly plans: readonly VariantPlan[];
  /** How the configurations were chosen. */
  readonly sweep?: SweepNote | undefined;
  /** Trained on train and dev together, for as many epochs as dev picked. */
  readonly refit?: boolean;
}
