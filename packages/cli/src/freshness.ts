import { type FeatureSpec, UNCHECKED_INPUT, type Utterance } from '@lsgmer/datasets';
import { audioInput, textInput } from '@lsgmer/extract';

/** Digests of what was encoded, and of what there is now. */
export interface StaleInput {
  readonly encoded: string;
  readonly now: string;
}

/**
 * Rows whose text or recording is no longer what was encoded: the manifest says another digest than the feature
 * set. Where the manifest has no digest of a recording (built without reading it) nothing can be said.
 * @param inputs digest of what was encoded, by id
 * @returns both digests, by id
 */
export function staleRows(
  kind: FeatureSpec['kind'],
  inputs: ReadonlyMap<string, string>,
  utterances: readonly Utterance[],
): Map<string, StaleInput> {
  const stale = new Map<string, StaleInput>();
  for (const utterance of utterances) {
    const encoded = inputs.get(utterance.id);
    if (encoded === undefined || encoded === UNCHECKED_INPUT) continue;
    if (kind === 'audio' && utterance.media !== null && utterance.media.sha256 === null) continue;
    const now = kind === 'text' ? textInput(utterance) : audioInput(utterance, new Map());
    if (now !== encoded) stale.set(utterance.id, { encoded, now });
  }
  return stale;
}

/**
 * Digest of what a feature made elsewhere belongs to: the text, or the recording where the manifest knows its digest.
 */
export function importInput(kind: FeatureSpec['kind'], utterance: Utterance): string {
  if (kind === 'text') return textInput(utterance);
  return (utterance.media?.sha256 ?? null) === null ? UNCHECKED_INPUT : audioInput(utterance, new Map());
}
