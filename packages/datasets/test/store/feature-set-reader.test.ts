import { describe, expect, it } from 'vitest';
import { openFeatureSet } from '../../src/store/feature-set-reader.ts';
import { openFeatureSetWriter } from '../../src/store/feature-set-writer.ts';
import { sampleRows, sampleSpec, temporaryStore } from './sample.ts';
describe('x', () => {
  it('y', () => {
    const store = temporaryStore();
    const spec = sampleSpec({ kind: 'text' });
    const w = openFeatureSetWriter({ store, spec, part: 'a' });
    for (const r of sampleRows(spec, 70)) w.append(r);
    w.close();
    const s = openFeatureSet({ stores: [store], dataset: 'sample', feature: 'sample-text' });
    expect(s.ids().length).toBe(70);
    for (const r of sampleRows(spec, 70)) {
      const x = s.read(r.id);
      expect(x.n).toBe(r.n);
      expect(x.tokenIds).toEqual(r.tokenIds);
      expect(x.tokenSpans).toEqual(r.tokenSpans);
    }
  });
});
