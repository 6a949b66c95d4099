import type { Rng } from '../../base/rng.ts';
import type { Dimensions } from './ceilings.ts';

/**
 * Words that show valence, and words that show arousal. Word i of both lists of a dimension has the same number of
 * letters, so that the length of a text tells nothing.
 */
const POSITIVE =
  'lovely sweet lucky bright gift sunny friend garden music smile warm golden honest gentle'.split(' ');
const NEGATIVE =
  'rotten cruel nasty broken debt foggy poison prison grief wound sour bitter wicked dismal'.split(' ');
const HIGH =
  'racing quick sudden shout rush burst jumping loudly storm sprint blast flash hurry thunder'.split(' ');
const LOW =
  'drowsy still steady sleep rest pause resting softly cloud stroll dream shade relax blanket'.split(' ');

export const VALENCE_WORDS = { positive: POSITIVE, negative: NEGATIVE } as const;
export const AROUSAL_WORDS = { high: HIGH, low: LOW } as const;

/** Clauses by their number of words; `v` and `a` stand for the two cue words. */
const CLAUSES: ReadonlyMap<number, readonly string[]> = new Map([
  [
    5,
    [
      'my {v} week was {a}',
      'it felt {v} and {a}',
      'you said {a}, then {v}',
      'this {v} house, so {a}',
      'I know {a} and {v}',
      'call it {v} or {a}',
    ],
  ],
  [
    6,
    [
      'the {a} train, that {v} evening',
      'he came {a} with {v} news',
      'she left {v} and {a} too',
      'there is {a} in {v} rooms',
      'one {v} call, one {a} answer',
      'they found {v} things, {a} things',
      'a {v} street, a {a} door',
      'that was {a}, and {v} again',
    ],
  ],
]);

/** Tags of IEMOCAP's transcripts, one of them in lower case as it occurs there. */
const TAGS = ['[LAUGHTER]', '[BREATHING]', '[GARBAGE]', '[laughter]'];
const TAG_RATE = 0.06;

/** Numbers of words of an improvised turn's clauses: drawn without looking at the label. */
const IMPROVISED: readonly (readonly number[])[] = [
  [5, 5],
  [5, 6],
  [6, 5],
  [6, 6],
  [5, 5, 5],
];
/** All lines of a script have as many words, since a line's cues are the same in every session. */
const SCRIPTED: readonly number[] = [5, 6];

export interface DemoText {
  readonly text: string;
  /** Words of each clause. */
  readonly clauses: readonly number[];
}

/** A turn of two or three clauses, each with one word for each of the two cues, now and then with a tag. */
export function improviseText(rng: Rng, cues: Dimensions<boolean>): DemoText {
  const clauses = rng.pick(IMPROVISED);
  const plain = compose(rng, cues, clauses);
  const tagged = rng.uniform() < TAG_RATE;
  const [tag, first] = [rng.pick(TAGS), rng.uniform() < 0.5];
  return { text: tagged ? (first ? `${tag} ${plain}` : `${plain} ${tag}`) : plain, clauses };
}

/** A line of a script: two clauses, no tag. */
export function scriptText(rng: Rng, cues: Dimensions<boolean>): DemoText {
  return { text: compose(rng, cues, SCRIPTED), clauses: SCRIPTED };
}

function compose(rng: Rng, cues: Dimensions<boolean>, clauses: readonly number[]): string {
  const valence = rng.shuffle([...(cues.valence ? POSITIVE : NEGATIVE)]);
  const arousal = rng.shuffle([...(cues.arousal ? HIGH : LOW)]);
  const sentences = clauses.map((words, i) => {
    const pattern = rng.pick(CLAUSES.get(words) as readonly string[]);
    const filled = pattern.replace('{v}', valence[i] as string).replace('{a}', arousal[i] as string);
    return `${filled.charAt(0).toUpperCase()}${filled.slice(1)}.`;
  });
  return sentences.join(' ');
}
