import { UserError } from '@lsgmer/datasets';
import { type Device, DeviceError, type Session, createSession } from '@lsgmer/onnx';
import { type EncodedSteps, type EncoderInput, splitBatch } from '../features/form.ts';
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
   * @param model position in the list of folders that the encoder was started with
   * @param inputs of one batch key
   */
  encode(model: number, inputs: readonly EncoderInput[]): Promise<EncodedSteps[]>;
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
  static async start(folders: readonly string[], settings: EncoderSettings): Promise<LocalEncoder> {
    const models = [];
    for (const folder of folders) {
      const model = readModel(folder);
      models.push({ model, session: await open(model, settings) });
    }
    return new LocalEncoder(models, models[0]?.session.device ?? 'cpu');
  }

  async encode(index: number, inputs: readonly EncoderInput[]): Promise<EncodedSteps[]> {
    const loaded = this.models[index];
    if (loaded === undefined) throw new Error(`model ${index} of ${this.models.length}`);
    const { form } = loaded.model;
    const feeds = form.feeds(inputs);
    const outputs = await loaded.session.run(feeds, [form.output]).catch((error: unknown) => {
      throw new EncodeError((error as Error).message, { cause: error });
    });
    const values = outputs[form.output]?.data;
    if (!(values instanceof Float32Array))
      throw new Error(`${loaded.model.name} gave no ${form.output} of float32`);
    return splitBatch(values, inputs.length, form.dim);
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
