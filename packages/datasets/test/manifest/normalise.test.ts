import { describe, expect, it } from 'vitest';
import { normaliseText } from '../../src/manifest/normalise.ts';

describe('normaliseText', () => {
  it('reads C1 controls as windows-1252', () => {
    // the 27 characters of windows-1252 between 0x80 and 0x9f, as Python's cp1252 has them
    const defined = [...'€‚ƒ„…†‡ˆ‰Š‹Œ', 'Ž', ...'‘’“”•–—˜™š›œ', 'ž', 'Ÿ'].join('');
    const codes = Array.from({ length: 32 }, (_, i) => 0x80 + i).filter(
      (code) => ![0x81, 0x8d, 0x8f, 0x90, 0x9d].includes(code),
    );
    expect(normaliseText(String.fromCharCode(...codes))).toBe(defined);
    expect(normaliseText('I\u0092m')).toBe('I’m');
    expect(normaliseText('a\u0081b')).toBe('a\u0081b');
  });

  it('collapses and trims white space, no-break space included', () => {
    expect(normaliseText('  a\u00a0\u00a0 b\r\n\tc\u2003d \ufeff')).toBe('a b c d');
    expect(normaliseText(' \t ')).toBe('');
  });

  it('composes, and keeps typographic quotes and tags', () => {
    expect(normaliseText('e\u0301 \u201cx\u2019\u201d [LAUGHTER]')).toBe(
      '\u00e9 \u201cx\u2019\u201d [LAUGHTER]',
    );
  });

  it('changes nothing the second time', () => {
    for (const raw of ['I\u0092m\u0085 here ', 'o\u0308\u00a0x', '…—']) {
      expect(normaliseText(normaliseText(raw))).toBe(normaliseText(raw));
    }
  });
});
