import { UserError } from '@lsgmer/datasets';
import { type Device, DeviceError, chooseDevice, createSession } from '@lsgmer/onnx/runtime';
import { finishSteps } from '../features/finish.ts';
import { type EncodedSteps, type EncoderInput, type InputForm, splitBatch } from '../features/form.ts';
import { joinPieces, piecesOf } from '../features/pieces.ts';
import { computeGraphs } from '../models/compute-graphs.ts';
import { type ChunkPolicy, pieceSize } from '../decode/policy.ts';
import type { ModelReference } from '../models/feature-options.ts';
import type { ModelFeature } from '../models/model-features.ts';
import { GraphChain, type Runner } from '../models/graph-chain.ts';
import { type EncoderModel, readModel } from '../models/model-folder.ts';

export interface EncoderSettings {
  readonly device: Device | 'auto';
  /** Threads of the CPU; the cores that the process may use unless given. */
  readonly threads?: number;
  /** Recordings that are longer are encoded piece by piece; always whole unless given. */
  readonly pieces?: ChunkPolicy;
}

/** Encodes batches with one of several models: in this process or in another. */
export interface Encoder {
  /** Where each of the models runs: beside a GPU, int8 stays on the CPU. */
  readonly devices: readonly Device[];
  /** Batches that are worked on at the same time. */
  readonly lanes: number;
  /**
   * @param model position in the list of models that the encoder was started with
   * @param inputs of one batch key
   * @param features positions in the model's list of features: one forward pass gives them all
   * @returns for each of the features, the finished steps of each input
   */
  encode(
    model: number,
    inputs: readonly EncoderInput[],
    features: readonly number[],
  ): Promise<EncodedSteps[][]>;
  /** Ends without waiting for work in progress; its promises are rejected. */
  close(): Promise<void>;
}

/** A batch that an encoder could not do; the encoder itself goes on. */
export class EncodeError extends Error {
  override readonly name = 'EncodeError';
}

/** Runs the models on the calling thread, which `encode` blocks: for the encoder process, and for tests. */
export class LocalEncoder implements Encoder {
  readonly devices: readonly Device[];
  readonly lanes = 1;
  private readonly models: readonly Loaded[];
  private readonly pieces: ChunkPolicy | undefined;
  private closed = false;

  private constructor(models: readonly Loaded[], pieces: ChunkPolicy | undefined) {
    this.models = models;
    this.devices = models.map(({ session }) => session.device);
    this.pieces = pieces;
  }

  /** @throws UserError for a folder that is no model, or a device that does not work here */
  static async start(
    references: readonly ModelReference[],
    settings: EncoderSettings,
  ): Promise<LocalEncoder> {
    const models = [];
    for (const { folder, options } of references) {
      const model = readModel(folder, options);
      if (settings.pieces !== undefined && model.form.kind === 'audio' && model.form.stepSeconds === null)
        throw new UserError(
          `${model.name}: where its steps lie in time is not known, so that long clips cannot be put together from pieces: ` +
            'use --long truncate or skip',
        );
      models.push({ model, session: await open(model, settings) });
    }
    return new LocalEncoder(models, settings.pieces);
  }

  async encode(
    index: number,
    inputs: readonly EncoderInput[],
    features: readonly number[],
  ): Promise<EncodedSteps[][]> {
    const loaded = this.models[index];
    if (loaded === undefined) throw new Error(`model ${index} of ${this.models.length}`);
    const wanted = features.map((feature) => loaded.model.features[feature] as ModelFeature);
    const { form } = loaded.model;
    const outputs = [...new Set(wanted.map(({ output }) => output))];
    const raw = await this.steps(loaded, inputs, outputs).catch((error: unknown) => {
      // No fault of the batch: it must not be held against it.
      throw this.closed ? new Error('the encoder was closed', { cause: error }) : error;
    });
    return wanted.map(({ output, finish }) =>
      (raw[outputs.indexOf(output)] as EncodedSteps[]).map((steps) => finishSteps(steps, form.dim, finish)),
    );
  }

