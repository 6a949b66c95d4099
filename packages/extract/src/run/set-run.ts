import { FeatureValueError, type FeatureSetWriter, type Reporter, UserError } from '@lsgmer/datasets';
import type { EncodedSteps, EncoderInput } from '../features/form.ts';
import type { EncodedText } from '../tokenizer/text-tokenizer.ts';
import { EncodeError, type Encoder } from './encoder.ts';
import type { PlannedRow, SetPlan } from './plan.ts';

/** A row with what its encoder is given. */
export interface PreparedRow {
  readonly row: PlannedRow;
  readonly input: EncoderInput;
  /** Text only. */
  readonly tokens?: EncodedText;
}

/** Where nothing has ever worked, so many failures are the encoder's fault and not the clips'. */
const HOPELESS = 8;

/** One feature set being written: what was computed, and what could not be. */
export class SetRun {
  readonly plan: SetPlan;
  readonly quarantined: { id: string; reason: string }[] = [];
  computed = 0;
  private readonly writer: FeatureSetWriter;
  private readonly encoder: Encoder;
  /** Position of the model in the encoder. */
  private readonly model: number;
  private failures = 0;

  constructor(plan: SetPlan, writer: FeatureSetWriter, encoder: Encoder, model: number) {
    this.plan = plan;
    this.writer = writer;
    this.encoder = encoder;
    this.model = model;
  }

  /** Seals what was written so far. @throws UserError when the disk fails */
  flush(): void {
    this.writer.flush();
  }

  get folder(): string {
    return this.writer.folder;
  }

  /**
   * Encodes one batch and writes its rows. A batch that fails is tried row by row; a row that fails alone, or whose
   * values cannot be stored, is quarantined.
   * @throws UserError when the disk fails, or when the encoder has failed on everything so far
   */
  async encode(batch: readonly PreparedRow[]): Promise<void> {
    let steps: EncodedSteps[];
    try {
      steps = await this.encoder.encode(
        this.model,
        batch.map(({ input }) => input),
      );
    } catch (error) {
      if (!(error instanceof EncodeError)) throw error;
      if (batch.length > 1) {
        for (const one of batch) await this.encode([one]);
        return;
      }
      this.fail(batch[0] as PreparedRow, error);
      return;
    }
    batch.forEach((prepared, i) => this.write(prepared, steps[i] as EncodedSteps));
  }

  quarantine({ utterance, input }: PlannedRow, reason: string): void {
    this.writer.quarantine(utterance.id, reason, input);
    this.quarantined.push({ id: utterance.id, reason });
  }

  /** Finishes shards and index; what was written is safe afterwards. */
  close(): void {
    this.writer.close();
  }

  private fail({ row }: PreparedRow, error: EncodeError): void {
    this.failures++;
    if (this.computed === 0 && this.failures >= HOPELESS) {
      throw new UserError(
        `${this.plan.spec.feature}: the encoder failed on the first ${this.failures} utterances: ${error.message}`,
      );
    }
    this.quarantine(row, `the encoder failed: ${error.message.split('\n', 1)[0] ?? ''}`);
  }

  private write({ row, tokens }: PreparedRow, { n, values }: EncodedSteps): void {
    try {
      this.writer.append({
        id: row.utterance.id,
        split: row.utterance.split,
        n,
        features: values,
        ...(tokens === undefined ? {} : { tokenIds: tokens.ids, tokenSpans: tokens.spans }),
        input: row.input,
      });
      this.computed++;
    } catch (error) {
      if (!(error instanceof FeatureValueError)) throw error;
      this.quarantine(row, error.message);
    }
  }
}

/** Progress over several sets, in rows. */
export class RunProgress {
  private done = 0;
  private quarantined = 0;
  private readonly reporter: Reporter;
  private readonly task: string;
  private readonly total: number;

  constructor(reporter: Reporter, task: string, total: number) {
    this.reporter = reporter;
    this.task = task;
    this.total = total;
  }

  add(rows: number, quarantined = 0): void {
    this.done += rows;
    this.quarantined += quarantined;
    this.reporter.progress({
      task: this.task,
      done: this.done,
      total: this.total,
      unit: 'rows',
      ...(this.quarantined === 0 ? {} : { note: `${this.quarantined} quarantined` }),
    });
  }
}
