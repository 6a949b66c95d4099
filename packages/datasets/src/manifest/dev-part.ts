import { UserError } from '../base/errors.ts';
import { Rng } from '../base/rng.ts';
import type { Fold } from './folds.ts';
import { compareIds, type Utterance } from './utterance.ts';

/** How a dev part is carved from training data. */
export type DevRule =
  | { readonly kind: 'none' }
  /** Without a name: the session after the tested one, after the last the first. */
  | { readonly kind: 'session'; readonly session: string | null }
  /** Whole dialogues or speakers in seeded order until they hold that share of the training rows. */
  | { readonly kind: 'dialogue' | 'speaker'; readonly share: number; readonly seed: number };

const SHARE = 0.1;
const SEED = 1;
const FORMS = 'none, session[:name], dialogue[:share[:seed]] or speaker[:share[:seed]]';

/** `none`, `session`, `session:Ses03`, `dialogue:0.15`, `speaker:0.1:7`. @throws UserError that shows the forms. */
export function parseDevRule(text: string): DevRule {
  const [kind, first, second, ...more] = text.trim().split(':');
  const wrong = () => new UserError(`--dev ${text}: expected ${FORMS}`);
  if (more.length > 0) throw wrong();
  if (kind === 'none' && first === undefined) return { kind };
  if (kind === 'session' && second === undefined && first !== '') return { kind, session: first ?? null };
  if (kind !== 'dialogue' && kind !== 'speaker') throw wrong();
  const share = first === undefined ? SHARE : Number(first);
  if (first === '' || !(share > 0 && share < 1))
    throw new UserError(`--dev ${text}: the share of the training rows must be above 0 and under 1`);
  if (second !== undefined && !/^\d+$/.test(second)) throw wrong();
  return { kind, share, seed: second === undefined ? SEED : Number(second) };
}

/** A rule as `parseDevRule` reads it. */
export function devRuleText(rule: DevRule): string {
  if (rule.kind === 'none') return rule.kind;
  if (rule.kind === 'session') return rule.session === null ? rule.kind : `${rule.kind}:${rule.session}`;
  return `${rule.kind}:${rule.share}:${rule.seed}`;
}

/** A fold whose dev part was carved, and what dev and training still have in common. */
export interface CarvedFold extends Fold {
  /** Dialogues with rows in both, and the dev rows in them; carving by speaker cuts dialogues in two. */
  readonly sharedDialogues: number;
  readonly sharedRows: number;
}

/**
 * Moves training rows of a fold into its dev part; the test part stays.
 * @throws UserError where the fold has a dev part already, or nothing can be carved.
 */
export function carveDev(fold: Fold, rule: DevRule, utterances: readonly Utterance[]): CarvedFold {
  if (rule.kind === 'none') return { ...fold, sharedDialogues: 0, sharedRows: 0 };
  if (fold.dev.length > 0) {
    throw new UserError(
      `fold ${fold.id} has a dev part of ${fold.dev.length} utterances: carve another from train and dev together with --protocol fixed-split+dev`,
    );
  }
  const byId = new Map(utterances.map((row) => [row.id, row]));
  const train = fold.train.map((id) => byId.get(id) as Utterance);
  const test = fold.test.map((id) => byId.get(id) as Utterance);
  const field = rule.kind;
  const chosen =
    rule.kind === 'session' ? nextSession(fold, rule.session, train, test) : sharedOut(fold, rule, train);
  const dev = train.filter((row) => chosen.has(row[field] as string));
  const rest = train.filter((row) => !chosen.has(row[field] as string));
  if (rest.length === 0)
    throw new UserError(`fold ${fold.id}: a dev part by ${field} leaves nothing to train on`);
  const kept = new Set(rest.map((row) => row.dialogue).filter((dialogue) => dialogue !== null));
  const both = dev.filter((row) => row.dialogue !== null && kept.has(row.dialogue));
  return {
    ...fold,
    train: rest.map((row) => row.id),
    dev: dev.map((row) => row.id),
    sharedDialogues: new Set(both.map((row) => row.dialogue)).size,
    sharedRows: both.length,
  };
}

/** The first session after those tested, in their order and round the end, of which nothing is tested. */
function nextSession(
  fold: Fold,
  named: string | null,
  train: readonly Utterance[],
  test: readonly Utterance[],
): Set<string> {
  needField(fold, train, 'session');
  const tested = new Set(test.map((row) => row.session));
  const free = [...new Set(train.map((row) => row.session as string))]
    .filter((session) => !tested.has(session))
    .sort(compareIds);
  if (named !== null) {
    if (free.includes(named)) return new Set([named]);
    throw new UserError(
      `fold ${fold.id}: session ${named} cannot be its dev part: ${free.length === 0 ? 'every session is tested' : `choose one of ${free.join(', ')}`}`,
    );
  }
  const last = [...tested]
    .filter((session) => session !== null)
    .sort(compareIds)
    .at(-1);
  const next = free.find((session) => last === undefined || compareIds(session, last) > 0) ?? free[0];
  if (next === undefined || free.length < 2) {
    throw new UserError(
      `fold ${fold.id}: a dev part by session needs two sessions that are not tested, found ${free.length === 0 ? 'none' : free.join(', ')}`,
    );
  }
  return new Set([next]);
}

function sharedOut(
  fold: Fold,
  rule: Extract<DevRule, { kind: 'dialogue' | 'speaker' }>,
  train: readonly Utterance[],
): Set<string> {
  needField(fold, train, rule.kind);
  const sizes = new Map<string, number>();
  for (const row of train) {
    const value = row[rule.kind] as string;
    sizes.set(value, (sizes.get(value) ?? 0) + 1);
  }
  if (sizes.size < 2) {
    throw new UserError(
      `fold ${fold.id}: a dev part by ${rule.kind} needs two of them in training, found ${sizes.size}`,
    );
  }
  const order = Rng.for('dev part', rule.kind, fold.id, rule.seed).shuffle(
    [...sizes.keys()].sort(compareIds),
  );
  const wanted = rule.share * train.length;
  const chosen = new Set<string>();
  let rows = 0;
  for (const value of order) {
    if (rows >= wanted || chosen.size === order.length - 1) break;
    chosen.add(value);
    rows += sizes.get(value) as number;
  }
  return chosen;
}

function needField(fold: Fold, rows: readonly Utterance[], field: 'session' | 'dialogue' | 'speaker'): void {
  const without = rows.filter((row) => row[field] === null);
  if (without.length === 0) return;
  throw new UserError(
    `fold ${fold.id}: a dev part by ${field} needs a ${field} for every training utterance: ${without.length} of ${rows.length} have none (first: ${without[0]?.id})`,
  );
}
