import { UserErrors } from '@lsgmer/datasets';
import { z } from 'zod';

const Percent = z.number().min(0).max(100);

/** A row that a paper prints, in percent. */
export const PublishedRow = z.strictObject({
  method: z.string().min(1),
  /** Where it is printed. */
  paper: z.string().min(1),
  /** A: speech, T: text. */
  modality: z.enum(['A', 'T', 'A+T']),
  scores: z
    .strictObject({ wa: Percent, ua: Percent, wf1: Percent, mf1: Percent })
    .partial()
    .refine((scores) => Object.keys(scores).length > 0, 'a row has one score at least'),
});
export type PublishedRow = z.infer<typeof PublishedRow>;

/** recipes/published/*.json: what papers print of a task. */
export const PublishedTable = z.strictObject({
  dataset: z.string().min(1),
  task: z.string().min(1),
  /** Which epoch the numbers are from: unknown, unless their papers say so. */
  selection: z.enum(['unknown', 'last', 'dev', 'oracle-test']),
  source: z.string().min(1),
  rows: z.array(PublishedRow).min(1),
});
export type PublishedTable = z.infer<typeof PublishedTable>;

/**
 * Checks a table's JSON text.
 * @param where the file, for messages
 * @throws UserErrors with all problems at once
 */
export function parsePublished(text: string, where: string): PublishedTable {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw new UserErrors([`${where}: not JSON: ${(error as Error).message}`]);
  }
  const parsed = PublishedTable.safeParse(data);
  if (parsed.success) return parsed.data;
  throw new UserErrors(
    parsed.error.issues.map(({ path, message }) => `${where}: ${path.map(String).join('.')}: ${message}`),
  );
}
