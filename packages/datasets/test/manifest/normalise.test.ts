import { describe, expect, it } from 'vitest';
import { normaliseText } from '../../src/manifest/normalise.ts';

describe('normaliseText', () => {
  it('reads C1 controls as windows-1252', () => {
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
