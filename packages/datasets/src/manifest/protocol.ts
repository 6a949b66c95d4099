import { UserError } from '../base/errors.ts';
import type { LeakAspect, Protocol } from './card.ts';
import { compareIds } from './utterance.ts';

/** Names for `--protocol`, with the form of their numbers. */
export const PROTOCOL_NAMES = [
  'leave-one-session-out',
  'leave-one-speaker-out',
  'fixed-split',
  'fixed-split+dev',
  'by-speaker[:k]',
  'by-dialogue[:k]',
  'random[:k[:seed]]',
] as const;

const FOLDS = 5;
const SEED = 1;

/**
 * A protocol by name: `by-dialogue:10`, `random:5:7`, `fixed-split+dev` (dev is trained on, none is left). k is 5 and
 * the seed 1 when not given. The card's protocol is taken as it is where it is of that name.
 * @param own the task's own protocol
 * @param splits the values of `split` in the manifest, from which a fixed split follows where the card has none
 * @throws UserError that lists the names.
 */
export function parseProtocol(name: string, own: Protocol, splits: readonly (string | null)[]): Protocol {
  const [kind = '', ...numbers] = name.trim().split(':');
  const [first, second] = numbers.map((text) => (/^\d+$/.test(text) ? Number(text) : Number.NaN));
  const most = kind === 'random' ? 2 : kind === 'by-speaker' || kind === 'by-dialogue' ? 1 : 0;
  const wrong = () => new UserError(`no protocol '${name}': choose one of ${PROTOCOL_NAMES.join(', ')}`);
  if (numbers.length > most || Number.isNaN(first) || Number.isNaN(second)) throw wrong();
  if (first !== undefined && first < 2) throw new UserError(`--protocol ${name}: k must be 2 or more`);
  const k = first ?? FOLDS;
  switch (kind) {
    case 'leave-one-session-out':
    case 'leave-one-speaker-out':
      return own.kind === kind ? own : { kind };
    case 'by-speaker':
      if (own.kind === kind && first === undefined) return own;
      return first === undefined ? { kind } : { kind, k };
    case 'by-dialogue':
      return own.kind === kind && first === undefined ? own : { kind, k };
    case 'random':
      return own.kind === kind && first === undefined ? own : { kind, k, seed: second ?? SEED };
    case 'fixed-split':
    case 'fixed-split+dev': {
      const split = own.kind === 'fixed-split' ? own : namedSplits(splits);
      return kind === 'fixed-split' ? split : { ...split, train: [...split.train, ...split.dev], dev: [] };
    }
    default:
      throw wrong();
  }
}

/**
 * The fixed split that the values of a split column tell: `train..`, `dev..` or `val..`, `test..` or `eval..`.
 * @throws UserError where none of them is train, or none test.
 */
export function namedSplits(values: readonly (string | null)[]): Extract<Protocol, { kind: 'fixed-split' }> {
  const splits = [...new Set(values.filter((value) => value !== null))].sort(compareIds);
  const named = (pattern: RegExp) => splits.filter((split) => pattern.test(split));
  const [train, dev, test] = [named(/^train/i), named(/^(dev|val)/i), named(/^(test|eval)/i)];
  if (train.length === 0 || test.length === 0) {
    const found = splits.length === 0 ? 'no split at all' : splits.join(', ');
    throw new UserError(`a fixed split needs the splits train and test: found ${found}`);
  }
  return { kind: 'fixed-split', train, dev, test };
}

/** `5 random folds (seed 1)`, `fixed split: train and dev against test` */
export function describeProtocol(protocol: Protocol): string {
  switch (protocol.kind) {
    case 'leave-one-session-out':
      return 'leave one session out';
    case 'leave-one-speaker-out':
      return 'leave one speaker out';
    case 'by-speaker':
      return protocol.k === undefined ? 'folds by speaker' : `${protocol.k} folds by speaker`;
    case 'by-dialogue':
      return `${protocol.k} folds by dialogue`;
    case 'random':
      return `${protocol.k} random folds (seed ${protocol.seed})`;
    default:
      return `fixed split: ${protocol.train.join(' and ')} against ${protocol.test.join(' and ')}`;
  }
}

/** What the two sides of a protocol's folds share by design: the card says so, or the protocol itself does. */
export function sharedByDesign(protocol: Protocol): readonly LeakAspect[] {
  switch (protocol.kind) {
    case 'random':
      return ['speaker', 'dialogue', 'recording'];
    case 'by-dialogue':
      return ['speaker', 'recording'];
    case 'leave-one-session-out':
    case 'fixed-split':
      return protocol.shared ?? [];
    default:
      return [];
  }
}
