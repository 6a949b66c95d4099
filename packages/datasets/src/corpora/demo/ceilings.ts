/** The demo's classes lie on two binary dimensions; both are true or false for an emotion. */
export interface Dimensions<T> {
  /** High (true) or low. */
  readonly arousal: T;
  /** Positive (true) or negative. */
  readonly valence: T;
}

export interface DemoClass extends Dimensions<boolean> {
  readonly name: string;
  readonly prior: number;
}

/** In the order of the card's class index. Arousal and valence are independent under these priors. */
export const DEMO_CLASSES: readonly DemoClass[] = [
  { name: 'angry', arousal: true, valence: false, prior: 0.2 },
  { name: 'happy', arousal: true, valence: true, prior: 0.3 },
  { name: 'sad', arousal: false, valence: false, prior: 0.2 },
  { name: 'neutral', arousal: false, valence: true, prior: 0.3 },
];

/** Probability with which a cue shows the true value of its dimension; else it shows the opposite. */
export const PROSODY_RELIABILITY: Dimensions<number> = { arousal: 0.9, valence: 0.6 };
export const WORDS_RELIABILITY: Dimensions<number> = { arousal: 0.6, valence: 0.9 };

export const BINARY = [false, true] as const;

/** P(shown cues | class): cues of one modality, independent given the class. */
export function cueProbability(
  one: Dimensions<boolean>,
  shown: Dimensions<boolean>,
  reliability: Dimensions<number>,
): number {
  const arousal = one.arousal === shown.arousal ? reliability.arousal : 1 - reliability.arousal;
  const valence = one.valence === shown.valence ? reliability.valence : 1 - reliability.valence;
  return arousal * valence;
}

/** Weighted and unweighted accuracy, from 0 to 1. */
export interface Ceiling {
  readonly wa: number;
  readonly ua: number;
}

/**
 * Best possible scores on the demo corpus, by enumeration over everything that can be heard or read: WA of the
 * decision that maximises WA, UA of the one that maximises UA. Nothing else in the corpus tells of the label.
 */
export function ceilings(): { readonly text: Ceiling; readonly audio: Ceiling; readonly both: Ceiling } {
  const pairs = BINARY.flatMap((arousal) => BINARY.map((valence) => ({ arousal, valence })));
  const words = pairs.map((shown) => DEMO_CLASSES.map((c) => cueProbability(c, shown, WORDS_RELIABILITY)));
  const prosody = pairs.map((shown) =>
    DEMO_CLASSES.map((c) => cueProbability(c, shown, PROSODY_RELIABILITY)),
  );
  const both = words.flatMap((w) => prosody.map((p) => w.map((value, c) => value * (p[c] as number))));
  return { text: bestScores(words), audio: bestScores(prosody), both: bestScores(both) };
}

/** @param likelihood P(observation | class): one row for each observation. */
function bestScores(likelihood: readonly (readonly number[])[]): Ceiling {
  let wa = 0;
  let ua = 0;
  for (const row of likelihood) {
    wa += Math.max(...row.map((p, c) => p * (DEMO_CLASSES[c] as DemoClass).prior));
    ua += Math.max(...row) / DEMO_CLASSES.length;
  }
  return { wa, ua };
}
