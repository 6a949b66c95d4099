import { UserError } from '@lsgmer/datasets';
import { z } from 'zod';

/** Sums over the updates of an epoch that is not complete yet; exact in JSON. */
export const EpochSums = z.strictObject({
  /** Sums over rows, weights taken out. */
  loss: z.number(),
  ce: z.number(),
  apc: z.number(),
  /** Rows classified right while training. */
  right: z.number().int(),
  rows: z.number().int(),
  updates: z.number().int(),
});
export type EpochSums = z.infer<typeof EpochSums>;

export const noSums: EpochSums = { loss: 0, ce: 0, apc: 0, right: 0, rows: 0, updates: 0 };

/**
 * state.json: how far a run is. Written last, after the files that it speaks of. Random numbers need no state:
 * they are drawn from seed, epoch, update and row.
 */
export const RunState = z.strictObject({
  format: z.literal(1),
  run: z.string(),
  status: z.enum(['running', 'finished']),
  /** Complete epochs. */
  epoch: z.number().int().nonnegative(),
  /** Updates done in the epoch under way. */
  position: z.number().int().nonnegative(),
  /** Updates done in all. */
  step: z.number().int().nonnegative(),
  sums: EpochSums,
  /** Parameters, moments and label averages at this point; null once finished. */
  checkpoint: z.strictObject({ file: z.string(), sha256: z.string() }).nullable(),
});
export type RunState = z.infer<typeof RunState>;

/**
 * Scores of the test utterances that have all features, after an epoch. The counts are kept, so that any metric
 * under any rule for missing ones follows without training again.
 */
export const TestScores = z.strictObject({
  wa: z.number(),
  ua: z.number(),
  wf1: z.number(),
  mf1: z.number(),
  /** confusion[truth][prediction] */
  confusion: z.array(z.array(z.number().int())),
});

/** One line of metrics.jsonl. Means are over the epoch's utterances. */
export const EpochRecord = z.strictObject({
  /** From 1. */
  epoch: z.number().int().positive(),
  loss: z.number(),
  ce: z.number(),
  apc: z.number(),
  /** Share of training rows that were right, each at its update. */
  trainWa: z.number(),
  /** |L' - L| / |L| of the label embeddings over the epoch; null where the head has none. */
  labelMovement: z.number().nullable(),
  /** Cosine of each label embedding with its start. */
  labelCosines: z.array(z.number()),
  updates: z.number().int(),
  utterances: z.number().int(),
  /** The test part after this epoch; shown only under the selection rule. */
  test: TestScores,
});
export type EpochRecord = z.infer<typeof EpochRecord>;

/** @throws UserError that names the file and says that its folder may be deleted */
export function parseState(text: string, where: string): RunState {
  return parse(RunState, text, where);
}

/** Reads metrics.jsonl. @throws UserError as `parseState` */
export function parseEpochs(text: string, where: string): EpochRecord[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line, i) => parse(EpochRecord, line, `${where}:${i + 1}`));
}

function parse<T>(schema: z.ZodType<T>, text: string, where: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    throw new UserError(`${where}: damaged run record; delete its folder and train again`);
  }
}
