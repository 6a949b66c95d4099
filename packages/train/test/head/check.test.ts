import { tf } from '@lsgmer/onnx';
import { describe, expect, it } from 'vitest';
import { eagerEngine, onnxEngine } from '../../src/engine/factories.ts';
import { checkHead } from '../../src/head/check.ts';
import type { Head, HeadConfig, Tensors } from '../../src/head/contract.ts';
import { linear, linearWeights, need } from '../../src/head/ops.ts';
import { KNOWN_HEADS } from '../../src/head/registry.ts';
import { textOnly } from '../../src/head/single-modality.ts';
import { useCpu } from '../support/cpu-backend.ts';

await useCpu();
const engines = { eager: await eagerEngine(), traced: await onnxEngine({ device: 'cpu', threads: 1 }) };

const small = (head: Head): HeadConfig => ({
  ...Object.fromEntries(head.options.map((spec) => [spec.key, spec.default])),
  d: 4,
  heads: 2,
  // op by op a recurrence takes most of the time: once is enough
  ...(head.name === 'lsgmer' ? {} : { 'text.encoder': 'linear' }),
});

async function failures(head: Head): Promise<{ [check: string]: string }> {
  const checks = await checkHead(head, small(head), engines);
  return Object.fromEntries(checks.filter((one) => !one.ok).map((one) => [one.name, one.detail]));
}

/** Text only with another mean of its tokens. */
function withMean(mean: (h0: tf.Tensor, mask: tf.Tensor) => tf.Tensor): Head {
  return {
    ...textOnly,
    name: 'own',
    options: [],
    parameters: (_, dims, classes) => textOnly.parameters({ d: 8, 'text.encoder': 'linear' }, dims, classes),
    inputs: (_, dims, classes, shape) =>
      textOnly.inputs({ d: 8, 'text.encoder': 'linear' }, dims, classes, shape),
    forward(parameters: Tensors, batch: Tensors) {
      const h0 = linear(need(batch, 'text'), linearWeights(parameters, 'text.linear'));
      const fused = mean(h0, need(batch, 'textMask'));
      const hidden = tf.tanh(linear(fused, linearWeights(parameters, 'classifier.hidden')));
      return { logits: linear(hidden, linearWeights(parameters, 'classifier.output')), fused, extra: {} };
    },
  };
}
const masked = (h0: tf.Tensor, mask: tf.Tensor): tf.Tensor => tf.sum(tf.mul(h0, tf.expandDims(mask, 2)), 1);
const right = (h0: tf.Tensor, mask: tf.Tensor): tf.Tensor =>
  tf.div(masked(h0, mask), tf.maximum(tf.sum(mask, 1, true), 1));

describe('checkHead', () => {
  it.each(KNOWN_HEADS.map((head) => [head.name, head] as const))('%s passes', async (_, head) => {
    const checks = await checkHead(head, small(head), engines);
    expect(checks.filter((one) => !one.ok)).toEqual([]);
    expect(checks.map((one) => one.name)).toEqual([
      'options',
      'parameters',
      'inputs',
      'runs on tfjs',
      'kernels',
      'finite differences',
      'engines agree',
      'padding, tfjs',
      'alone, tfjs',
      'modality not there, tfjs',
      'padding, onnx',
      'alone, onnx',
      'modality not there, onnx',
    ]);
  });

  it('passes a head of one’s own that is right', async () => {
    expect(await failures(withMean(right))).toEqual({});
  });

  it('notices padding in a mean', async () => {
    const found = await failures(withMean((h0) => tf.mean(h0, 1)));
    expect(found['padding, tfjs']).toMatch(/logits differ by/);
    expect(found['alone, onnx']).toMatch(/an utterance alone gets other logits/);
  });

  it('notices a division by no steps', async () => {
    const found = await failures(withMean((h0, mask) => tf.div(masked(h0, mask), tf.sum(mask, 1, true))));
    expect(Object.keys(found)).toEqual(['modality not there, tfjs', 'modality not there, onnx']);
    expect(found['modality not there, onnx']).toMatch(/not finite where all of a mask is 0/);
  });

  it('notices a wrong gradient, and names the parameters', async () => {
    const wrong = tf.customGrad((x) => ({
      value: tf.mul(x as tf.Tensor, 2),
      gradFunc: (dy: tf.Tensor) => tf.mul(dy, 1.5),
    }));
    const found = await failures(withMean((h0, mask) => wrong(right(h0, mask))));
    expect(Object.keys(found)).toEqual(['finite differences']);
    expect(found['finite differences']).toMatch(
      /text\.linear\.w: the loss changes by [\d.e-]+, the gradient says/,
    );
    expect(found['finite differences']).not.toMatch(/classifier/);
  });

  it('names every kernel that the tracer lacks', async () => {
    const found = await failures(
      withMean((h0, mask) => tf.add(tf.sin(right(h0, mask)), tf.atan(right(h0, mask)))),
    );
    expect(found['kernels']).toMatch(/the tracer lacks Atan, .*Sin/);
    expect(found['engines agree']).toMatch(/has no ONNX kernel/);
  });

  it('notices declarations that do not hold', async () => {
    const unknown: Head = {
      ...withMean(right),
      inputs: () => [{ name: 'video', shape: [5, 3], dtype: 'float32' }],
    };
    expect(await failures(unknown)).toEqual({
      inputs: 'head own asks for the input video, which no batch has',
    });
    const option = { key: 'size', type: 'integer', default: 0, min: 1, source: 'own', help: '' } as const;
    expect(await failures({ ...withMean(right), options: [option] })).toEqual({
      options: 'default of size: 0 is not valid, expected integer, 1 or more',
    });
    const twice = withMean(right);
    const doubled: Head = {
      ...twice,
      parameters: (...all) => [...twice.parameters(...all), ...twice.parameters(...all)],
    };
    expect(await failures(doubled)).toEqual({ parameters: 'parameter text.linear.w is listed twice' });
  });
});
