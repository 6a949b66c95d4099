import { type Reporter, UserError, type Utterance, silent } from '@lsgmer/datasets';
import type { Device } from '@lsgmer/onnx/runtime';
import type { EncodedSteps, EncoderInput } from '../features/form.ts';
import type { EncoderModel } from '../models/model-folder.ts';
import type { EncodedText } from '../tokenizer/text-tokenizer.ts';
import { isDeviceLost, isOutOfMemory } from './device-failures.ts';
import { EncodeError, type Encoder } from './encoder.ts';
import type { PlannedRow } from './plan.ts';
import type { SetRun } from './set-run.ts';

/** An utterance that some of a model's feature sets lack. */
export interface ModelRow {
  readonly utterance: Utterance;
  /** Place in the manifest. */
  readonly order: number;
  readonly lacking: readonly { readonly set: SetRun; readonly row: PlannedRow }[];
}

/** A row with what its encoder is given. */
export interface PreparedRow {
  readonly row: ModelRow;
  readonly input: EncoderInput;
  /** Text only. */
  readonly tokens?: EncodedText;
}

/** Where nothing has ever worked, so many failures are the encoder's fault and not the clips'. */
const HOPELESS = 8;

/** One model at work for the feature sets that are made of it: one forward pass serves them all. */
export class ModelRun {
  readonly model: EncoderModel;
  readonly sets: readonly SetRun[];
  /** What some of the sets lack, in the manifest's order. */
  readonly rows: readonly ModelRow[];
  private readonly encoder: Encoder;
  /** Position of the model in the encoder. */
  private readonly index: number;
  private readonly reporter: Reporter;
  private worked = false;
  private failures = 0;
  /** Rows that the device's memory holds at once, as far as is known. */
  private most = Infinity;

  /** @param sets of one model, at least one */
  constructor(sets: readonly SetRun[], encoder: Encoder, index: number, reporter: Reporter = silent) {
    this.model = (sets[0] as SetRun).plan.model;
    this.sets = sets;
    this.rows = unite(sets);
    this.encoder = encoder;
    this.index = index;
    this.reporter = reporter;
  }

  /** Where the model runs. */
  get device(): Device {
    return this.encoder.devices[this.index] as Device;
  }

  /** Batches on their way through encoder and writer: each lane has its next one waiting, also while the disk takes long. */
  get inFlight(): number {
    return 2 + 2 * this.encoder.lanes;
  }

  /** Seals what was written so far. @throws UserError when the disk fails */
  async flush(): Promise<void> {
    for (const set of this.sets) await set.flush();
  }

  /**
   * Encodes one batch and writes its rows to every set that lacks them. Where the device's memory does not hold the batch, it
   * is halved, and later ones are no larger. A batch that fails otherwise is tried row by row; a row that fails alone, or whose
   * values cannot be stored, is quarantined.
   * @returns how many rows could not be done for some set
   * @throws UserError when the disk or the device fails, or when the encoder has failed on everything so far
   */
  async encode(batch: readonly PreparedRow[]): Promise<number> {
    if (batch.length > this.most) return this.inPieces(batch, this.most);
    const sets = this.sets.filter((set) =>
      batch.some(({ row }) => row.lacking.some((one) => one.set === set)),
    );
    let steps: EncodedSteps[][];
    try {
      steps = await this.encoder.encode(
        this.index,
        batch.map(({ input }) => input),
        sets.map(({ plan }) => plan.feature),
      );
    } catch (error) {
      if (!(error instanceof EncodeError)) throw error;
      if (isDeviceLost(error.message))
        throw new UserError(
          `${this.model.name}: ${this.device} failed and computes nothing any more (${oneLine(error)}): all that was finished is kept, ` +
            'and the same command goes on',
        );
      if (batch.length === 1) return this.fail(batch[0] as PreparedRow, error);
      if (!isOutOfMemory(error.message)) return this.inPieces(batch, 1);
      this.halve(batch.length);
      return this.inPieces(batch, this.most);
    }
    this.worked = true;
    const written = await Promise.all(
      batch.map(({ row, tokens }, i) =>
        Promise.all(
          row.lacking.map(({ set, row: planned }) =>
            set.write(planned, (steps[sets.indexOf(set)] as EncodedSteps[])[i] as EncodedSteps, tokens),
          ),
        ),
      ),
    );
    return written.filter((sets) => sets.includes(false)).length;
  }

  private async inPieces(batch: readonly PreparedRow[], size: number): Promise<number> {
    let lost = 0;
    for (let from = 0; from < batch.length; from += size)
      lost += await this.encode(batch.slice(from, from + size));
    return lost;
  }

  private halve(rows: number): void {
    const most = Math.max(1, Math.floor(rows / 2));
    if (most >= this.most) return;
    this.most = most;
    this.reporter.warn(
      `${this.model.name}: no memory for ${rows} utterances at once, going on with ${most} at most`,
    );
  }

  /** For every set that lacks the row. */
  async quarantine({ lacking }: ModelRow, reason: string): Promise<void> {
    for (const { set, row } of lacking) await set.quarantine(row, reason);
  }

  private async fail({ row }: PreparedRow, error: EncodeError): Promise<number> {
    this.failures++;
    if (!this.worked && this.failures >= HOPELESS) {
      throw new UserError(
        `${this.model.name}: the encoder failed on the first ${this.failures} utterances: ${error.message}`,
      );
    }
    await this.quarantine(row, `the encoder failed: ${oneLine(error)}`);
    return 1;
  }
}

function oneLine({ message }: Error): string {
  return message.split('\n', 1)[0] ?? '';
}

function unite(sets: readonly SetRun[]): ModelRow[] {
  const rows = new Map<number, { utterance: Utterance; lacking: { set: SetRun; row: PlannedRow }[] }>();
  for (const set of sets) {
    for (const row of set.plan.rows) {
      const known = rows.get(row.order);
      if (known === undefined) rows.set(row.order, { utterance: row.utterance, lacking: [{ set, row }] });
      else known.lacking.push({ set, row });
    }
  }
  return [...rows].sort(([a], [b]) => a - b).map(([order, row]) => ({ order, ...row }));
}
