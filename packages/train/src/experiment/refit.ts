import type { Fold } from '@lsgmer/datasets';
import { configure } from '../config/configuration.ts';
import { folderOf } from './execute.ts';
import { planExperiment, type VariantPlan } from './plan.ts';
import type { PlannedVariant } from './planned-variant.ts';
import type { ExperimentRequest } from './request.ts';

/**
 * For each finished run the same one on train and dev together, for as many epochs as the rule `dev` picked. Its test
 * part is the same; nothing of it decided anything.
 */
export function refitPlans(
  request: ExperimentRequest,
  variants: readonly PlannedVariant[],
): PlannedVariant[] {
  const folds = new Map(request.folds.map((fold) => [fold.id, fold]));
  // in the manifest's order, as a fold without a dev part has them: such a run is this one
  const together = ({ train, dev }: Fold): string[] => {
    const own = new Set([...train, ...dev]);
    return request.rows.flatMap(({ id }) => (own.has(id) ? [id] : []));
  };
  return variants.map((variant) => ({
    ...variant,
    refit: true,
    plans: variant.plans.flatMap((plan) =>
      plan.runs.flatMap((run): readonly VariantPlan[] => {
        const epochs = folderOf(request, run).state()?.chosen.dev?.epoch;
        const fold = folds.get(run.fold);
        if (epochs === undefined || fold === undefined)
          throw new Error(`${run.id}: nothing chosen by dev, so nothing to refit`);
        const { name, configuration } = plan.request;
        const set = { ...configuration.values, epochs };
        const own = {
          ...request,
          refit: false,
          role: 'refit' as const,
          select: 'last' as const,
          seeds: [run.seed],
          folds: [{ ...fold, train: together(fold), dev: [] }],
          variants: [
            { name: `${name} refit`, configuration: configure(request.head, [{ from: 'refit', set }]) },
          ],
        };
        return planExperiment(own).variants;
      }),
    ),
  }));
}
