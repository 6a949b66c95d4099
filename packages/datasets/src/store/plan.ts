import type { FeatureSetIndex } from './index-union.ts';

/** One utterance and the sha256 of what would be encoded for it. */
export interface WantedRow {
  readonly id: string;
  readonly input: string;
}

/** What is left to compute, as ids in the order of the question. Every wanted id is in exactly one list. */
export interface ExtractionPlan {
  /** Never computed. */
  readonly todo: string[];
  /** Computed or quarantined, but from an input that has changed since. */
  readonly stale: string[];
  readonly done: string[];
  /** Could not be computed, and the input is still the same. */
  readonly quarantined: string[];
}

/** Compares what a manifest asks for with what a feature set holds. Pure. */
export function planExtraction(
  wanted: Iterable<WantedRow>,
  index: Pick<FeatureSetIndex, 'rows' | 'quarantined'>,
): ExtractionPlan {
  const plan: ExtractionPlan = { todo: [], stale: [], done: [], quarantined: [] };
  for (const { id, input } of wanted) {
    const row = index.rows.get(id);
    const held = row ?? index.quarantined.get(id);
    if (!held) plan.todo.push(id);
    else if (held.input !== input) plan.stale.push(id);
    else (row ? plan.done : plan.quarantined).push(id);
  }
  return plan;
}
