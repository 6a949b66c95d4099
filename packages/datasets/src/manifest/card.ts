import { z } from 'zod';

/** How a corpus is cut into folds. */
export const Protocol = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('leave-one-session-out') }),
  z.strictObject({ kind: z.literal('fixed-split'), train: z.array(z.string()), dev: z.array(z.string()), test: z.array(z.string()) }),
  /** Up to 10 speakers one fold each (`spk-<speaker>`), else k groups of speakers (`k01`..). */
  z.strictObject({ kind: z.literal('by-speaker'), k: z.number().int().min(2).optional() }),
  z.strictObject({ kind: z.literal('by-dialogue'), k: z.number().int().min(2) }),
]);
export type Protocol = z.infer<typeof Protocol>;

/** A task turns rawLabel into a class. Labels that no class lists are outside the task, and counted by label. */
export const Task = z.strictObject({
  name: z.string(),
  description: z.string(),
  /** In the order of the class index; `labels` are the rawLabels that make the class. */
  classes: z.array(z.strictObject({ name: z.string(), labels: z.array(z.string()).min(1) })).min(2),
  /** Utterances must have these tags (IEMOCAP's improvised-only task). */
  tags: z.record(z.string(), z.string()).optional(),
  /** Utterances in the task, when the corpus is whole. */
  expected: z.number().int().nonnegative().optional(),
  protocol: Protocol,
  metric: z.enum(['wa', 'ua', 'wf1', 'mf1']),
});
export type Task = z.infer<typeof Task>;

/** What a corpus must contain: committed under manifests/, one file a dataset. */
export const Card = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9._-]+$/),
  title: z.string(),
  adapter: z.enum(['iemocap', 'meld', 'table']),
  /** Generated data: results are headed so. */
  synthetic: z.boolean(),
  paper: z.string().nullable(),
  licence: z.string(),
  restricted: z.boolean(),
  layout: z.array(z.string()),
  tasks: z.array(Task).min(1),
});
export type Card = z.infer<typeof Card>;
