import type { Feeds, HostTensor } from '@lsgmer/onnx/runtime';
import { type OnnxConfig, inputRate } from '../encoders/onnx-config.ts';
import { LogMel } from '../spectrogram/log-mel.ts';
import type { EncoderInput, InputForm } from './form.ts';
import { standardise } from './waveform.ts';

/** Name under which an input is given to a chain of graphs. */
export const CHAIN_INPUT = 'input';

/** What a described ONNX encoder is fed with; inputs of equal length share a batch, so that nothing is padded. */
export function describedForm(config: OnnxConfig): InputForm {
  const { input, dim, framesPerSecond, firstSeconds } = config;
  if (input.kind === 'tokens') {
    return {
      kind: 'text',
      sampleRate: null,
      dim,
      firstSeconds: null,
      stepSeconds: null,
      computation: {
        truncation: { maxTokens: input.maxTokens, keeps: 'beginning and closing token' },
      },
      batchKey: (tokens) => tokens,
      feeds: (inputs) => feed(inputs.map((ids) => BigInt64Array.from(ids, BigInt))),
    };
  }
  const stepSeconds = 1 / (framesPerSecond as number);
  const mel = input.kind === 'log-mel' ? new LogMel(input) : undefined;
  const prepare = (samples: EncoderInput): Float32Array => {
    const clip = samples as Float32Array;
    const ready = input.kind === 'waveform' && input.normalise ? standardise(clip) : clip;
    if (ready.length >= input.least) return ready;
    const padded = new Float32Array(input.least);
    padded.set(ready);
    return padded;
  };
  return {
    kind: 'audio',
    sampleRate: inputRate(input),
    dim,
    firstSeconds: firstSeconds ?? stepSeconds / 2,
    stepSeconds,
    // The description itself is part of the fingerprint.
    computation: {},
    batchKey: (samples) => Math.max(samples, input.least),
    feeds: (inputs) => {
      const clips = inputs.map(prepare);
      if (mel === undefined || input.kind !== 'log-mel') return feed(clips);
      const pictures = clips.map((clip) => mel.of(clip));
      const frames = (pictures[0]?.length ?? 0) / input.bands;
      if (input.layout === 'frames') return feed(pictures, [frames, input.bands]);
      return feed(
        pictures.map((picture) => transposed(picture, frames, input.bands)),
        [input.bands, frames],
      );
    },
  };
}

function feed(rows: readonly (Float32Array | BigInt64Array)[], shape = [rows[0]?.length ?? 0]): Feeds {
  const size = rows[0]?.length ?? 0;
  const data =
    rows[0] instanceof BigInt64Array
      ? new BigInt64Array(rows.length * size)
      : new Float32Array(rows.length * size);
  rows.forEach((row, i) => (data as Float32Array).set(row as Float32Array, i * size));
  return { [CHAIN_INPUT]: { data, shape: [rows.length, ...shape] } satisfies HostTensor };
}

/** [rows, columns] -> [columns, rows] */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++)
      out[column * rows + row] = values[row * columns + column] as number;
  }
  return out;
}
