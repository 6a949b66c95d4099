import { UserError } from '@lsgmer/datasets';
import { type Device, DeviceError, type Session, createSession } from '@lsgmer/onnx';
import { finishSteps } from '../features/finish.ts';
import { type EncodedSteps, type EncoderInput, splitBatch } from '../features/form.ts';
import type { ModelReference } from '../models/feature-options.ts';
import type { ModelFeature } from '../models/model-features.ts';
import { type EncoderModel, readModel } from '../models/model-folder.ts';

export interface EncoderSettings {
  readonly device: Device | 'auto';
  /** Threads of the CPU; all cores unless given. */
  readonly threads?: number;
}

/** Encodes batches with one of several models: in this process or in another. */
export interface Encoder {
  /** Where the models run. */
  readonly device: Device;
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
  readonly device: Device;
  private readonly models: readonly { model: EncoderModel; session: Session }[];

  private constructor(models: readonly { model: EncoderModel; session: Session }[], device: Device) {
    this.models = models;
    this.device = device;
  }

  /** @throws UserError for a folder that is no model, or a device that does not work here */
  static async start(
    references: readonly ModelReference[],
    settings: EncoderSettings,
  ): Promise<LocalEncoder> {
    const models = [];
    for (const { folder, options } of references) {
      const model = readModel(folder, options);
      models.push({ model, session: await open(model, settings) });
    }
    return new LocalEncoder(models, models[0]?.session.device ?? 'cpu');
  }

  async encode(
    index: number,
    inputs: readonly EncoderInput[],
    features: readonly number[],
  ): Promise<EncodedSteps[][]> {
    const loaded = this.models[index];
    if (loaded === undefined) throw new Error(`model ${index} of ${this.models.length}`);
    const { form, name } = loaded.model;
    const wanted = features.map((feature) => loaded.model.features[feature] as ModelFeature);
    const fetched = [...new Set(wanted.map(({ output }) => output))];
    const outputs = await loaded.session.run(form.feeds(inputs), fetched).catch((error: unknown) => {
      throw new EncodeError((error as Error).message, { cause: error });
    });
    return wanted.map(({ output, finish }) => {
      const values = outputs[output]?.data;
      if (!(values instanceof Float32Array)) throw new Error(`${name} gave no ${output} of float32`);
      return splitBatch(values, inputs.length, form.dim).map((steps) => finishSteps(steps, form.dim, finish));
    });
  }

  async close(): Promise<void> {
    for (const { session } of this.models) await session.release();
  }
}

async function open(model: EncoderModel, settings: EncoderSettings): Promise<Session> {
  try {
    return await createSession(model.graphPath, settings);
  } catch (error) {
    if (error instanceof DeviceError) throw new UserError(error.message);
    throw error;
  }
}
