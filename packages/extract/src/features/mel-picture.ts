import type { Feeds } from '@lsgmer/onnx/runtime';
import { ALEXNET_ROWS, type AlexnetConfig } from '../encoders/alexnet.ts';
import { ALEXNET_MEL, AlexnetMel, pictureColumns } from '../spectrogram/alexnet-mel.ts';
import type { EncoderInput, InputForm } from './form.ts';

/** Columns that one step of AlexNet's `features` is centred after its picture's left edge, and from step to step. */
const FIRST_COLUMN = 31.5;
const COLUMNS_PER_STEP = 32;
const COLUMNS_PER_SECOND = ALEXNET_MEL.sampleRate / ALEXNET_MEL.samplesPerColumn;

/** Log-mel pictures for AlexNet; batches have equal widths. */
export function melPictureForm(config: AlexnetConfig): InputForm {
  const mel = new AlexnetMel();
  return {
    kind: 'audio',
    sampleRate: ALEXNET_MEL.sampleRate,
    dim: config.channels[4] * ALEXNET_ROWS,
    firstSeconds: FIRST_COLUMN / COLUMNS_PER_SECOND,
    stepSeconds: COLUMNS_PER_STEP / COLUMNS_PER_SECOND,
    computation: { picture: ALEXNET_MEL },
    batchKey: pictureColumns,
    feeds: (inputs) => feeds(mel, inputs),
  };
}

function feeds(mel: AlexnetMel, inputs: readonly EncoderInput[]): Feeds {
  const columns = pictureColumns(inputs[0]?.length ?? 0);
  const size = ALEXNET_MEL.rows * columns;
  const values = new Float32Array(inputs.length * size);
  inputs.forEach((samples, row) => values.set(mel.picture(samples as Float32Array).values, row * size));
  return { picture: { data: values, shape: [inputs.length, ALEXNET_MEL.rows, columns] } };
}
