import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { analyse } from '../../src/analysis/analyse.ts';
import type { Assembler } from '../../src/batches/assemble.ts';
import type { AnalysisRow } from '../../src/analysis/analysis-file.ts';
import type { Relative } from '../../src/analysis/relative.ts';
import { decodeSafetensors } from '../../src/fit/safetensors.ts';
import { about, goldenBatch, goldenCase, largestDifference } from '../support/head-golden.ts';
import { ENGINES, withEngine } from '../support/head-engines.ts';

const { tensors } = decodeSafetensors(
  readFileSync(new URL('../../../../test/golden/head/attention.safetensors', import.meta.url)),
);
const cases = [...new Set(Object.keys(tensors).map((name) => name.slice(0, name.lastIndexOf('/'))))];

/** What analysis.arrow would say of the golden rows, in a batch with more padding than they need. */
function analysed(engineName: string, name: string): Promise<AnalysisRow[]> {
  const entry = goldenCase(name);
  const batch = goldenBatch(entry.config, { rows: 2, text: 3, audio: 5, map: 1, junk: 2 });
  const assembler = {
    assemble: () => Promise.resolve(batch),
    release: () => {},
  } as unknown as Assembler;
  const joined = {
    rows: batch.ids.map((id, i) => ({ id, label: about.target[i] as number })),
    lengths: batch.ids.map((_, i) => ({
      text: about.lengths.text[i] as number,
      audio: about.lengths.audio[i] as number,
      map: about.lengths.map[i] as number,
    })),
    missing: [],
    masked: [],
  };
  const pass = [{ shape: batch.shape, items: batch.ids.map((_, i) => i) }];
  const predictions = joined.rows.map((row) => ({ ...row, prediction: 1, probabilities: [] }));
  return withEngine(engineName, entry, (engine) =>
    analyse(engine, assembler, pass, joined, 'Ses01', predictions),
  );
}

/** Eight bits of the row's maximum, and rounding of float32. */
function differs({ values, max }: Relative, expected: Float32Array, width: number, steps: number): number {
  let worst = 0;
  for (let r = 0; r < max.length; r++) {
    const row = expected.subarray(r * width, r * width + steps);
    const top = Math.max(...row);
    worst = Math.max(worst, Math.abs((max[r] as number) - top));
    for (let i = 0; i < steps; i++) {
      const value = ((values[r * steps + i] as number) / 255) * top;
      worst = Math.max(worst, Math.abs(value - (row[i] as number)) - top / 509);
    }
  }
  return worst;
}

describe.each(Object.keys(ENGINES))('%s', (engineName) => {
  it.each(cases)('%s: attention, gate and fused vector equal PyTorch, padding left out', async (name) => {
    const rows = await analysed(engineName, name);
    expect(rows.map((row) => row.id)).toEqual(['row-0', 'row-1', 'row-2', 'row-3', 'row-4']);
    const expected = (what: string, row: number): Float32Array => {
      const values = tensors[`${name}/${what}`]?.values ?? new Float32Array(0);
      const width = values.length / about.rows;
      return values.subarray(row * width, (row + 1) * width);
    };
    rows.forEach((row, i) => {
      expect(row.fold).toBe('Ses01');
      expect(row.label).toBe(about.target[i]);
      expect(row.prediction).toBe(1);
      expect(row.fused.length).toBeGreaterThan(0);
      expect(largestDifference(row.fused, expected('fused', i))).toBeLessThan(1e-5);
      expect(largestDifference(row.gate, expected('gate', i))).toBeLessThan(1e-5);
      for (const [what, found, width, steps] of [
        ['attention.text', row.textLabel, about.tokens, row.tokens],
        ['attention.audio', row.audioLabel, about.frames, row.frames],
        ['cross.text', row.textCross, about.tokens, row.tokens],
        ['cross.audio', row.audioCross, about.frames, row.frames],
      ] as const) {
        const golden = expected(what, i);
        expect(found.max.length, `${what}: rows`).toBe(golden.length / width);
        expect(found.values.length, `${what}: values`).toBe(found.max.length * steps);
        expect(differs(found, golden, width, steps), what).toBeLessThan(1e-5);
      }
    });
  });
});

it('says how many real steps a head reads, 0 where it reads none', async () => {
  const [both, text] = [await analysed('eager', 'default'), await analysed('eager', 'modality=text')];
  expect(both.map((row) => [row.tokens, row.frames])).toEqual(
    about.lengths.text.map((n, i) => [n, about.lengths.audio[i]]),
  );
  expect(text.map((row) => [row.tokens, row.frames])).toEqual(about.lengths.text.map((n) => [n, 0]));
});
