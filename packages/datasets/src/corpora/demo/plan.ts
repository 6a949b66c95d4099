import { UserError } from '../../base/errors.ts';
import { Rng } from '../../base/rng.ts';
import {
  BINARY,
  cueProbability,
  DEMO_CLASSES,
  PROSODY_RELIABILITY,
  WORDS_RELIABILITY,
  type DemoClass,
  type Dimensions,
} from './ceilings.ts';
import { drawDelivery, drawSpeaker, type Delivery, type Speaker } from './voice.ts';
import { improviseText, scriptText, type DemoText } from './words.ts';

export const SESSIONS = 5;

/** One turn of the demo corpus: everything that its files are made from. */
export interface DemoTurn {
  /** `Ses01F_impro01_M003` */
  readonly name: string;
  /** IEMOCAP's label: of a class, or `xxx` or `fru`. */
  readonly label: string;
  /** Name of the class; null outside the task. */
  readonly emotion: string | null;
  /** What the words and the voice show. */
  readonly words: Dimensions<boolean>;
  readonly prosody: Dimensions<boolean>;
  readonly text: string;
  readonly speaker: Speaker;
  readonly delivery: Delivery;
}

export interface DemoDialogue {
  /** `Ses01F_impro01`: the letter says who would wear the markers, not who speaks. */
  readonly name: string;
  /** From 1. */
  readonly session: number;
  readonly turns: readonly DemoTurn[];
}

/** Turns of an improvised dialogue, about. */
const DIALOGUE_TURNS = 20;

/**
 * Plans the demo corpus: which class, cues, words and delivery each turn has. Pure: the same seed and size give the
 * same plan.
 *
 * The joint table of class and the four shown cues is filled by quota, so that the corpus has the priors and
 * reliabilities that it states and not a sample's. A fifth of the turns are lines of two scripts that every session
 * plays. A line's words are the same in each session, its class is not: it is drawn for each session from what the
 * words leave open, so that knowing the line from other sessions tells no more than its words do.
 * @param utterances labelled turns in the task: a multiple of 5, at least 40.
 * @throws UserError for another size.
 */
export function planDemo(seed: number | string, utterances: number): DemoDialogue[] {
  if (utterances % SESSIONS !== 0 || utterances < 40) {
    throw new UserError(
      `demo corpus of ${utterances} utterances: expected a multiple of ${SESSIONS}, 40 or more`,
    );
  }
  const perSession = utterances / SESSIONS;
  const script = writeScript(seed, Math.max(1, Math.round(perSession / 10)));
  const cells = deal(seed, utterances, script);
  return Array.from({ length: SESSIONS }, (_, i) => i + 1).flatMap((session) => {
    const stage = new Stage(seed, session);
    return [
      ...stage.improvise(cells.improvised[session - 1] as Cell[]),
      ...stage.play(script, cells.scripted),
    ];
  });
}

/** A class with the cues that a turn shows. */
interface Cell {
  readonly label: DemoClass | 'xxx' | 'fru';
  readonly words: Dimensions<boolean>;
  readonly prosody: Dimensions<boolean>;
}

interface ScriptLine extends DemoText {
  readonly words: Dimensions<boolean>;
  readonly letter: 'F' | 'M';
}

const PAIRS: readonly Dimensions<boolean>[] = BINARY.flatMap((arousal) =>
  BINARY.map((valence) => ({ arousal, valence })),
);

/**
 * Two scripts. The second has the cues of the first in reverse order, spoken by the other letter, so that neither
 * the place in the dialogue nor the speaker tells of a line's words.
 */
function writeScript(seed: number | string, lines: number): [ScriptLine[], ScriptLine[]] {
  const rng = Rng.for('demo', seed, 'script');
  const share = PAIRS.map((pair) =>
    DEMO_CLASSES.reduce((sum, one) => sum + one.prior * cueProbability(one, pair, WORDS_RELIABILITY), 0),
  );
  const counts = quotas(share, lines);
  const pairs = rng.shuffle(
    PAIRS.flatMap((pair, i) => Array.from({ length: counts[i] as number }, () => pair)),
  );
  const letters = pairs.map((): 'F' | 'M' => (rng.uniform() < 0.5 ? 'F' : 'M'));
  const first = pairs.map((words, i) => ({
    ...scriptText(rng, words),
    words,
    letter: letters[i] as 'F' | 'M',
  }));
  const second = [...first].reverse().map(({ words, letter }) => ({
    ...scriptText(rng, words),
    words,
    letter: letter === 'F' ? ('M' as const) : ('F' as const),
  }));
  return [first, second];
}

interface Deal {
  /** By session. */
  readonly improvised: readonly Cell[][];
  /** By pair of word cues: taken one after the other by the lines of all sessions. */
  readonly scripted: ReadonlyMap<string, Cell[]>;
}

/** Fills the joint table by quota, and deals its cells to lines and sessions at random. */
function deal(seed: number | string, utterances: number, script: readonly ScriptLine[][]): Deal {
  const rng = Rng.for('demo', seed, 'deal');
  const classCounts = quotas(
    DEMO_CLASSES.map((one) => one.prior),
    utterances,
  );
  const cells = rng.shuffle(DEMO_CLASSES.flatMap((label, i) => classCells(label, classCounts[i] as number)));
  const scripted = new Map<string, Cell[]>();
  for (const line of script.flat()) {
    const key = pairKey(line.words);
    const taken = scripted.get(key) ?? [];
    scripted.set(key, taken);
    for (let session = 0; session < SESSIONS; session++) {
      const index = cells.findIndex((cell) => pairKey(cell.words) === key);
      taken.push(...cells.splice(index, 1));
    }
  }
  const perSession = cells.length / SESSIONS;
  const improvised = Array.from({ length: SESSIONS }, (_, i) => {
    const own = cells.slice(i * perSession, (i + 1) * perSession);
    return rng.shuffle([...own, ...extras(rng, perSession)]);
  });
  return { improvised, scripted };
}

