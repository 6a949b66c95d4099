import { Rng } from '../../base/rng.ts';
import type { DemoDialogue, DemoTurn } from './plan.ts';
import { deliverySamples, SAMPLE_RATE } from './voice.ts';

/** A text file of the corpus, with its path below the root. */
export interface DemoTextFile {
  readonly path: string;
  readonly text: string;
}

interface Timed {
  readonly turn: DemoTurn;
  /** Seconds from the dialogue's start. */
  readonly start: number;
  readonly end: number;
}

/** Path of a turn's recording below the root. */
export function recordingPath(dialogue: DemoDialogue, turn: DemoTurn): string {
  return `Session${dialogue.session}/sentences/wav/${dialogue.name}/${turn.name}.wav`;
}

/** The transcript and the evaluation of a dialogue, as IEMOCAP writes them. */
export function dialogueFiles(seed: number | string, dialogue: DemoDialogue): DemoTextFile[] {
  const rng = Rng.for('demo', seed, 'layout', dialogue.name);
  const timed = layOut(rng, dialogue.turns);
  const folder = `Session${dialogue.session}/dialog`;
  return [
    { path: `${folder}/transcriptions/${dialogue.name}.txt`, text: transcript(rng, dialogue, timed) },
    { path: `${folder}/EmoEvaluation/${dialogue.name}.txt`, text: evaluation(rng, timed) },
  ];
}

function layOut(rng: Rng, turns: readonly DemoTurn[]): Timed[] {
  let clock = 2 + 4 * rng.uniform();
  return turns.map((turn) => {
    const start = clock;
    const end = start + deliverySamples(turn.delivery) / SAMPLE_RATE;
    clock = end + 0.2 + rng.uniform();
    return { turn, start, end };
  });
}

/** What IEMOCAP's transcripts hold beside the utterances: asides, and noises under a name without a recording. */
const ASIDES = ['M: [LAUGHTER]', 'F: Mm-hm.', 'F: [BREATHING]', 'M: Yeah.'];

function transcript(rng: Rng, dialogue: DemoDialogue, turns: readonly Timed[]): string {
  const lines = turns.map(
    ({ turn, start, end }) => `${turn.name} [${seconds(start)}-${seconds(end)}]: ${turn.text}`,
  );
  lines.splice(rng.int(lines.length + 1), 0, rng.pick(ASIDES));
  const last = turns.at(-1)?.end ?? 0;
  lines.push(`${dialogue.name}_MXX0 [${seconds(last)}-${seconds(last + 0.4)}]: [BREATHING]`);
  return `${lines.join('\n')}\n`;
}

/** `006.2901` in transcripts: three digits before the point. */
function seconds(value: number): string {
  return value.toFixed(4).padStart(8, '0');
}

function evaluation(rng: Rng, turns: readonly Timed[]): string {
  const header = '% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n';
  return [header, ...turns.map((one) => `${evaluationOf(rng, one)}\n`)].join('\n');
}

const CATEGORIES: Readonly<Record<string, string>> = {
  ang: 'Anger',
  hap: 'Happiness',
  exc: 'Excited',
  sad: 'Sadness',
  neu: 'Neutral state',
  fru: 'Frustration',
};
/** Usual ratings (valence, activation, dominance) from 1 to 5. */
const RATINGS: Readonly<Record<string, readonly [number, number, number]>> = {
  ang: [2, 4, 4],
  hap: [4, 4, 3],
  exc: [4, 4, 3],
  sad: [2, 2, 2],
  neu: [4, 2, 3],
  fru: [2, 3, 3],
  xxx: [3, 3, 3],
};

/** The line of a turn, three annotators' categories (two agree, save under `xxx`) and two annotators' ratings. */
function evaluationOf(rng: Rng, { turn, start, end }: Timed): string {
  const names = rng.shuffle(Object.values(CATEGORIES));
  const own = CATEGORIES[turn.label];
  const votes = own === undefined ? names.slice(0, 3) : rng.shuffle([own, own, names[0] as string]);
  const categories = votes.map((vote, i) => `C-E${i + 2}:\t${vote};\t()`);
  const usual = RATINGS[turn.label] as readonly number[];
  const ratings = [3, 4].map(() => usual.map((value) => Math.max(1, Math.min(5, value + rng.int(3) - 1))));
  const mean = usual.map(
    (_, i) => ratings.reduce((sum, one) => sum + (one[i] as number), 0) / ratings.length,
  );
  const dimensions = ratings.map(([v, a, d], i) => `A-E${i + 3}:\tval ${v}; act ${a}; dom  ${d};\t()`);
  const consensus = `[${mean.map((value) => value.toFixed(4)).join(', ')}]`;
  const line = `[${start.toFixed(4)} - ${end.toFixed(4)}]\t${turn.name}\t${turn.label}\t${consensus}`;
  return [line, ...categories, ...dimensions].join('\n');
}
