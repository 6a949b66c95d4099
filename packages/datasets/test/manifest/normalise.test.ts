import { describe, expect, it } from 'vitest';
import { applyTextTags, normaliseText, parseTextTags } from '../../src/manifest/normalise.ts';

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

describe('applyTextTags', () => {
  const text = '[LAUGHTER] Well [breathing], yes [Door slam] [GARBAGE] [2] [x y] no. [LAUGHTER]';

  it('keeps, drops, or maps tags of any case', () => {
    expect(applyTextTags(text, 'keep')).toBe(text);
    expect(applyTextTags(text, 'drop')).toBe('Well, yes [2] no.');
    const map = { LAUGHTER: 'ha ha', BREATHING: '', 'DOOR SLAM': 'bang' };
    expect(applyTextTags(text, { map })).toBe('ha ha Well, yes bang [GARBAGE] [2] [x y] no. ha ha');
  });

  it('may leave nothing, and changes nothing the second time', () => {
    expect(applyTextTags('[LAUGHTER]', 'drop')).toBe('');
    expect(applyTextTags('[LAUGHTER][BREATHING] oh', 'drop')).toBe('oh');
    expect(applyTextTags('a[LAUGHTER]b', { map: { LAUGHTER: '' } })).toBe('a b');
    const once = applyTextTags(text, 'drop');
    expect(applyTextTags(once, 'drop')).toBe(once);
  });
});

describe('parseTextTags', () => {
  it('reads the three policies', () => {
    expect(parseTextTags('keep')).toBe('keep');
    expect(parseTextTags('drop')).toBe('drop');
    expect(parseTextTags('map:laughter=ha ha, [BREATHING]=,Door slam=bang')).toEqual({
      map: { BREATHING: '', 'DOOR SLAM': 'bang', LAUGHTER: 'ha ha' },
    });
    for (const wrong of ['', 'Drop', 'map', 'map:', 'map:LAUGHTER', 'map:A=b,=c', 'map:A1=b']) {
      expect(() => parseTextTags(wrong)).toThrow(
        `text tags: expected keep, drop or map:TAG=words,TAG=words, found '${wrong}'`,
      );
    }
  });
});
