import type { Configuration } from '../config/configuration.ts';
import type { TrainerConfig } from '../config/trainer-options.ts';
import { AdamW, type Span } from '../engine/adamw.ts';
import type { Engine, FeatureDims, Head, ParameterSpec } from '../head/contract.ts';
import { initialValues } from '../head/initial-values.ts';
import { LabelAverage, type LabelMovement, type LabelSpan } from '../head/moving-average.ts';
import { rateFactor } from './schedule.ts';
import type { Safetensors, Tensor } from './safetensors.ts';

/**
 * All numbers that training changes: parameters (in the engine's flat vector), the optimiser's moments and the
 * label averages; made from the seed, saved to and restored from a checkpoint.
 */
export class TrainingState {
  readonly labels: LabelAverage;
  private readonly engine: Engine;
  private readonly specs: readonly ParameterSpec[];
  private readonly optimiser: AdamW;
  private readonly trainer: TrainerConfig;

  /** Overwrites the engine's parameters with initial values. */
  constructor(
    head: Head,
    { trainer, head: config }: Configuration,
    dims: FeatureDims,
    classes: number,
    seed: number,
    engine: Engine,
  ) {
    this.engine = engine;
    this.trainer = trainer;
    this.specs = head.parameters(config, dims, classes);
    const initial = initialValues(this.specs, { weights: seed, labels: trainer.labelSeed ?? seed });
    if (initial.length !== engine.parameters.length) {
      throw new Error(
        `head ${head.name} has ${initial.length} parameters, the engine ${engine.parameters.length}`,
      );
    }
    engine.parameters.set(initial);
    this.optimiser = new AdamW(
      initial.length,
      { ...trainer, undecayed: trainer.decayAll ? [] : biasSpans(this.specs) },
      engine.moments,
    );
    this.labels = new LabelAverage(config, labelSpans(this.specs), engine.parameters);
  }

  /** Learning rate of the last update. */
  get lr(): number {
    return this.optimiser.lr;
  }

  /**
   * One optimiser step on the engine's gradient, shortened where it is longer than `clip`.
   * @param progress share of all updates that came before this one
   * @returns the gradient's length before that
   */
  update(progress: number): number {
    const { parameters, gradient } = this.engine;
    const { lr, clip } = this.trainer;
    const norm = euclideanNorm(gradient);
    if (clip > 0 && norm > clip) {
      const factor = clip / (norm + 1e-6);
      for (let i = 0; i < gradient.length; i++) gradient[i] = (gradient[i] as number) * factor;
    }
    this.optimiser.lr = lr * rateFactor(this.trainer, progress);
    this.optimiser.step(parameters, gradient);
    this.forget(this.labels.afterStep(parameters));
    return norm;
  }

  /** Ends an epoch: the moving average of the labels. */
  endEpoch(): LabelMovement {
    const { movement, forget } = this.labels.afterEpoch(this.engine.parameters);
    this.forget(forget);
    return movement;
  }

  /** Everything that a checkpoint must hold beside the counters. */
  tensors(): Safetensors['tensors'] {
    const flat = (values: Float32Array): Tensor => ({ shape: [values.length], values });
    const { average, unaveraged, initial, epochStart } = this.labels.state;
    return {
      parameters: flat(this.engine.parameters),
      'adamw.first': flat(this.optimiser.first),
      'adamw.second': flat(this.optimiser.second),
      'labels.average': flat(average),
      'labels.unaveraged': flat(unaveraged),
      'labels.initial': flat(initial),
      'labels.epochStart': flat(epochStart),
    };
  }

  /**
   * @param step updates that the checkpoint had seen
   * @throws Error where a tensor is missing or has another size: the run's id should have told
   */
  restore(tensors: Safetensors['tensors'], step: number): void {
    const size = this.engine.parameters.length;
    const read = (name: string, length: number): Float32Array => {
      const values = tensors[name]?.values;
      if (values?.length !== length) {
        throw new Error(`checkpoint: ${name} has ${values?.length ?? 'no'} values, expected ${length}`);
      }
      return values;
    };
    const labels = this.labels.state.initial.length;
    this.engine.parameters.set(read('parameters', size));
    this.optimiser.first.set(read('adamw.first', size));
    this.optimiser.second.set(read('adamw.second', size));
    this.optimiser.steps = step;
    this.labels.restore({
      average: read('labels.average', labels),
      unaveraged: read('labels.unaveraged', labels),
      initial: read('labels.initial', labels),
      epochStart: read('labels.epochStart', labels),
    });
  }

  /** A copy of the parameters that evaluation sees. */
  forEvaluation(): Float32Array {
    const restore = this.labels.forEvaluation(this.engine.parameters);
    const copy = this.engine.parameters.slice();
    restore();
    return copy;
  }

  /** The parameters by name, as they are now; copies. */
  named(): Safetensors['tensors'] {
    let at = 0;
    const out: { [name: string]: Tensor } = {};
    for (const { name, shape } of this.specs) {
      const size = shape.reduce((a, b) => a * b, 1);
      out[name] = { shape, values: this.engine.parameters.slice(at, at + size) };
      at += size;
    }
    return out;
  }

  private forget(spans: readonly LabelSpan[]): void {
    for (const { offset, length } of spans) {
      this.optimiser.first.fill(0, offset, offset + length);
      this.optimiser.second.fill(0, offset, offset + length);
    }
  }
}

/** Euclidean length, summed in float64. */
export function euclideanNorm(values: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) ** 2;
  return Math.sqrt(sum);
}

/** Where biases and gains lie in the flat vector: vectors, and the recurrence's biases, whose shape leads with its directions. */
export function biasSpans(specs: readonly ParameterSpec[]): Span[] {
  let offset = 0;
  return specs.flatMap(({ name, shape }) => {
    const length = shape.reduce((a, b) => a * b, 1);
    const span = { offset, length };
    offset += length;
    return shape.length === 1 || /\.(bih|bhh)$/.test(name) ? [span] : [];
  });
}

/** Where the averaged parameters (label tables) lie in the flat vector. */
export function labelSpans(specs: readonly ParameterSpec[]): LabelSpan[] {
  let offset = 0;
  return specs.flatMap(({ shape, averaged }) => {
    const length = shape.reduce((a, b) => a * b, 1);
    const span = { offset, length, rows: shape[0] as number };
    offset += length;
    return averaged ? [span] : [];
  });
}
