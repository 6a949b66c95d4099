import type { Feeds } from '@lsgmer/onnx/runtime';
import { type SpeechConfig, speechField, speechFrames } from '../encoders/speech-config.ts';
import type { EncoderInput, InputForm } from './form.ts';

/** Hugging Face's Wav2Vec2FeatureExtractor. */
const VARIANCE_FLOOR = 1e-7;

/**
 * Waveforms for an encoder with a convolutional front end. A clip that is too short for one frame is padded with
 * zeros to one. With `layer` norms, samples past the last full frame change nothing, so that clips of equal frame
 * counts are cut to equal lengths; `group` norm sees every sample, so that only clips of equal length share a
 * batch.
 *
 * @param normalise whether waveforms are brought to mean 0 and variance 1 (preprocessor_config.json's
 *   do_normalize); before padding and cutting
 * @param sampleRate in Hz (its sampling_rate)
 */
export function waveformForm(config: SpeechConfig, normalise: boolean, sampleRate: number): InputForm {
  const { field, stride } = speechField(config);
  const cuts = config.feat_extract_norm === 'layer';
  const length = (samples: number): number => {
    const padded = Math.max(samples, field);
    return cuts ? field + (speechFrames(config, padded) - 1) * stride : padded;
  };
  return {
    kind: 'audio',
    sampleRate,
    dim: config.hidden_size,
    firstSeconds: field / 2 / sampleRate,
    stepSeconds: stride / sampleRate,
    computation: {
      waveform: normalise ? 'zero mean, unit variance' : 'as decoded',
      shortest: { samples: field, padding: 'zeros at the end, after normalisation' },
    },
    batchKey: length,
    feeds: (inputs) => feeds(inputs, length(inputs[0]?.length ?? 0), normalise),
  };
}

function feeds(inputs: readonly EncoderInput[], length: number, normalise: boolean): Feeds {
  const shape = [inputs.length, length];
  const values = new Float32Array(inputs.length * length);
  inputs.forEach((samples, row) => {
    const prepared = normalise ? standardise(samples as Float32Array) : (samples as Float32Array);
    values.set(prepared.length > length ? prepared.subarray(0, length) : prepared, row * length);
  });
  return {
    input_values: { data: values, shape },
    attention_mask: { data: new BigInt64Array(values.length).fill(1n), shape },
  };
}

/** (x - mean) / sqrt(variance + 1e-7), over the whole clip. */
export function standardise(samples: Float32Array): Float32Array {
  let sum = 0;
  for (const sample of samples) sum += sample;
  const mean = sum / samples.length;
  let squares = 0;
  for (const sample of samples) squares += (sample - mean) ** 2;
  const scale = 1 / Math.sqrt(squares / samples.length + VARIANCE_FLOOR);
  return samples.map((sample) => (sample - mean) * scale);
}
