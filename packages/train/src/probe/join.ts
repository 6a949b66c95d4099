import type { FeatureSource, LabelledId, Missing } from '../batches/source.ts';

/** Utterances that lack a row of one step or more in any of the sources, with the reasons. */
export function missingIn(rows: readonly LabelledId[], sources: readonly FeatureSource[]): Missing[] {
  return rows.flatMap(({ id }) => {
    const reasons = sources.flatMap((source) => {
      const steps = source.length(id);
      if (steps !== undefined && steps > 0) return [];
      const why = steps === 0 ? '0 steps' : source.reason?.(id);
      return [why === undefined ? `no ${source.feature}` : `no ${source.feature} (${why})`];
    });
    return reasons.length === 0 ? [] : [{ id, reason: reasons.join(', ') }];
  });
}