  /**
   * For each of the outputs, the steps of each input, before any finish. On the CPU recordings go one by one: batches gain
   * nothing there, and with several threads onnxruntime sums a convolution in another order where it has a batch.
   */
  private async steps(
    loaded: Loaded,
    inputs: readonly EncoderInput[],
    outputs: readonly string[],
  ): Promise<EncodedSteps[][]> {
    const { form } = loaded.model;
    if (form.kind === 'text' || (loaded.session.device !== 'cpu' && this.fits(form, inputs)))
      return forward(loaded, inputs, outputs);
    const all: EncodedSteps[][] = outputs.map(() => []);
    for (const input of inputs) {
      const one = await this.recording(loaded, input, outputs);
      one.forEach((steps, i) => all[i]?.push(steps));
    }
    return all;
  }

  private fits({ sampleRate }: InputForm, inputs: readonly EncoderInput[]): boolean {
    const most = this.pieces === undefined ? Infinity : pieceSize(this.pieces, sampleRate ?? 0).samples;
    return inputs.every(({ length }) => length <= most);
  }

  /** One recording, whole or piece by piece. */
  private async recording(
    loaded: Loaded,
    input: EncoderInput,
    outputs: readonly string[],
  ): Promise<EncodedSteps[]> {
    const { form } = loaded.model;
    const rate = form.sampleRate ?? 0;
    const step = Math.round((form.stepSeconds ?? 0) * rate);
    const size =
      this.pieces === undefined ? { samples: input.length, overlap: 0 } : pieceSize(this.pieces, rate);
    const pieces = piecesOf(input.length, size, step);
    const encoded: EncodedSteps[][] = outputs.map(() => []);
    for (const { from, to } of pieces) {
      const one = await forward(loaded, [input.subarray(from, to)], outputs);
      one.forEach((steps, i) => encoded[i]?.push(steps[0] as EncodedSteps));
    }
    return encoded.map((steps) =>
      pieces.length === 1 ? (steps[0] as EncodedSteps) : joinPieces(pieces, steps, form.dim),
    );
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const { session } of this.models) await session.release();
  }
}

interface Loaded {
  readonly model: EncoderModel;
  readonly session: Runner;
}

/** One pass of the graph over inputs of one batch key. */
async function forward(
  { model, session }: Loaded,
  inputs: readonly EncoderInput[],
  outputs: readonly string[],
): Promise<EncodedSteps[][]> {
  const { form, name } = model;
  const results = await session.run(form.feeds(inputs), outputs).catch((error: unknown) => {
    throw new EncodeError((error as Error).message, { cause: error });
  });
  return outputs.map((output) => {
    const values = results[output]?.data;
    if (!(values instanceof Float32Array)) throw new Error(`${name} gave no ${output} of float32`);
    return splitBatch(values, inputs.length, form.dim);
  });
}

async function open(model: EncoderModel, { device, threads }: EncoderSettings): Promise<Runner> {
  const { compute } = model.options;
  if (compute === 'int8' && device !== 'auto' && device !== 'cpu')
    throw new UserError(`int8 runs on the CPU only: use --dtype fp16 or fp32 with --device ${device}`);
  try {
    const options = {
      device: compute === 'int8' ? ('cpu' as const) : await chooseDevice(device),
      ...(threads === undefined ? {} : { threads }),
    };
    const { config } = model;
    const laid = compute === 'fp32' && options.device === 'cpu' && 'conv_dim' in config;
    const paths = await computeGraphs(model, laid ? 'cpu' : compute);
    return config.model_type === 'onnx'
      ? await GraphChain.open(config, paths, options)
      : await createSession(paths[0] as string, options);
  } catch (error) {
    if (error instanceof DeviceError) throw new UserError(error.message);
    throw error;
  }
}
