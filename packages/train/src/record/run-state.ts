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
  /** Sum over updates of the gradient's length. */
  gradientNorm: z.number(),
  /** Sums over rows of the fusion gate's weights, audio and text; empty where the head has no gate. */
  gate: z.array(z.number()),
  /** Rows by the class that was predicted for them while training. */
  predicted: z.array(z.number().int()),
});
export type EpochSums = z.infer<typeof EpochSums>;

export const noSums: EpochSums = {
  loss: 0,
  ce: 0,
  apc: 0,
  right: 0,
  rows: 0,
  updates: 0,
  gradientNorm: 0,
  gate: [],
  predicted: [],
};

/** The epoch that a selection rule picks, with its score in the task's metric; so far, while a run is under way. */
export const ChosenEpoch = z.strictObject({
  epoch: z.number().int().nonnegative(),
  /** Of the part that the rule looks at; null under `last`, which looks at none. */
  score: z.number().nullable(),
});
export type ChosenEpoch = z.infer<typeof ChosenEpoch>;

/** By rule: `last` always, `dev` where there is a dev part, `oracle-test` where there is a test part. */
export const Chosen = z.strictObject({
  last: ChosenEpoch.optional(),
  dev: ChosenEpoch.optional(),
  'oracle-test': ChosenEpoch.optional(),
});
export type Chosen = z.infer<typeof Chosen>;

/**
 * state.json: how far a run is. Written last, after the files that it speaks of. Random numbers need no state:
 * they are drawn from seed, epoch, update and row.
 */
export const RunState = z.strictObject({
  format: z.literal(2),
  run: z.string(),
  status: z.enum(['running', 'finished']),
  /** Complete epochs. */
  epoch: z.number().int().nonnegative(),
  /** Updates done in the epoch under way. */
  position: z.number().int().nonnegative(),
  /** Updates done in all. */
  step: z.number().int().nonnegative(),
  sums: EpochSums,
  chosen: Chosen,
  /** Everything else that goes on from here; null once finished. */
  checkpoint: z.strictObject({ file: z.string(), sha256: z.string() }).nullable(),
});
export type RunState = z.infer<typeof RunState>;

/**
 * Scores of the utterances of a part that have all features, after an epoch. The counts are kept, so that any metric
 * under any rule for missing ones follows without training again.
 */
export const PartScores = z.strictObject({
  wa: z.number(),
  ua: z.number(),
  wf1: z.number(),
  mf1: z.number(),
  /** Mean of -ln p of the true class. */
  ce: z.number(),
  /** confusion[truth][prediction] */
  confusion: z.array(z.array(z.number().int())),
});
export type PartScores = z.infer<typeof PartScores>;

/** One line of metrics.jsonl. Means are over the epoch's utterances. */
export const EpochRecord = z.strictObject({
  /** From 1. */
  epoch: z.number().int().positive(),
  loss: z.number(),
  ce: z.number(),
  apc: z.number(),
  /** Share of training rows that were right, each at its update. */
  trainWa: z.number(),
  /** Mean over updates of the gradient's Euclidean length, before any clipping. */
  gradientNorm: z.number(),
  /** Mean weight of audio and text in the fusion gate, while training; null where the head has no gate. */
  gate: z.tuple([z.number(), z.number()]).nullable(),
  /** |L' - L| / |L| of the label embeddings over the epoch; null where the head has none. */
  labelMovement: z.number().nullable(),
  /** Cosine of each label embedding with its start. */
  labelCosines: z.array(z.number()),
  /** Learning rate of the last update. */
  lr: z.number(),
  updates: z.number().int(),
  utterances: z.number().int(),
  /** Training rows by the class that was predicted for them. */
  predicted: z.array(z.number().int()),
  /** The dev part after this epoch; null where there is none. */
  dev: PartScores.nullable(),
  /** The test part after this epoch; shown only under the selection rule. Null in trials of a sweep. */
  test: PartScores.nullable(),
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
