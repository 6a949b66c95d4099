import { decodeHalf, type Json } from '@lsgmer/datasets';
import { createSession, type Feeds, traceSymbolic, type SymbolicInput, tf } from '@lsgmer/onnx';
import { evaluationPass } from '../engine/passes.ts';
import { parameterViews } from '../engine/parameters.ts';
import type { FeatureDims, HostBatch, InputSpec, Tensors } from '../head/contract.ts';
import { flatParameters, type TrainedHead } from './trained-head.ts';

/** A trained head as one ONNX model for every number of rows and steps. */
export interface ExportedHead {
  readonly model: Uint8Array;
  /** What the model takes and gives, in words: part of the card. */
  readonly inputs: readonly ExportedInput[];
}

export interface ExportedInput {
  readonly name: string;
  readonly shape: readonly (number | string)[];
  readonly dtype: 'float32';
  readonly meaning: string;
}

/** Names of the sizes that are open, by their field of a batch's shape. */
const SIZES = { rows: 'rows', text: 'tokens', audio: 'frames', map: 'steps' } as const;

const PARAMETER = 'parameter/';

/** What a batch feeds in training only. */
const forTraining = (name: string): boolean =>
  name === 'target' || name === 'weight' || name.startsWith('dropout.');

/**
 * Exports a trained head: features and masks in, logits and probabilities out. Standardisation by the training part
 * is inside. Only standard operators (opset 17).
 * @throws Error where the head's graph is not of one form for every shape
 */
export function exportHead(trained: TrainedHead, dims: FeatureDims): ExportedHead {
  const { head, config, classes, standards } = trained;
  const specs = symbolicSpecs(trained, dims);
  const flat = flatParameters(trained, dims);
  const parameters = parameterViews(head.parameters(config, dims, classes.length)).map(
    ({ name, shape, offset, length }): SymbolicInput => ({
      name: PARAMETER + name,
      shape,
      data: flat.slice(offset, offset + length),
    }),
  );
  const statistics = Object.entries(standards?.named ?? {}).map(([name, data]): SymbolicInput => ({
    name,
    shape: [data.length],
    data,
  }));
  const { bytes } = traceSymbolic([...specs, ...parameters, ...statistics], (given) => {
    const batch: { [name: string]: tf.Tensor } = {};
    for (const { name } of specs) batch[name] = standardised(name, given);
    const own: Tensors = Object.fromEntries(
      Object.entries(given)
        .filter(([name]) => name.startsWith(PARAMETER))
        .map(([name, tensor]) => [name.slice(PARAMETER.length), tensor]),
    );
    const { logits } = evaluationPass(head, config, own, batch, false);
    return { logits, probabilities: tf.softmax(logits) };
  });
  return {
    model: bytes,
    inputs: specs.map(({ name, shape }) => ({
      name,
      shape,
      dtype: 'float32',
      meaning: MEANINGS[name] ?? '',
    })),
  };
}

function standardised(name: string, given: { readonly [name: string]: tf.Tensor }): tf.Tensor {
  const x = given[name] as tf.Tensor;
  const [mean, sd] = [given[`standardise.${name}.mean`], given[`standardise.${name}.sd`]];
  return mean === undefined || sd === undefined ? x : tf.div(tf.sub(x, mean), sd);
}

/** The head's inputs with names in the place of sizes: found by asking it for two shapes. */
function symbolicSpecs(
  { head, config, classes }: TrainedHead,
  dims: FeatureDims,
): (SymbolicInput & { name: string })[] {
  const ask = (rows: number, text: number, audio: number, map: number): InputSpec[] =>
    head
      .inputs(config, dims, classes.length, { rows, text, audio, map })
      .filter(({ name }) => !forTraining(name));
  const primes = { rows: 1009, text: 1013, audio: 1019, map: 1021 };
  const found = ask(primes.rows, primes.text, primes.audio, primes.map);
  return found.map(({ name, shape }) => ({
    name,
    shape: shape.map((size) => {
      const field = (Object.keys(primes) as (keyof typeof primes)[]).find((key) => primes[key] === size);
      return field === undefined ? size : SIZES[field];
    }),
  }));
}

const MEANINGS: { readonly [input: string]: string } = {
  text: 'features of the tokens; what stands at padding does not matter, as long as it is finite',
  textMask: '1 for a real token, 0 for padding, which comes last; all 0: no text',
  audio: 'features of the frames',
  audioMask: '1 for a real frame, 0 for padding, which comes last; all 0: no audio',
  map: 'steps of the spectrogram map',
  mapPosition:
    "step of the map on which each frame's centre falls: ((audio.firstSeconds + i * audio.stepSeconds) - map.firstSeconds) / map.stepSeconds, held between 0 and the utterance's last step",
  mapPool:
    "average pooling of the utterance's own steps to six, as PyTorch's AdaptiveAvgPool: row k is 1 / count from floor(k * steps / 6) up to ceil((k + 1) * steps / 6)",
};

/** How far a model is from the engine on the same batches: the largest difference of a logit. */
export async function compareExport(
  model: Uint8Array,
  inputs: readonly ExportedInput[],
  batches: readonly { readonly batch: HostBatch; readonly logits: Float32Array }[],
): Promise<number> {
  const session = await createSession(model, { device: 'cpu', threads: 1 });
  let worst = 0;
  try {
    for (const { batch, logits } of batches) {
      const sizes: { [name: string]: number } = {};
      for (const [field, name] of Object.entries(SIZES))
        sizes[name] = batch.shape[field as keyof typeof SIZES];
      const feeds: Feeds = Object.fromEntries(
        inputs.map(({ name, shape }) => [
          name,
          {
            data: floats(batch.feeds[name] as Float32Array | Uint16Array),
            shape: shape.map((dim) => (typeof dim === 'string' ? (sizes[dim] as number) : dim)),
          },
        ]),
      );
      const found = (await session.run(feeds))['logits']?.data as Float32Array;
      logits.forEach((value, i) => {
        const difference = Math.abs(value - (found[i] as number));
        if (!(difference <= worst)) worst = difference;
      });
    }
  } finally {
    await session.release();
  }
  return worst;
}

function floats(values: Float32Array | Uint16Array): Float32Array {
  if (values instanceof Float32Array) return values;
  const out = new Float32Array(values.length);
  decodeHalf(values, out);
  return out;
}

/** The card beside a model: what it is, what it takes, and where its features come from. */
export function exportCard(
  trained: TrainedHead,
  exported: ExportedHead,
  features: { readonly [input: string]: Json },
  more: { readonly [key: string]: Json },
): Json {
  const { run, rule, epoch, classes, config, trainer } = trained;
  const { dataset, task, fold, seed, head, headSource = null } = run.identity;
  return {
    format: 1,
    model: 'model.onnx',
    opset: 17,
    run: run.id,
    rule,
    epoch: Number(epoch),
    trained: { dataset, task, fold, seed },
    head: { name: head, source: headSource, config },
    classes: [...classes],
    inputs: exported.inputs as unknown as Json,
    outputs: [
      { name: 'logits', shape: ['rows', classes.length], dtype: 'float32' },
      {
        name: 'probabilities',
        shape: ['rows', classes.length],
        dtype: 'float32',
        meaning: 'softmax of the logits',
      },
    ],
    standardised:
      trainer.standardise === 'train'
        ? 'inside the model, by the statistics of the training part'
        : trainer.standardise === 'speaker'
          ? "NOT inside the model: features must be standardised over each speaker's own recordings first"
          : 'no',
    features,
    ...more,
  };
}
