import { z } from 'zod';
import { UserErrors } from '../base/errors.ts';
import { nearest } from '../base/nearest.ts';
import { schemaProblems } from '../base/schema-problems.ts';
import { readJsonFile } from '../base/text-file.ts';
import { FINDING_KINDS } from './finding.ts';

const Count = z.number().int().nonnegative();
const Counts = z.record(z.string(), Count);

/** What rows of the two sides of a fold can share, widest first; `recording` is an episode or a long recording. */
export const LEAK_ASPECTS = ['speaker', 'dialogue', 'recording', 'text', 'span', 'audio'] as const;
export type LeakAspect = (typeof LEAK_ASPECTS)[number];

/** What the sides of its folds share by design: known, no warning. */
const shared = z.array(z.enum(LEAK_ASPECTS)).optional();

/** How a corpus is cut into folds. */
export const Protocol = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('leave-one-session-out'), shared }),
  /** One fold a speaker (`spk-<speaker>`), however many there are. */
  z.strictObject({ kind: z.literal('leave-one-speaker-out') }),
  z.strictObject({
    kind: z.literal('fixed-split'),
    train: z.array(z.string()).min(1),
    dev: z.array(z.string()),
    test: z.array(z.string()).min(1),
    shared,
  }),
  /** Up to 10 speakers one fold each (`spk-<speaker>`), else k groups of speakers (`k01`..; k is 5 when not given). */
  z.strictObject({ kind: z.literal('by-speaker'), k: z.number().int().min(2).optional() }),
  z.strictObject({ kind: z.literal('by-dialogue'), k: z.number().int().min(2) }),
  /** Utterances at random: speakers and dialogues are on both sides, which such a result must say. */
  z.strictObject({
    kind: z.literal('random'),
    k: z.number().int().min(2),
    seed: z.number().int().nonnegative(),
  }),
]);
export type Protocol = z.infer<typeof Protocol>;

/** What a task must contain when the corpus is whole, beside its total; keys are the values found in the manifest. */
export const TaskCounts = z.strictObject({
  classes: Counts.optional(),
  sessions: Counts.optional(),
  splits: Counts.optional(),
  speakers: Counts.optional(),
  /** Session, then class. */
  classesBySession: z.record(z.string(), Counts).optional(),
  /** Split, then class. */
  classesBySplit: z.record(z.string(), Counts).optional(),
});
export type TaskCounts = z.infer<typeof TaskCounts>;

/** A task turns a label into a class. Labels that no class lists are outside the task, and counted by label. */
export const Task = z
  .strictObject({
    name: z.string().regex(/^[A-Za-z0-9._-]+$/),
    description: z.string(),
    /** Which label is meant: the corpus's own (`rawLabel`, when absent), or the sentiment that stands beside it. */
    label: z.literal('sentiment').optional(),
    /** In the order of the class index; `labels` are the labels that make the class. */
    classes: z.array(z.strictObject({ name: z.string().min(1), labels: z.array(z.string()).min(1) })).min(2),
    /** Utterances must have these tags (IEMOCAP's improvised-only task). */
    tags: z.record(z.string(), z.string()).optional(),
    /** Utterances in the task, when the corpus is whole. */
    expected: Count.optional(),
    counts: TaskCounts.optional(),
    protocol: Protocol,
    metric: z.enum(['wa', 'ua', 'wf1', 'mf1']),
  })
  .superRefine((task, context) => {
    const report = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path, message });
    const owner = new Map<string, string>();
    const names = new Set<string>();
    task.classes.forEach((one, i) => {
      if (names.has(one.name)) report(['classes', i, 'name'], `class ${one.name} is there twice`);
      names.add(one.name);
      for (const label of one.labels) {
        const other = owner.get(label);
        if (other !== undefined)
          report(['classes', i, 'labels'], `label ${label} is already in class ${other}`);
        owner.set(label, one.name);
      }
    });
  });
export type Task = z.infer<typeof Task>;

