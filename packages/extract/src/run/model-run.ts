import { UserError, type Utterance } from '@lsgmer/datasets';
import type { EncodedSteps, EncoderInput } from '../features/form.ts';
import type { EncoderModel } from '../models/model-folder.ts';
import type { EncodedText } from '../tokenizer/text-tokenizer.ts';
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
  private worked = false;
  private failures = 0;

  /** @param sets of one model, at least one */
  constructor(sets: readonly SetRun[], encoder: Encoder, index: number) {
    this.model = (sets[0] as SetRun).plan.model;
    this.sets = sets;
    this.rows = unite(sets);
    this.encoder = encoder;
    this.index = index;
  }

  /** Seals what was written so far. @throws UserError when the disk fails */
  flush(): void {
    for (const set of this.sets) set.flush();
  }

  /**
   * Encodes one batch and writes its rows to every set that lacks them. A batch that fails is tried row by row; a
   * row that fails alone, or whose values cannot be stored, is quarantined.
   * @returns how many rows could not be done for some set
   * @throws UserError when the disk fails, or when the encoder has failed on everything so far
   */
  async encode(batch: readonly PreparedRow[]): Promise<number> {
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
      if (batch.length === 1) return this.fail(batch[0] as PreparedRow, error);
      let lost = 0;
      for (const one of batch) lost += await this.encode([one]);
      return lost;
    }
    this.worked = true;
    let lost = 0;
    batch.forEach(({ row, tokens }, i) => {
      const written = row.lacking.map(({ set, row: planned }) =>
        set.write(planned, (steps[sets.indexOf(set)] as EncodedSteps[])[i] as EncodedSteps, tokens),
      );
      if (written.includes(false)) lost++;
    });
    return lost;
  }

  /** For every set that lacks the row. */
  quarantine({ lacking }: ModelRow, reason: string): void {
    for (const { set, row } of lacking) set.quarantine(row, reason);
  }

  private fail({ row }: PreparedRow, error: EncodeError): number {
    this.failures++;
    if (!this.worked && this.failures >= HOPELESS) {
      throw new UserError(
        `${this.model.name}: the encoder failed on the first ${this.failures} utterances: ${error.message}`,
      );
    }
    this.quarantine(row, `the encoder failed: ${error.message.split('\n', 1)[0] ?? ''}`);
    return 1;
  }
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
