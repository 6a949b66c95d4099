import { describe, expect, it } from 'vitest';
import { dialogueFiles, recordingPath } from '../../../src/corpora/demo/layout.ts';
import { planDemo, type DemoDialogue } from '../../../src/corpora/demo/plan.ts';
import { deliverySamples } from '../../../src/corpora/demo/voice.ts';
import { parseEvaluation, parseTranscript } from '../../../src/corpora/iemocap-files.ts';

const plan = planDemo(1, 100);
const dialogue = plan[0] as DemoDialogue;
const [transcript, evaluation] = dialogueFiles(1, dialogue) as [
  { path: string; text: string },
  { path: string; text: string },
];

describe('dialogueFiles', () => {
  it('writes the files of IEMOCAP', () => {
    expect(transcript.path).toBe('Session1/dialog/transcriptions/Ses01F_impro01.txt');
    expect(evaluation.path).toBe('Session1/dialog/EmoEvaluation/Ses01F_impro01.txt');
    expect(recordingPath(dialogue, dialogue.turns[0] as (typeof dialogue.turns)[number])).toMatch(
      /^Session1\/sentences\/wav\/Ses01F_impro01\/Ses01F_impro01_[FM]000\.wav$/,
    );
    expect(evaluation.text.startsWith('% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]\n\n[')).toBe(
      true,
    );
  });

  it('gives every turn its times, label and annotators, one after the other', () => {
    const { turns, oddLines } = parseEvaluation(evaluation.text);
    expect(oddLines).toEqual([]);
    expect(turns.map((turn) => [turn.name, turn.label])).toEqual(
      dialogue.turns.map((turn) => [turn.name, turn.label]),
    );
    turns.forEach((turn, i) => {
      const samples = deliverySamples((dialogue.turns[i] as (typeof dialogue.turns)[number]).delivery);
      expect(turn.end - turn.start).toBeCloseTo(samples / 16000, 3);
      expect(turn.start).toBeGreaterThan(turns[i - 1]?.end ?? 0);
      const [consensus, ...annotators] = turn.annotations;
      expect(annotators.map((one) => one.annotator).sort()).toEqual(['E2', 'E3', 'E4']);
      const rated = annotators.filter((one) => one.valence !== undefined);
      expect(consensus?.valence).toBeCloseTo(((rated[0]?.valence ?? 0) + (rated[1]?.valence ?? 0)) / 2, 4);
      const votes = annotators.map((one) => one.categories?.[0]);
      const most = Math.max(...votes.map((vote) => votes.filter((other) => other === vote).length));
      expect(most, turn.label).toBe(turn.label === 'xxx' ? 1 : most < 2 ? 2 : most);
    });
  });

  it('writes the texts, an aside, and a noise under a name without a recording', () => {
    const { lines, oddLines } = parseTranscript(transcript.text);
    expect(lines.slice(0, -1).map((line) => [line.name, line.text])).toEqual(
      dialogue.turns.map((turn) => [turn.name, turn.text]),
    );
    expect(lines.at(-1)).toMatchObject({ name: 'Ses01F_impro01_MXX0', text: '[BREATHING]' });
    expect(oddLines.map((line) => /^[FM]: /.test(line.content))).toEqual([true]);
  });
});