/** What the whole corpus must contain, whatever the task. */
export const CorpusCounts = z.strictObject({
  /** Rows with a label. */
  labelled: Count.optional(),
  /** Rows by rawLabel. */
  labels: Counts.optional(),
  /** Rows with a label by session and by split. */
  sessions: Counts.optional(),
  splits: Counts.optional(),
  speakers: Counts.optional(),
  /** Distinct dialogues. */
  dialogues: Count.optional(),
});
export type CorpusCounts = z.infer<typeof CorpusCounts>;

/**
 * What is done about a defect: `skip` leaves the file or line out, `repair` reads it as what was meant (rawText stays),
 * `keep` takes the row as it is, with media null and a tag where there is no recording to use.
 */
export const DefectPolicy = z.enum(['skip', 'repair', 'keep']);

/** Something that is wrong with every copy of a corpus: its findings are `known`, up to their number and no further. */
export const Defect = z
  .strictObject({
    kind: z.enum(FINDING_KINDS),
    /** Ids that it concerns, exact or with `*` for any characters; absent: any. */
    ids: z.array(z.string().min(1)).min(1).optional(),
    /** Files that it concerns (relative to the corpus root), written in the same way. */
    files: z.array(z.string().min(1)).min(1).optional(),
    /** What the finding says was found, in the same way, where kind and place do not tell it from another. */
    found: z.array(z.string().min(1)).min(1).optional(),
    /** Findings that it explains at most. */
    count: Count,
    policy: DefectPolicy,
    /** Who says so. */
    source: z.string().min(1),
    note: z.string().min(1),
  })
  .superRefine((defect, context) => {
    const exact = (defect.ids ?? []).filter((id) => !id.includes('*'));
    if (exact.length > defect.count) {
      const message = `${exact.length} ids, but a count of ${defect.count}`;
      context.addIssue({ code: 'custom', path: ['count'], message });
    }
  });
export type Defect = z.infer<typeof Defect>;

/** What a corpus must contain: committed under manifests/, one file a dataset. */
export const Card = z
  .strictObject({
    name: z.string().regex(/^(?!\.{1,2}$)[A-Za-z0-9._-]+$/),
    title: z.string(),
    adapter: z.enum(['iemocap', 'meld', 'table']),
    /** Generated data: results are headed so. */
    synthetic: z.boolean(),
    paper: z.string().nullable(),
    licence: z.string(),
    restricted: z.boolean(),
    layout: z.array(z.string()),
    /** Every rawLabel that the corpus writes; any other is reported. Absent: all labels are taken as they come. */
    labels: z.array(z.string()).optional(),
    expected: CorpusCounts.optional(),
    /** What is known to be wrong with every copy. Narrow ones first: a finding counts for the first that fits. */
    defects: z.array(Defect).optional(),
    tasks: z.array(Task).min(1),
  })
  .superRefine((card, context) => {
    const names = card.tasks.map((task) => task.name);
    names.forEach((name, i) => {
      if (names.indexOf(name) < i) {
        context.addIssue({
          code: 'custom',
          path: ['tasks', i, 'name'],
          message: `task ${name} is there twice`,
        });
      }
    });
  });
export type Card = z.infer<typeof Card>;

/**
 * A card from anywhere.
 * @throws UserErrors with one line for each problem: `manifests/x.json: tasks[0].metric: ...`
 */
export function loadCard(file: string): Card {
  const parsed = Card.safeParse(readJsonFile(file));
  if (!parsed.success) throw new UserErrors(schemaProblems(parsed.error).map((line) => `${file}: ${line}`));
  const problems = unknownLabels(parsed.data);
  if (problems.length > 0) throw new UserErrors(problems.map((line) => `${file}: ${line}`));
  return parsed.data;
}

/** Labels of classes that are not among the corpus's: their utterances would fall out of the task without a word. */
function unknownLabels({ labels, tasks }: Card): string[] {
  if (labels === undefined) return [];
  const problems: string[] = [];
  for (const task of tasks.filter(({ label }) => label === undefined))
    for (const { name, labels: own } of task.classes)
      for (const label of own)
        if (!labels.includes(label))
          problems.push(
            `task ${task.name}: class ${name}: the corpus has no label '${label}'; the nearest of its labels is ${nearest(label, labels) ?? 'none'}`,
          );
  return problems;
}
