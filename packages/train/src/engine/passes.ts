import { UserError } from '@lsgmer/datasets';
import { tf } from '@lsgmer/onnx';
import type { Head, HeadConfig, Tensors } from '../head/contract.ts';

/** What a training pass computes. */
export interface TrainingPass {
  readonly loss: tf.Tensor;
  readonly ce: tf.Tensor;
  readonly apc: tf.Tensor;
  /** [B, N] */
  readonly logits: tf.Tensor;
  /** [B, 2], where the head has a fusion gate. */
  readonly gate: tf.Tensor | undefined;
  /** By parameter, of its shape. */
  readonly gradients: Tensors;
}

/**
 * Forward pass, loss, and its gradient by every parameter, on whatever tfjs backend is current: computed there, or
 * traced. A parameter that the loss does not depend on gets zeros. The results survive an enclosing tidy().
 */
export function trainingPass(
  head: Head,
  config: HeadConfig,
  parameters: Tensors,
  batch: Tensors,
): TrainingPass {
  const names = Object.keys(parameters);
  const variables = names.map((name) => parameters[name] as tf.Tensor);
  let kept: Pick<TrainingPass, 'ce' | 'apc' | 'logits' | 'gate'> | undefined;
  // Not tf.valueAndGrads: that refuses a function which leaves one of its variables out.
  const differentiate = (): { value: tf.Tensor; grads: tf.Tensor[] } =>
    tf.engine().gradients(
      () => {
        const output = head.forward(parameters, batch, config, true);
        const { loss, ce, apc } = head.loss(parameters, output, batch, config);
        const { gate } = output.extra;
        kept = {
          ce: tf.keep(ce),
          apc: tf.keep(apc),
          logits: tf.keep(output.logits),
          gate: gate === undefined ? undefined : tf.keep(gate),
        };
        return loss;
      },
      variables,
      null as unknown as tf.Tensor,
      true,
    );
  let value: tf.Tensor;
  let grads: tf.Tensor[];
  try {
    ({ value, grads } = differentiate());
  } catch (error) {
    throw ofOwnHead(head, error);
  }
  const found = grads as (tf.Tensor | null | undefined)[];
  const gradients = Object.fromEntries(
    names.map((name, i) => [name, found[i] ?? tf.zerosLike(variables[i] as tf.Tensor)]),
  );
  return { loss: value, ...(kept as NonNullable<typeof kept>), gradients };
}

/** Shapes that do not fit may show in the gradient only; in a head from a file they are its author's to mend. */
function ofOwnHead({ name, source }: Head, error: unknown): unknown {
  if (source === undefined || error instanceof UserError) return error;
  const [first] = (error instanceof Error ? error.message : String(error)).split('\n');
  return new UserError(`head ${name}: its gradient: ${first}; lsgmer head check tells more`, {
    cause: error,
  });
}

/** Evaluation: logits [B, N], and, when they are asked for, `fused` [B, d] and the head's further tensors. */
export function evaluationPass(
  head: Head,
  config: HeadConfig,
  parameters: Tensors,
  batch: Tensors,
  extra: boolean,
): { readonly logits: tf.Tensor; readonly extra: Tensors } {
  const output = head.forward(parameters, batch, config, false);
  return { logits: output.logits, extra: extra ? { ...output.extra, fused: output.fused } : {} };
}
