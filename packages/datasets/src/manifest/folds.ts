import { UserError } from '../base/errors.ts';
import { Rng } from '../base/rng.ts';
import type { Protocol } from './card.ts';
import { compareIds, type Utterance } from './utterance.ts';

/** Ids of the utterances of each part, in the manifest's order. */
export interface Fold {
  readonly id: string;
  readonly train: readonly string[];
  readonly dev: readonly string[];
  readonly test: readonly string[];
}

/** With more speakers than this, speakers are grouped. */
const SINGLE_SPEAKER_FOLDS = 10;
const SPEAKER_GROUPS = 5;

/**
 * Cuts utterances (those of a task, in the manifest's order) into folds. The same utterances give the same folds.
 * Groups of speakers or dialogues need no random number: the largest member comes first, always to the smallest
 * group. Random folds follow the protocol's seed.
 * @throws UserError where the utterances lack what the protocol needs.
 */
export function planFolds(protocol: Protocol, utterances: readonly Utterance[]): Fold[] {
  if (utterances.length === 0) throw new UserError('no folds: the task has no utterance in this manifest');
  const folds = plan(protocol, utterances);
  checkFolds(folds);
  return folds;
}

function plan(protocol: Protocol, utterances: readonly Utterance[]): Fold[] {
  if (protocol.kind === 'fixed-split') return [fixedSplit(protocol, utterances)];
  if (protocol.kind === 'leave-one-session-out') {
    const sessions = membersOf(utterances, 'session');
    return leaveOneOut(utterances, 'session', new Map([...sessions.keys()].map((key) => [key, key])));
  }
  if (protocol.kind === 'by-dialogue') {
    const dialogues = membersOf(utterances, 'dialogue');
    return leaveOneOut(utterances, 'dialogue', groupEvenly(dialogues, protocol.k, 'dialogue'));
  }
  if (protocol.kind === 'random') return randomFolds(protocol, utterances);
  const speakers = membersOf(utterances, 'speaker');
  const foldOf =
    protocol.kind === 'leave-one-speaker-out' || speakers.size <= SINGLE_SPEAKER_FOLDS
      ? speakerFoldIds([...speakers.keys()])
      : groupEvenly(speakers, protocol.k ?? SPEAKER_GROUPS, 'speaker');
  return leaveOneOut(utterances, 'speaker', foldOf);
}

type Field = 'session' | 'speaker' | 'dialogue';

