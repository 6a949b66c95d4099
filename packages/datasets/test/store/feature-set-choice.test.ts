import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseFeatureSet } from '../../src/store/feature-set-choice.ts';
import { sampleRows, sampleSpec, temporaryStore, writeRows } from './sample.ts';

const one = sampleSpec({ computation: { encoder: 'e', layer: 12 } });
const two = sampleSpec({ computation: { encoder: 'e', layer: 24 } });
const rows = sampleRows(one, 4);
const ids = rows.map(({ id }) => id);
const short = (spec: { fingerprint: string }): string => spec.fingerprint.slice(0, 12);

function stores(): string[] {
  const [group, own] = [temporaryStore(), temporaryStore()];
  writeRows(group, one, rows);
  writeRows(own, two, rows.slice(0, 2));
  return [group, own];
}
const name = { dataset: 'sample', feature: 'sample-audio' };

describe('chooseFeatureSet', () => {
  it('takes the only set, or the one with the fingerprint that was asked for', () => {
    const both = stores();
    expect(chooseFeatureSet({ ...name, stores: both.slice(1) }).fingerprint).toBe(two.fingerprint);
    for (const spec of [one, two]) {
      const prefix = spec.fingerprint.slice(0, 8);
      expect(chooseFeatureSet({ ...name, stores: both, fingerprint: spec.fingerprint }).spec).toEqual(spec);
      expect(chooseFeatureSet({ ...name, stores: both, feature: `sample-audio@${prefix}` }).spec).toEqual(
        spec,
      );
    }
  });

  it('takes the complete one of several', () => {
    expect(chooseFeatureSet({ ...name, stores: stores(), ids }).fingerprint).toBe(one.fingerprint);
  });

  it('lists complete sets with the keys on which they differ, and never picks one of them', () => {
    const [first, second] = [one, two].sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1)) as [
      typeof one,
      typeof two,
    ];
    const layers = first === one ? '12 -> 24' : '24 -> 12';
    expect(() => chooseFeatureSet({ ...name, stores: stores() })).toThrow(
      `sample has 2 sets of sample-audio, 2 of them complete: ${short(first)}, ${short(second)} (layer: ${layers}); choose one as sample-audio@<first digits>`,
    );
    expect(() => chooseFeatureSet({ ...name, stores: stores(), ids: [...ids, 'sample/more'] })).toThrow(
      '2 sets of sample-audio, none of them complete',
    );
  });

  it('shows how the sets that are there differ from the one that is wanted', () => {
    const wanted = sampleSpec({ computation: { encoder: 'e', layer: 6 } });
    expect(() =>
      chooseFeatureSet({
        ...name,
        stores: stores().slice(0, 1),
        fingerprint: wanted.fingerprint,
        computation: wanted.computation,
      }),
    ).toThrow(
      `sample has no sample-audio with fingerprint ${wanted.fingerprint}; there is ${short(one)} (layer: 12 -> 6); choose one as sample-audio@<first digits>, or extract the one that you want`,
    );
  });

  it('lists what there is when the name is wrong', () => {
    const all = stores();
    const where = all.join(', ');
    expect(() => chooseFeatureSet({ ...name, stores: all, feature: 'wavlm' })).toThrow(
      `sample has no feature wavlm in ${where}: there is sample-audio; extract it, or choose another`,
    );
    expect(() => chooseFeatureSet({ ...name, stores: all, dataset: 'meld' })).toThrow(
      `no dataset meld in ${where}: they hold sample; extract or pull its features first`,
    );
    const empty = temporaryStore();
    expect(() => chooseFeatureSet({ ...name, stores: [empty] })).toThrow(
      `no dataset sample in ${empty}: they hold nothing;`,
    );
    mkdirSync(join(empty, 'sample'));
    expect(() => chooseFeatureSet({ ...name, stores: [empty] })).toThrow('none was extracted yet');
    expect(() => chooseFeatureSet({ ...name, stores: [] })).toThrow(
      'no dataset sample in (no store was given)',
    );
    expect(() => chooseFeatureSet({ ...name, stores: all, feature: 'sample-audio@XY' })).toThrow(
      '"XY" is no beginning of a fingerprint',
    );
    expect(() => chooseFeatureSet({ ...name, stores: all, feature: '../sample-audio' })).toThrow(
      'is no name for a feature',
    );
  });
});
