import { expect, it } from 'vitest';
import { pieces, weight } from '../../src/client/pieces.ts';

const texts = (text: string, spans: number[]): string[] => pieces(text, spans).map((piece) => piece.text);

it('cuts a text into its tokens and loses nothing of it', () => {
  const text = 'Oh no, unbelievable!';
  const spans = [0, 0, 0, 2, 3, 5, 5, 6, 7, 9, 9, 19, 19, 20, 0, 0];
  expect(texts(text, spans)).toEqual(['‹›', 'Oh', ' no', ',', ' un', 'believable', '!', '‹›']);
  expect(pieces(text, spans)[0]?.special).toBe(true);
  expect(texts(text, spans).slice(1, -1).join('')).toBe(text);
});

it('gives what a cut left over to the last token', () => {
  expect(texts('one two three', [0, 0, 0, 3, 4, 7, 0, 0])).toEqual(['‹›', 'one', ' two three', '‹›']);
});

it('shows a character that several byte tokens share at each of them', () => {
  expect(texts('a😀b', [0, 1, 1, 3, 1, 3, 3, 4])).toEqual(['a', '😀', '😀', 'b']);
});

it('writes weights with two digits', () => {
  expect([weight(0), weight(0.0123), weight(0.5)]).toEqual(['0', '0.012', '0.50']);
});
