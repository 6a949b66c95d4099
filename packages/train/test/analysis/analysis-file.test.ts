import { expect, it } from 'vitest';
import { tableFromIPC } from 'apache-arrow';
import { type AnalysisRow, decodeAnalysis, encodeAnalysis } from '../../src/analysis/analysis-file.ts';
import { noRelative } from '../../src/analysis/relative.ts';

const full: AnalysisRow = {
  id: 'demo/ä_01',
  fold: 'Ses01',
  label: 1,
  prediction: 0,
  tokens: 2,
  frames: 3,
  fused: Float32Array.of(1.5, -2),
  gate: Float32Array.of(0.25, 0.75),
  textLabel: { values: Uint8Array.of(255, 1, 2, 255), max: Float32Array.of(0.5, 0.625) },
  audioLabel: { values: Uint8Array.of(255, 3, 4, 5, 255, 6), max: Float32Array.of(0.375, 0.5) },
  textCross: { values: Uint8Array.of(255, 9), max: Float32Array.of(0.75) },
  audioCross: { values: Uint8Array.of(7, 255, 8), max: Float32Array.of(0.5) },
};
const bare: AnalysisRow = {
  ...full,
  id: 'demo/02',
  prediction: -1,
  tokens: 0,
  gate: new Float32Array(0),
  textLabel: noRelative,
  audioLabel: noRelative,
  textCross: noRelative,
  audioCross: noRelative,
};
const about = { run: '0123456789ab', rule: 'last', classes: ['angry', 'sad'] };

it('comes back as it was written, absent parts empty', () => {
  expect(decodeAnalysis(encodeAnalysis([full, bare], about))).toEqual({ about, rows: [full, bare] });
  expect(decodeAnalysis(encodeAnalysis([], about))).toEqual({ about, rows: [] });
});

it('has the schema that is documented', () => {
  const { schema } = tableFromIPC(encodeAnalysis([full], about));
  expect(schema.fields.map((field) => `${field.name}: ${String(field.type)}`)).toEqual([
    'id: Utf8',
    'fold: Utf8',
    'label: Int32',
    'prediction: Int32',
    'n_tokens: Int32',
    'n_frames: Int32',
    'fused: List<Float32>',
    'gate: List<Float32>',
    'text_label: List<Uint8>',
    'text_label_max: List<Float32>',
    'audio_label: List<Uint8>',
    'audio_label_max: List<Float32>',
    'text_cross: List<Uint8>',
    'text_cross_max: Float32',
    'audio_cross: List<Uint8>',
    'audio_cross_max: Float32',
  ]);
  expect(Object.fromEntries(schema.metadata)).toEqual({
    'lsgmer.format': '1',
    'lsgmer.run': '0123456789ab',
    'lsgmer.rule': 'last',
    'lsgmer.classes': '["angry","sad"]',
  });
});

it('is refused where it is something else', () => {
  const bytes = encodeAnalysis([full], about);
  expect(() => decodeAnalysis(bytes.subarray(0, 100))).toThrow();
  expect(() => decodeAnalysis(encodeAnalysis([full], { ...about, run: 'x' }))).not.toThrow();
});
