import { parseHTML } from 'linkedom';
import { expect, it } from 'vitest';
import { oracleCurvesFigure, trainingFigure } from '../../src/figures/curves-figure.ts';
import type { Panel } from '../../src/figures/figure.ts';
import { readCurves } from '../../src/gather/curves.ts';
import { madeReport } from '../support/temporary.ts';

const data = madeReport({ variants: ['full', 'no-lsma-joo'], seeds: [1, 2, 3] }).gather();
const { groups } = readCurves(data);
const texts = ({ svg }: Panel): string[] =>
  [...parseHTML(svg).document.querySelectorAll('text')].map((one) => one.textContent ?? '');
const lines = ({ svg }: Panel): number => (svg.match(/aria-label="line"/g) ?? []).length;

it('draws a line, a band and a name for each variant, in every panel', () => {
  const figure = trainingFigure(groups, data);
  expect(figure?.panels.map(({ title }) => title)).toEqual([
    'Training loss',
    'APC term of the loss',
    'Training accuracy, each utterance at its update',
    'Dev part, UA',
    'Length of the gradient',
    'Weight of audio in the gate, while training',
    'Movement of the labels within an epoch',
  ]);
  for (const one of figure?.panels ?? []) {
    expect(lines(one), one.title).toBe(2);
    expect(texts(one), one.title).toEqual(expect.arrayContaining(['full', 'no-lsma-joo']));
    expect(one.svg.match(/<path d="M[^"]*L[^"]*Z" fill="var\(--series-\d\)"/g), one.title).toHaveLength(2);
  }
  expect(figure?.caption).toContain('bands: lowest and highest of up to 3 seeds');
});

it('cuts a long name, and shows it', () => {
  const long = groups.map((group, i) => ({ ...group, label: `a variant of a very long name ${i}` }));
  const [first] = trainingFigure(long, data)?.panels ?? [];
  expect(texts(first as Panel).filter((text) => text === 'a variant of a ve…')).toHaveLength(2);
});

it('keeps test scores apart, and calls them what they are', () => {
  const figure = oracleCurvesFigure(groups, data);
  expect(figure?.title).toContain('ORACLE');
  expect(figure?.panels.every(({ title }) => title.includes('ORACLE'))).toBe(true);
  expect(trainingFigure(groups, data)?.panels.some(({ title }) => title.includes('Test'))).toBe(false);
});

it('has no panel for what was not measured, and no figure without runs', () => {
  const none = madeReport({ dev: false, seeds: [1] }).gather();
  const figure = trainingFigure(readCurves(none).groups, none);
  expect(figure?.panels.some(({ title }) => title.startsWith('Dev'))).toBe(false);
  expect(figure?.caption).toContain('one seed only, so there are no bands');
  expect(trainingFigure([], data)).toBeUndefined();
});
