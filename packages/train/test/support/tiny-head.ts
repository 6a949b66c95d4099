import * as tf from '@tensorflow/tfjs-core';
import type {
  BatchShape,
  Engine,
  FeatureDims,
  Head,
  HeadConfig,
  HostBatch,
  InputSpec,
  StepResult,
} from '../../src/head/contract.ts';

/**
 * A head small enough for gradients by hand: masked means of the features, side by side, through one linear
 * layer; label embeddings that are pulled towards the targets. With it goes an engine in plain loops.
 */
export const tinyHead: Head = {
  name: 'tiny',
  options: [
    {
      key: 'modality',
      type: ['full', 'text', 'audio'],
      default: 'full',
      source: 'own',
      help: 'Inputs used.',
    },
    { key: 'apc', type: 'number', default: 0.1, min: 0, source: 'own', help: 'Weight of the label term.' },
    {
      key: 'ma.alpha',
      type: 'number',
      default: 0.99,
      min: 0,
      max: 1,
      source: 'Eq. 9',
      help: 'Moving average.',
    },
    {
      key: 'classifier.dropout',
      type: 'number',
      default: 0,
      min: 0,
      max: 0.9,
      source: 'own',
      help: 'Dropout.',
    },
  ],
  parameters(config, dims, classes) {
    const width = fusedWidth(config, dims);
    return [
      {
        name: 'weight',
        shape: [width, classes],
        init: { kind: 'uniform', bound: 0.1 },
        stream: 'weights',
        averaged: false,
      },
      {
        name: 'bias',
        shape: [classes],
        init: { kind: 'constant', value: 0 },
        stream: 'weights',
        averaged: false,
      },
      {
        name: 'labels',
        shape: [classes, width],
        init: { kind: 'normal', sd: 1 },
        stream: 'labels',
        averaged: true,
      },
    ];
  },
  inputs(config, dims, classes, shape) {
    const { rows: B, text: n, audio: m } = shape;
    const specs: InputSpec[] = [];
    for (const { name, dim } of used(config, dims)) {
      const steps = name === 'text' ? n : m;
      specs.push({ name, shape: [B, steps, dim], dtype: 'feature' });
      specs.push({ name: `${name}Mask`, shape: [B, steps], dtype: 'float32' });
    }
    specs.push({ name: 'target', shape: [B, classes], dtype: 'float32' });
    specs.push({ name: 'weight', shape: [B], dtype: 'float32' });
    if ((config['classifier.dropout'] as number) > 0) {
      specs.push({ name: 'dropout.classifier', shape: [B, fusedWidth(config, dims)], dtype: 'float32' });
    }
    return specs;
  },
  forward(parameters, batch, _config, training) {
    const parts = ['text', 'audio'].flatMap((name) => {
      const x = batch[name] as tf.Tensor3D | undefined;
      if (x === undefined) return [];
      const mask = batch[`${name}Mask`] as tf.Tensor2D;
      return [tf.div(tf.sum(tf.mul(x, tf.expandDims(mask, 2)), 1), tf.maximum(tf.sum(mask, 1, true), 1))];
    });
    let fused = parts.length === 1 ? (parts[0] as tf.Tensor) : tf.concat(parts, 1);
    const dropout = batch['dropout.classifier'];
    if (training && dropout !== undefined) fused = tf.mul(fused, dropout);
    const logits = tf.add(
      tf.matMul(fused, parameters['weight'] as tf.Tensor),
      parameters['bias'] as tf.Tensor,
    );
    return { logits, fused, extra: {} };
  },
  loss(parameters, output, batch, config) {
    const target = batch['target'] as tf.Tensor;
    const weight = batch['weight'] as tf.Tensor;
    const ce = tf.neg(tf.sum(tf.mul(weight, tf.sum(tf.mul(target, tf.logSoftmax(output.logits)), 1))));
    const near = tf.matMul(output.fused, parameters['labels'] as tf.Tensor, false, true);
    const apc = tf.sum(tf.mul(weight, tf.mean(tf.square(tf.sub(target, near)), 1)));
    return { loss: tf.add(ce, tf.mul(apc, config['apc'] as number)), ce, apc } as never;
  },
};

function used(config: HeadConfig, dims: FeatureDims): { name: 'text' | 'audio'; dim: number }[] {
  const both = [
    { name: 'text' as const, dim: dims.text },
    { name: 'audio' as const, dim: dims.audio },
  ];
  return both.filter(({ name }) => config['modality'] === 'full' || config['modality'] === name);
}

function fusedWidth(config: HeadConfig, dims: FeatureDims): number {
  return used(config, dims).reduce((sum, { dim }) => sum + dim, 0);
}

