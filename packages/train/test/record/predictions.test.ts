import { describe, expect, it } from 'vitest';
import { NO_PREDICTION } from '../../src/evaluate/metrics.ts';
import { decodePredictions, encodePredictions } from '../../src/record/predictions.ts';

const classes = ['neutral', 'joy, "loud"', 'sad'];
const predictions = [
  { id: 'demo/a', label: 0, prediction: 2, probabilities: [0.1, 0.2, 0.7] },
  { id: 'demo/b', label: 1, prediction: NO_PREDICTION, probabilities: [] },
  { id: 'demo/c', label: 2, prediction: 1, probabilities: [1e-12, 0.999999999, 1 / 3] },
];

describe('predictions.csv', () => {
  it('has one line an utterance, classes by name, quotes where needed', () => {
    expect(encodePredictions(predictions, 'Ses01', classes)).toBe(
      'id,fold,label,prediction,p_neutral,"p_joy, ""loud""",p_sad\n' +
        'demo/a,Ses01,neutral,sad,0.1,0.2,0.7\n' +
        'demo/b,Ses01,"joy, ""loud""",,,,\n' +
        'demo/c,Ses01,sad,"joy, ""loud""",1e-12,0.999999999,0.333333333\n',
    );
  });

  it('reads back what it wrote', () => {
    const read = decodePredictions(encodePredictions(predictions, 'Ses01', classes), classes, 'p.csv');
    const last = { ...predictions[2], probabilities: [1e-12, 0.999999999, 0.333333333] };
    expect(read).toEqual([predictions[0], predictions[1], last]);
  });

  it('refuses another header, an unknown class and a short line, with the place', () => {
    const text = encodePredictions(predictions, 'Ses01', classes);
    expect(() => decodePredictions(text, ['a', 'b'], 'p.csv')).toThrow(
      /^p.csv: header id,fold,.*expected id,fold,label,prediction,p_a,p_b$/,
    );
    expect(() => decodePredictions(text.replace('neutral,sad', 'neutral,happy'), classes, 'p.csv')).toThrow(
      /^p.csv:2: /,
    );
    expect(() => decodePredictions(text.replace(',0.7\n', '\n'), classes, 'p.csv')).toThrow(/^p.csv:2: /);
    expect(() => decodePredictions('', classes, 'p.csv')).toThrow('header (none)');
  });
});
