import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '@lsgmer/datasets';
import { Graph, modelBytes } from '@lsgmer/onnx/runtime';
import type { OnnxConfig } from '../encoders/onnx-config.ts';
import { ALEXNET_MEL } from '../spectrogram/alexnet-mel.ts';

/** Raised by hand when the spectrogram changes. */
const VERSION = 1;

/** alexnet-mel's spectrogram before it becomes a picture: 128 bands, 100 frames a second, 0..1, the lowest band first. */
const DESCRIPTION: OnnxConfig = {
  model_type: 'onnx',
  input: {
    kind: 'log-mel',
    bands: ALEXNET_MEL.bands,
    window: ALEXNET_MEL.window,
    hop: ALEXNET_MEL.hop,
    fftSize: ALEXNET_MEL.fftSize,
    lowest: ALEXNET_MEL.lowest,
    highest: ALEXNET_MEL.highest,
    preEmphasis: ALEXNET_MEL.preEmphasis,
    log: 'unit',
    floor: 1e-10,
    layout: 'frames',
    least: 1,
  },
  models: [{ file: 'identity.onnx', inputs: { spectrogram: 'input' } }],
  output: 'frames',
  layout: 'steps',
  dim: ALEXNET_MEL.bands,
  framesPerSecond: ALEXNET_MEL.sampleRate / ALEXNET_MEL.hop,
  firstSeconds: 0,
};

/**
 * Writes the description of the log-mel spectrogram as a model, with a graph that changes nothing.
 * @returns its path
 */
export function writeLogMel(models: string): string {
  const folder = join(models, 'built-in', `log-mel-${VERSION}`);
  const path = join(folder, 'log-mel.json');
  if (existsSync(path)) return path;
  const graph = new Graph('identity');
  graph.input('spectrogram', 'float32', ['batch', 'frames', DESCRIPTION.dim]);
  graph.output('spectrogram', 'float32', ['batch', 'frames', DESCRIPTION.dim], DESCRIPTION.output);
  writeFileAtomic(join(folder, 'identity.onnx'), modelBytes(graph));
  writeFileAtomic(path, `${JSON.stringify(DESCRIPTION, null, 1)}\n`);
  return path;
}