/** The value of 16 bits of a float16. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

/** Gradients by hand in float64; the tiny head's only. */
export class TinyEngine implements Engine {
  readonly parameters: Float32Array;
  readonly gradient: Float32Array;
  /** Shapes that were run, for tests of how many graphs an epoch needs. */
  readonly shapes = new Set<string>();
  disposed = false;
  private readonly config: HeadConfig;
  private readonly classes: number;
  private readonly parts: { name: 'text' | 'audio'; dim: number }[];
  private readonly width: number;

  constructor(config: HeadConfig, dims: FeatureDims, classes: number) {
    this.config = config;
    this.classes = classes;
    this.parts = used(config, dims);
    this.width = fusedWidth(config, dims);
    this.parameters = new Float32Array(2 * this.width * classes + classes);
    this.gradient = new Float32Array(this.parameters.length);
  }

  clearGradients(): void {
    this.gradient.fill(0);
  }

  async gradients(batch: HostBatch): Promise<StepResult> {
    const { width, classes: N } = this;
    const { rows } = batch.shape;
    const fused = this.fused(batch, true);
    const logits = this.logits(fused, rows);
    const labelsAt = width * N + N;
    let ce = 0;
    let apc = 0;
    const strength = this.config['apc'] as number;
    const sum = new Float64Array(this.gradient.length);
    for (let b = 0; b < rows; b++) {
      const w = (batch.feeds['weight'] as Float32Array)[b] as number;
      const z = logits.subarray(b * N, (b + 1) * N);
      const top = Math.max(...z);
      const total = z.reduce((s, x) => s + Math.exp(x - top), 0);
      for (let j = 0; j < N; j++) {
        const t = (batch.feeds['target'] as Float32Array)[b * N + j] as number;
        const logP = (z[j] as number) - top - Math.log(total);
        ce -= w * t * logP;
        let near = 0;
        for (let k = 0; k < width; k++) {
          near += (fused[b * width + k] as number) * (this.parameters[labelsAt + j * width + k] as number);
        }
        apc += (w * (t - near) ** 2) / N;
        const dz = w * (Math.exp(logP) - t);
        const dNear = (strength * w * 2 * (near - t)) / N;
        for (let k = 0; k < width; k++) {
          const f = fused[b * width + k] as number;
          sum[k * N + j] = (sum[k * N + j] as number) + dz * f;
          sum[labelsAt + j * width + k] = (sum[labelsAt + j * width + k] as number) + dNear * f;
        }
        sum[width * N + j] = (sum[width * N + j] as number) + dz;
      }
    }
    for (let i = 0; i < sum.length; i++) this.gradient[i] = (this.gradient[i] as number) + (sum[i] as number);
    return { loss: ce + strength * apc, ce, apc, logits: Float32Array.from(logits) };
  }

  async forward(batch: HostBatch): Promise<{ logits: Float32Array; extra: Record<string, Float32Array> }> {
    const logits = this.logits(this.fused(batch, false), batch.shape.rows);
    return { logits: Float32Array.from(logits), extra: {} };
  }

  async dispose(): Promise<void> {
    this.disposed = true;
  }

  private logits(fused: Float64Array, rows: number): Float64Array {
    const { width, classes: N, parameters } = this;
    const out = new Float64Array(rows * N);
    for (let b = 0; b < rows; b++) {
      for (let j = 0; j < N; j++) {
        let z = parameters[width * N + j] as number;
        for (let k = 0; k < width; k++)
          z += (fused[b * width + k] as number) * (parameters[k * N + j] as number);
        out[b * N + j] = z;
      }
    }
    return out;
  }

  private fused({ shape, feeds }: HostBatch, training: boolean): Float64Array {
    this.shapes.add(shapeKey(shape));
    const out = new Float64Array(shape.rows * this.width);
    let at = 0;
    for (const { name, dim } of this.parts) {
      const steps = shape[name];
      const values = feeds[name] as Uint16Array | Float32Array;
      const mask = feeds[`${name}Mask`] as Float32Array;
      for (let b = 0; b < shape.rows; b++) {
        const count = Math.max(
          1,
          mask.subarray(b * steps, (b + 1) * steps).reduce((s, x) => s + x, 0),
        );
        for (let i = 0; i < steps; i++) {
          if (mask[b * steps + i] === 0) continue;
          for (let k = 0; k < dim; k++) {
            const raw = values[(b * steps + i) * dim + k] as number;
            const x = values instanceof Uint16Array ? halfToNumber(raw) : raw;
            out[b * this.width + at + k] = (out[b * this.width + at + k] as number) + x / count;
          }
        }
      }
      at += dim;
    }
    const dropout = feeds['dropout.classifier'];
    if (training && dropout !== undefined) {
      for (let i = 0; i < out.length; i++) out[i] = (out[i] as number) * (dropout[i] as number);
    }
    return out;
  }
}

export function shapeKey({ rows, text, audio, map }: BatchShape): string {
  return `${rows}/${text}/${audio}/${map}`;
}
