import { describe, expect, it } from 'vitest';
import { parseEvaluation, parseTranscript } from '../../src/corpora/iemocap-files.ts';

describe('parseEvaluation', () => {
  it('reads the example of the corpus description', () => {
    const text = '[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]\r\n';
    expect(parseEvaluation(text)).toEqual({
      turns: [
        {
          name: 'Ses01F_impro01_F000',
          label: 'neu',
          start: 6.2901,
          end: 8.2357,
          annotations: [{ annotator: 'consensus', valence: 2.5, activation: 2.5, dominance: 2.5 }],
          line: 1,
        },
      ],
      oddLines: [],
    });
  });

  it('joins the lines of one annotator, in whatever order, and leaves comments out', () => {
    const text = [
      'C-E9:\tAnger;\t()',
      '[0.0 - 1.0]\tn\tang\t[1.0, 2.0, 3.0]',
      'A-E3:\tval 1; act 5; dom  4;\t()',
      'C-E3:\tAnger; Disgust;\t(val 3; Fear)',
      'C-E4:\t\t()',
    ].join('\n');
    expect(parseEvaluation(text).turns[0]?.annotations.slice(1)).toEqual([
      { annotator: 'E3', valence: 1, activation: 5, dominance: 4, categories: ['Anger', 'Disgust'] },
      { annotator: 'E4', categories: [] },
    ]);
  });

  it('calls a line odd that begins like a turn and is none', () => {
    const text = '% [START_TIME - END_TIME] TURN_NAME\n[1.0 - 2.0]\tn\tneu\n[1.0 - x]\tn\tneu\t[1, 2, 3]\n';
    expect(parseEvaluation(text)).toEqual({
      turns: [],
      oddLines: [
        { line: 2, content: '[1.0 - 2.0]\tn\tneu' },
        { line: 3, content: '[1.0 - x]\tn\tneu\t[1, 2, 3]' },
      ],
    });
  });
  it('calls a line odd that names an utterance and is no turn: its label must not vanish', () => {
    const damaged = '6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]';
    expect(parseEvaluation(`% [START_TIME - END_TIME]\tTURN_NAME\n${damaged}\n`)).toEqual({
      turns: [],
      oddLines: [{ line: 2, content: damaged }],
    });
    const comment =
      '[0.0 - 1.0]\tSes01F_impro01_F001\tneu\t[1, 2, 3]\nC-E2:\tNeutral;\t(as Ses01F_impro01_F000)\n';
    expect(parseEvaluation(comment).oddLines).toEqual([]);
  });
});

describe('parseTranscript', () => {
  it('reads lines with and without blanks, and keeps the text as it is', () => {
    const text =
      'Ses05F_script03_1_F033 [241.6700-243.4048]: text: [x]  y\n\nA [1.0 - 2.0]:z\nM: yes\n[1.0-2.0]: q\n';
    expect(parseTranscript(text)).toEqual({
      lines: [
        { name: 'Ses05F_script03_1_F033', start: 241.67, end: 243.4048, text: 'text: [x]  y', line: 1 },
        { name: 'A', start: 1, end: 2, text: 'z', line: 3 },
      ],
      oddLines: [
        { line: 4, content: 'M: yes' },
        { line: 5, content: '[1.0-2.0]: q' },
      ],
    });
  });
});
