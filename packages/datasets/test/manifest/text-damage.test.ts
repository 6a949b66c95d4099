import { describe, expect, it } from 'vitest';
import { decodeWindows1252 } from '../../src/base/windows-1252.ts';
import { brokenText } from '../../src/manifest/text-damage.ts';

/** UTF-8 bytes read as windows-1252, as many a spreadsheet does. */
const asWindows1252 = (text: string) => decodeWindows1252(new TextEncoder().encode(text));

describe('brokenText', () => {
  it('lets sound texts pass, in many languages', () => {
    const sound = [
      '',
      'Oh my God… it’s “fine” — I’ll do it!',
      'Zażółć gęślą jaźń, „cytat” – właśnie.',
      'Das Spaß”, «café», Größe…',
      'Ñandú Ä”b',
      'Это проверка. Ъ',
      '日本語のテスト。',
      '[LAUGHTER] O.K.',
      '😀',
    ];
    // `Ä”` and the like do stand side by side, and rarely: one of the list shows that they are looked at
    const found = sound.filter((text) => brokenText(text) !== null);
    expect(found).toEqual(['Ñandú Ä”b']);
  });

  it('finds control characters, halves of pairs, replacement characters', () => {
    expect(brokenText('it\u0092s')).toEqual({
      expected: 'no control characters',
      found: "U+0092 in 'itU+0092s'",
    });
    expect(brokenText('a\u0007b')?.found).toBe("U+0007 in 'aU+0007b'");
    expect(brokenText('half \uD83D of it')?.found).toBe("U+D83D in 'half U+D83D of it'");
    expect(brokenText('it\uFFFDs')).toEqual({
      expected: 'no replacement characters',
      found: "U+FFFD in 'it\uFFFDs'",
    });
  });

  it('finds UTF-8 that was read as windows-1252', () => {
    for (const text of ['café', 'it’s', '“quoted”', 'zażółć', 'это', 'naïve', 'wait…', '😀', '\uFEFFfirst']) {
      const garbled = asWindows1252(text);
      expect(garbled, text).not.toBe(text);
      expect(brokenText(garbled)?.expected, garbled).toMatch(/one encoding|control/);
      expect(brokenText(text), text).toBeNull();
    }
    expect(brokenText(asWindows1252('it’s'))?.found).toBe("'â€™' in 'itâ€™s'");
  });

  it('shows the place, not the whole text', () => {
    const long = `${'word '.repeat(20)}it\uFFFDs${' word'.repeat(20)}`;
    const found = brokenText(long)?.found ?? '';
    expect(found).toMatch(/^U\+FFFD in '\.\..{40,44}\.\.'$/u);
  });
});
