import { decodeHalf } from '@lsgmer/datasets';
import { tf } from '@lsgmer/onnx';
import type {
  Engine,
  FeatureDims,
  Head,
  HeadConfig,
  HostBatch,
  StepResult,
  Tensors,
} from '../head/contract.ts';
import { batchInputs } from './batch-inputs.ts';
import { parameterCount, type ParameterView, parameterViews } from './parameters.ts';
import { evaluationPass, trainingPass } from './passes.ts';
import { type Moments, trainingVectors } from './vectors.ts';

/**
 * Runs a head op by op on tfjs's current backend, whichever the caller has made that (tfjs-backend-cpu, or
 * tfjs-node-gpu where a user has it). Slow on the CPU: it is the oracle for the traced engine.
 */
export class EagerEngine implements Engine {
  readonly parameters: Float32Array;
  readonly gradient: Float32Array;
  readonly moments: Moments;
  private readonly head: Head;
  private readonly config: HeadConfig;
  private readonly dims: FeatureDims;
  private readonly classes: number;
  private readonly views: readonly ParameterView[];

  /** An engine with all parameters 0. */
  constructor(head: Head, config: HeadConfig, dims: FeatureDims, classes: number) {
    this.head = head;
    this.config = config;
    this.dims = dims;
    this.classes = classes;
    this.views = parameterViews(head.parameters(config, dims, classes));
    const { parameters, gradient, moments } = trainingVectors(parameterCount(this.views));
    this.parameters = parameters;
    this.gradient = gradient;
    this.moments = moments;
  }

  clearGradients(): void {
    this.gradient.fill(0);
  }

  async gradients(batch: HostBatch): Promise<StepResult> {
    const { head, config } = this;
    const pass = inScope(() => trainingPass(head, config, this.parameterTensors(), this.batchTensors(batch)));
    const { gradients, loss, ce, apc, logits, gate } = pass;
    try {
      for (const { name, offset } of this.views) {
        const values = await valuesOf(gradients[name] as tf.Tensor);
        for (let i = 0; i < values.length; i++) {
          this.gradient[offset + i] = (this.gradient[offset + i] as number) + (values[i] as number);
        }
      }
      const number = async (scalar: tf.Tensor): Promise<number> => (await valuesOf(scalar))[0] as number;
      return {
        loss: await number(loss),
        ce: await number(ce),
        apc: await number(apc),
        logits: await valuesOf(logits),
        ...(gate === undefined ? {} : { gate: await valuesOf(gate) }),
      };
    } finally {
      tf.dispose(pass as unknown as tf.TensorContainer);
    }
  }

  async forward(
    batch: HostBatch,
    extra = false,
  ): Promise<{ logits: Float32Array; extra: Record<string, Float32Array> }> {
    const { head, config } = this;
    const found = inScope(() =>
      evaluationPass(head, config, this.parameterTensors(), this.batchTensors(batch), extra),
    );
    try {
      const further: Record<string, Float32Array> = {};
      for (const [name, tensor] of Object.entries(found.extra)) further[name] = await valuesOf(tensor);
      return { logits: await valuesOf(found.logits), extra: further };
    } finally {
      tf.dispose(found);
    }
  }

  async dispose(): Promise<void> {}

  private parameterTensors(): Tensors {
    return Object.fromEntries(
      this.views.map(({ name, shape, offset, length }) => [
        name,
        // A copy: tfjs-backend-cpu keeps the array that it is given.
        tf.tensor(this.parameters.slice(offset, offset + length), [...shape]),
      ]),
    );
  }

  private batchTensors(batch: HostBatch): Tensors {
    const { head, config, dims, classes } = this;
    return Object.fromEntries(
      batchInputs(head, config, dims, classes, batch).map(({ name, shape, half, data }) => {
        if (!half) return [name, tf.tensor(data.slice(), [...shape])];
        const floats = new Float32Array(data.length);
        decodeHalf(data as Uint16Array, floats);
        return [name, tf.tensor(floats, [...shape])];
      }),
    );
  }
}

/** Runs `compute` and disposes of every tensor that it made and does not return. */
function inScope<T>(compute: () => T): T {
  return tf.tidy(() => compute() as tf.TensorContainer) as T;
}

/** A tensor's values. One tensor may stand in several places of a result: they are disposed of together. */
async function valuesOf(tensor: tf.Tensor): Promise<Float32Array> {
  return (await tensor.data()) as Float32Array;
}
