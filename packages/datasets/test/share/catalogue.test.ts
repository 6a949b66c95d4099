import { describe, expect, it } from 'vitest';
import {
  type Catalogue,
  decodeCatalogue,
  encodeCatalogue,
  mergeCatalogues,
} from '../../src/share/catalogue.ts';

const file = (n: number) => ({ bytes: n, sha256: String(n).repeat(64) });
const set = (feature: string, ...parts: string[]) => ({
  feature,
  fingerprint: 'a'.repeat(64),
  spec: file(1),
  parts,
});
const catalogue = (...sets: Catalogue['sets']): Catalogue => ({
  format: 1,
  dataset: 'd',
  manifest: null,
  sets,
});

describe('a catalogue', () => {
  it('is read as it was written, in one order', () => {
    const bytes = encodeCatalogue(catalogue(set('z', 'p-1'), set('b')));
    expect(decodeCatalogue(bytes, 'x')).toEqual(catalogue(set('b'), set('z', 'p-1')));
    expect(encodeCatalogue(catalogue(set('b'), set('z', 'p-1')))).toEqual(bytes);
  });

  it('notices every flipped bit, and a cut', () => {
    const bytes = encodeCatalogue(catalogue(set('b', 'p-1')));
    for (let i = 0; i < bytes.length; i++) {
      const wrong = Buffer.from(bytes);
      wrong[i] = (wrong[i] as number) ^ 1;
      expect(() => decodeCatalogue(wrong, 'here'), `byte ${i}`).toThrow(/here is damaged/);
      expect(() => decodeCatalogue(bytes.subarray(0, i), 'here')).toThrow(/here is damaged/);
    }
  });

  it('joins what two know', () => {
    const old = { ...catalogue(set('a', 'p-1', 'p-2'), set('b', 'p-9')), manifest: file(2) };
    const now = catalogue(set('a', 'p-3'), set('c'));
    expect(mergeCatalogues(old, now)).toEqual({
      ...catalogue(set('a', 'p-1', 'p-2', 'p-3'), set('b', 'p-9'), set('c')),
      manifest: file(2),
    });
    expect(mergeCatalogues(null, now)).toEqual(now);
  });
});
