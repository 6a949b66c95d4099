import { tf } from '@lsgmer/onnx';
import type { HeadConfig, HeadLoss, Tensors } from './contract.ts';
import { crossEntropy, weightedSum } from './loss.ts';
import { linear, linearWeights, need } from './ops.ts';
import { type CLASSIFIER_DROPOUT, LOSS_FOCAL, optionsOf, type OptionsOf } from './shared-options.ts';

type Dropout = OptionsOf<[typeof CLASSIFIER_DROPOUT]>;

/** Eq. 12: fused [B, d] -> ReLU(Linear) -> dropout in training -> Linear: logits [B, N]. */
export function classify(
  parameters: Tensors,
  batch: Tensors,
  fused: tf.Tensor,
  options: Dropout,
  training: boolean,
): tf.Tensor {
  let hidden = tf.relu(linear(fused, linearWeights(parameters, 'classifier.hidden')));
  if (training && options['classifier.dropout'] > 0)
    hidden = tf.mul(hidden, need(batch, 'dropout.classifier'));
  return linear(hidden, linearWeights(parameters, 'classifier.output'));
}

/** Cross entropy alone (`loss.focal` where the head lists it): the sum over rows of each row's loss times its weight. */
export function classLoss(logits: tf.Tensor, batch: Tensors, config: HeadConfig = {}): HeadLoss {
  const gamma = optionsOf([LOSS_FOCAL], config)['loss.focal'];
  const ce = weightedSum(crossEntropy(logits, need(batch, 'target'), gamma), need(batch, 'weight'));
  return { loss: ce, ce, apc: tf.scalar(0) };
}