/** Values of a field, sorted, with the number of utterances of each. */
function membersOf(utterances: readonly Utterance[], field: Field): Map<string, number> {
  const counts = new Map<string, number>();
  const without: string[] = [];
  for (const utterance of utterances) {
    const value = utterance[field];
    if (value === null) without.push(utterance.id);
    else counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  if (without.length > 0) {
    throw new UserError(
      `folds by ${field} need a ${field} for every utterance: ${without.length} of ${utterances.length} have none (first: ${without[0]})`,
    );
  }
  if (counts.size < 2) {
    throw new UserError(
      `folds by ${field} need two of them: the task's utterances are all of ${[...counts.keys()][0]}`,
    );
  }
  return new Map([...counts].sort(([a], [b]) => compareIds(a, b)));
}

/** One fold for each fold id that `foldOf` gives a member; its members are the test part, all others train. */
function leaveOneOut(
  utterances: readonly Utterance[],
  field: Field,
  foldOf: ReadonlyMap<string, string>,
): Fold[] {
  const ids = [...new Set(foldOf.values())].sort(compareIds);
  return ids.map((id) => {
    const train: string[] = [];
    const test: string[] = [];
    for (const utterance of utterances) {
      (foldOf.get(utterance[field] as string) === id ? test : train).push(utterance.id);
    }
    return { id, train, dev: [], test };
  });
}

/** `spk-<speaker>`, with characters that a fold id cannot hold replaced; equal results get a number. */
function speakerFoldIds(speakers: readonly string[]): Map<string, string> {
  const used = new Set<string>();
  return new Map(
    speakers.map((speaker) => {
      const plain = `spk-${speaker.replaceAll(/[^A-Za-z0-9._-]/g, '_')}`;
      let id = plain;
      for (let n = 2; used.has(id); n++) id = `${plain}-${n}`;
      used.add(id);
      return [speaker, id];
    }),
  );
}

/** k folds `k01`.. of utterances in random order, sizes differing by one at most. */
function randomFolds(
  { k, seed }: Extract<Protocol, { kind: 'random' }>,
  utterances: readonly Utterance[],
): Fold[] {
  if (k > utterances.length)
    throw new UserError(`${k} random folds need ${k} utterances: there are ${utterances.length}`);
  const ids = groupIds(k);
  const order = Rng.for('random folds', seed).shuffle(utterances.map((_, i) => i));
  const foldOf = new Map(order.map((row, i) => [row, ids[i % k] as string]));
  return ids.map((id) => ({
    id,
    train: utterances.filter((_, i) => foldOf.get(i) !== id).map((row) => row.id),
    dev: [],
    test: utterances.filter((_, i) => foldOf.get(i) === id).map((row) => row.id),
  }));
}

function groupIds(k: number): string[] {
  const width = Math.max(2, String(k).length);
  return Array.from({ length: k }, (_, i) => `k${String(i + 1).padStart(width, '0')}`);
}

/** Members to k groups `k01`.. of about equal size. */
function groupEvenly(members: ReadonlyMap<string, number>, k: number, what: Field): Map<string, string> {
  if (k > members.size)
    throw new UserError(`${k} folds by ${what} need ${k} of them: there are ${members.size}`);
  const groups = groupIds(k).map((id) => ({ id, size: 0 }));
  const bySize = [...members].sort(([a, m], [b, n]) => n - m || compareIds(a, b));
  return new Map(
    bySize.map(([member, size]) => {
      const smallest = groups.reduce((best, group) => (group.size < best.size ? group : best));
      smallest.size += size;
      return [member, smallest.id];
    }),
  );
}

function fixedSplit(
  protocol: Extract<Protocol, { kind: 'fixed-split' }>,
  utterances: readonly Utterance[],
): Fold {
  const part = (splits: readonly string[]) =>
    utterances.filter((u) => u.split !== null && splits.includes(u.split)).map((u) => u.id);
  const fold = {
    id: 'test',
    train: part(protocol.train),
    dev: part(protocol.dev),
    test: part(protocol.test),
  };
  for (const name of ['train', 'test'] as const) {
    if (fold[name].length > 0) continue;
    const found = [...new Set(utterances.map((u) => u.split ?? '(none)'))].sort(compareIds).join(', ');
    throw new UserError(
      `the fixed split has no ${name} utterance: expected split ${protocol[name].join(' or ')}, found ${found}`,
    );
  }
  return fold;
}

/**
 * Whether a speaker of a test part is also heard in that fold's training: such a result says so wherever it is
 * shown. Random folds are taken to be, also where the corpus does not name its speakers.
 */
export function isSpeakerDependent(
  protocol: Protocol,
  folds: readonly Fold[],
  utterances: readonly Utterance[],
): boolean {
  if (protocol.kind === 'random') return true;
  const speakerOf = new Map(utterances.map((row) => [row.id, row.speaker]));
  return folds.some((fold) => {
    const heard = new Set(fold.train.map((id) => speakerOf.get(id)));
    return fold.test.some((id) => (speakerOf.get(id) ?? null) !== null && heard.has(speakerOf.get(id)));
  });
}

/** @throws Error where an utterance is in two parts of one fold, or tested twice: that would be a bug of ours. */
function checkFolds(folds: readonly Fold[]): void {
  const tested = new Set<string>();
  for (const fold of folds) {
    const seen = new Set<string>();
    for (const id of [...fold.train, ...fold.dev, ...fold.test]) {
      if (seen.has(id)) throw new Error(`fold ${fold.id}: ${id} is in two parts`);
      seen.add(id);
    }
    for (const id of fold.test) {
      if (tested.has(id)) throw new Error(`fold ${fold.id}: ${id} is tested in two folds`);
      tested.add(id);
    }
    if (fold.train.length === 0 || fold.test.length === 0)
      throw new Error(`fold ${fold.id} has an empty part`);
  }
}

/**
 * Chooses folds by id, number from 1, or `all`, several separated by commas; in the plan's order, each once.
 * @throws UserError that names the choices.
 */
export function selectFolds(folds: readonly Fold[], selection: string): Fold[] {
  const chosen = new Set<Fold>();
  for (const part of selection.split(',').map((one) => one.trim())) {
    if (part === 'all') {
      folds.forEach((fold) => chosen.add(fold));
      continue;
    }
    const fold =
      folds.find((one) => one.id === part) ?? (/^\d+$/.test(part) ? folds[Number(part) - 1] : undefined);
    if (fold === undefined) {
      const ids = folds.map((one) => one.id).join(', ');
      throw new UserError(
        `no fold '${part}': choose from ${ids}, a number from 1 to ${folds.length}, or all`,
      );
    }
    chosen.add(fold);
  }
  return folds.filter((fold) => chosen.has(fold));
}