/** All turns of a class: each combination of shown cues as often as the reliabilities say. */
function classCells(label: DemoClass, count: number): Cell[] {
  const kinds = PAIRS.flatMap((words) => PAIRS.map((prosody): Cell => ({ label, words, prosody })));
  const share = kinds.map(
    ({ words, prosody }) =>
      cueProbability(label, words, WORDS_RELIABILITY) * cueProbability(label, prosody, PROSODY_RELIABILITY),
  );
  const counts = quotas(share, count);
  return kinds.flatMap((kind, i) => Array.from({ length: counts[i] as number }, () => kind));
}

/** Turns outside the task: no agreement (`xxx`) and frustration (`fru`), with cues drawn at random. */
function extras(rng: Rng, perSession: number): Cell[] {
  const some = (label: 'xxx' | 'fru', count: number) =>
    Array.from({ length: count }, () => ({ label, words: rng.pick(PAIRS), prosody: rng.pick(PAIRS) }));
  return [...some('xxx', Math.ceil(perSession / 13)), ...some('fru', Math.ceil(perSession / 16))];
}

/** Whole numbers that sum to `total`, as near to the shares as can be (largest remainders; ties go to the first). */
export function quotas(shares: readonly number[], total: number): number[] {
  const sum = shares.reduce((a, b) => a + b, 0);
  const exact = shares.map((share) => (share / sum) * total);
  const counts = exact.map(Math.floor);
  const rest = total - counts.reduce((a, b) => a + b, 0);
  const order = exact
    .map((value, i) => ({ i, remainder: Math.round((value - Math.floor(value)) * 1e9) }))
    .sort((a, b) => b.remainder - a.remainder || a.i - b.i);
  for (const { i } of order.slice(0, rest)) counts[i] = (counts[i] as number) + 1;
  return counts;
}

function pairKey(pair: Dimensions<boolean>): string {
  return `${pair.arousal} ${pair.valence}`;
}

/** One session: two speakers, and the dialogues that they speak. */
class Stage {
  private readonly seed: number | string;
  private readonly session: number;
  private readonly rng: Rng;
  private readonly speakers: Readonly<Record<'F' | 'M', Speaker>>;

  constructor(seed: number | string, session: number) {
    this.seed = seed;
    this.session = session;
    this.rng = Rng.for('demo', seed, 'session', session);
    this.speakers = {
      F: drawSpeaker(Rng.for('demo', seed, 'speaker', `${session}F`), 'F'),
      M: drawSpeaker(Rng.for('demo', seed, 'speaker', `${session}M`), 'M'),
    };
  }

  /** Improvised dialogues of about equal length; the markers change sides half-way. */
  improvise(cells: readonly Cell[]): DemoDialogue[] {
    const count = Math.max(2, Math.round(cells.length / DIALOGUE_TURNS));
    const half = Math.ceil(count / 2);
    return Array.from({ length: count }, (_, i) => {
      const wearer = i < half ? 'F' : 'M';
      const name = `Ses0${this.session}${wearer}_impro0${i < half ? i + 1 : i - half + 1}`;
      const from = Math.round((i * cells.length) / count);
      const own = cells.slice(from, Math.round(((i + 1) * cells.length) / count));
      return this.dialogue(name, own, (cell) => improviseText(this.rng, cell.words));
    });
  }

  /** The scripts, in the words that every session has; each line takes the next cell that shows its words. */
  play(script: readonly ScriptLine[][], cells: ReadonlyMap<string, Cell[]>): DemoDialogue[] {
    return script.map((lines, i) => {
      const name = `Ses0${this.session}${i === 0 ? 'F' : 'M'}_script0${i + 1}_1`;
      const own = lines.map((line) => cells.get(pairKey(line.words))?.pop() as Cell);
      return this.dialogue(
        name,
        own,
        (_, turn) => lines[turn] as ScriptLine,
        (turn) => (lines[turn] as ScriptLine).letter,
      );
    });
  }

  private dialogue(
    name: string,
    cells: readonly Cell[],
    textOf: (cell: Cell, turn: number) => DemoText,
    letterOf?: (turn: number) => 'F' | 'M',
  ): DemoDialogue {
    const spoken = { F: 0, M: 0 };
    let letter: 'F' | 'M' = this.rng.uniform() < 0.5 ? 'F' : 'M';
    const turns = cells.map((cell, turn): DemoTurn => {
      if (this.rng.uniform() < 0.7) letter = letter === 'F' ? 'M' : 'F';
      const speaker = letterOf?.(turn) ?? letter;
      const { text, clauses } = textOf(cell, turn);
      const turnName = `${name}_${speaker}${String(spoken[speaker]++).padStart(3, '0')}`;
      const emotion = typeof cell.label === 'string' ? null : cell.label.name;
      return {
        name: turnName,
        label: this.labelOf(cell),
        emotion,
        words: cell.words,
        prosody: cell.prosody,
        text,
        speaker: this.speakers[speaker],
        delivery: drawDelivery(Rng.for('demo', this.seed, 'delivery', turnName), clauses),
      };
    });
    return { name, session: this.session, turns };
  }

  /** Happiness is written `hap` or `exc`, as in IEMOCAP. */
  private labelOf(cell: Cell): string {
    if (typeof cell.label === 'string') return cell.label;
    if (cell.label.name === 'happy') return this.rng.uniform() < 0.36 ? 'hap' : 'exc';
    return { angry: 'ang', sad: 'sad', neutral: 'neu' }[cell.label.name] as string;
  }
}
