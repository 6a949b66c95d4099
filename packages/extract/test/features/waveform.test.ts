import { describe, expect, it } from 'vitest';
import type { SpeechConfig } from '../../src/encoders/speech-config.ts';
import { standardise, waveformForm } from '../../src/features/waveform.ts';
import { golden } from '../support.ts';

const { kinds } = golden('encoders/wavlm.json') as {
  kinds: Record<'layer' | 'group', { config: SpeechConfig }>;
};

describe('standardise', () => {
  it('brings a clip to mean 0 and variance 1, and leaves silence alone', () => {
    const out = standardise(Float32Array.of(1, 2, 3, 6));
    // mean 3, variance 3.5
    expect([...out].map((value) => value.toFixed(5))).toEqual(['-1.06904', '-0.53452', '0.00000', '1.60357']);
    expect([...standardise(Float32Array.of(0.25, 0.25))]).toEqual([0, 0]);
  });
});

describe('waveformForm', () => {
  it('lets clips of equal frame counts share a batch where the norms allow it', () => {
    const layer = waveformForm(kinds.layer.config, true, 16_000);
    expect([1, 399, 400, 719, 720, 16_000].map((samples) => layer.batchKey(samples))).toEqual([
      400, 400, 400, 400, 720, 15_760,
    ]);
    const group = waveformForm(kinds.group.config, true, 16_000);
    expect([1, 400, 401, 719].map((samples) => group.batchKey(samples))).toEqual([400, 400, 401, 719]);
  });

  it('normalises over the whole clip before cutting, and pads afterwards', () => {
    const form = waveformForm(kinds.layer.config, true, 16_000);
    const long = Float32Array.from({ length: 500 }, (_, i) => i);
    const short = Float32Array.of(1, 3);
    const { input_values: values } = form.feeds([long, short]);
    const data = values?.data as Float32Array;
    expect(values?.shape).toEqual([2, 400]);
    expect([...data.subarray(0, 400)]).toEqual([...standardise(long).subarray(0, 400)]);
    expect([...data.subarray(400, 404)]).toEqual(
      [-1, 1, 0, 0].map((value) => Math.fround(value * (1 / Math.sqrt(1 + 1e-7)))),
    );
    const raw = waveformForm(kinds.layer.config, false, 16_000).feeds([short])['input_values']
      ?.data as Float32Array;
    expect([...raw.subarray(0, 3)]).toEqual([1, 3, 0]);
  });

  it('states the times of its frames', () => {
    const form = waveformForm(kinds.layer.config, true, 16_000);
    expect([form.firstSeconds, form.stepSeconds]).toEqual([200 / 16_000, 320 / 16_000]);
    const narrow = waveformForm(kinds.layer.config, true, 8000);
    expect([narrow.firstSeconds, narrow.stepSeconds]).toEqual([200 / 8000, 320 / 8000]);
    expect([form.sampleRate, narrow.sampleRate]).toEqual([16_000, 8000]);
  });
});
