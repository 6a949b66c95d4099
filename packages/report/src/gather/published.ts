import type { MetricKey } from '@lsgmer/train';

/** A row that a paper prints; in percent. */
export interface PublishedRow {
  readonly method: string;
  readonly paper: string;
  readonly modality: string;
  readonly scores: { readonly [key in MetricKey]?: number };
}
