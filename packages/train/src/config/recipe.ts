import { UserErrors } from '@lsgmer/datasets';
import { z } from 'zod';

const Value = z.union([z.string(), z.number(), z.boolean()]);
const Settings = z.record(z.string(), Value);
const Name = z.string().regex(/^[A-Za-z0-9._-]+$/);

/**
 * Which cached feature feeds which input of the head: a name, or name@fingerprint-prefix. `alexnet` is the
 * spectrogram map. An input that no variant of the recipe uses may be left out.
 */
export const FeatureChoice = z.strictObject({
  text: z.string().min(1).optional(),
  audio: z.string().min(1).optional(),
  alexnet: z.string().min(1).optional(),
});
export type FeatureChoice = z.infer<typeof FeatureChoice>;

/** A variant: one row of the result's table, the same folds and seeds under other settings. */
export const Variant = z.strictObject({ name: Name, description: z.string().optional(), set: Settings });
export type Variant = z.infer<typeof Variant>;

/**
 * What happens to a test utterance without a feature: an error; the modality is masked (one without any feature counts as
 * wrong); it counts as wrong; it is left out, which makes the result incomparable.
 */
export const MissingRule = z.enum(['error', 'mask', 'wrong', 'drop']);
export type MissingRule = z.infer<typeof MissingRule>;

/**
 * The rule that picks the epoch a result is taken from; it stands beside every number. `last`: the last one. `dev`: the
 * best on a dev part that training never sees. `oracle-test`: the best on the test part itself, as much of the
 * literature does; such a number flatters, and is never shown without its name. Best in the task's main metric, the
 * earliest on ties, for each fold; every metric then comes from that epoch.
 */
export const SelectionRule = z.enum(['last', 'dev', 'oracle-test']);
export const selectionRules = SelectionRule.options;
export type SelectionRule = z.infer<typeof SelectionRule>;

/** recipes/<name>/recipe.json: a whole experiment as data. */
export const Recipe = z.strictObject({
  description: z.string().min(1),
  dataset: Name,
  /** The card's first task when left out. */
  task: Name.optional(),
  head: z.string().default('lsgmer'),
  features: FeatureChoice,
  /** Settings of all variants. */
  set: Settings.default({}),
  folds: z.union([z.literal('all'), z.array(z.string()).min(1)]).default('all'),
  seeds: z.array(z.number().int().nonnegative()).min(1),
  variants: z.array(Variant).min(1),
  select: SelectionRule.default('last'),
  missing: MissingRule.default('error'),
  /** Threads of a training step, no part of a run's identity: a small head is fastest on one. All cores when left out. */
  threads: z.number().int().positive().optional(),
});
export type Recipe = z.infer<typeof Recipe>;

/**
 * Checks a recipe's JSON text.
 * @param where the file, for messages
 * @throws UserErrors with all problems at once: no JSON, unknown or missing keys, bad values, doubled names.
 */
export function parseRecipe(text: string, where: string): Recipe {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    throw new UserErrors([`${where}: not JSON: ${(error as Error).message}`]);
  }
  const parsed = Recipe.safeParse(data);
  if (!parsed.success) {
    throw new UserErrors(
      parsed.error.issues.map((issue) => {
        const path = issue.path.map(String).join('.');
        return `${where}: ${path === '' ? '' : `${path}: `}${issue.message}`;
      }),
    );
  }
  const problems: string[] = [];
  const repeated = <T>(items: readonly T[]): T[] => [
    ...new Set(items.filter((x, i) => items.indexOf(x) !== i)),
  ];
  for (const name of repeated(parsed.data.variants.map((v) => v.name)))
    problems.push(`${where}: variants: the name ${name} occurs twice`);
  for (const seed of repeated(parsed.data.seeds)) problems.push(`${where}: seeds: ${seed} occurs twice`);
  if (problems.length > 0) throw new UserErrors(problems);
  return parsed.data;
}
