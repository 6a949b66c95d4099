import { FeatureValueError, type FeatureSetWriter, type Reporter } from '@lsgmer/datasets';
import { finishTokens } from '../features/finish.ts';
import type { EncodedSteps } from '../features/form.ts';
import type { ModelFeature } from '../models/model-features.ts';
import type { EncodedText } from '../tokenizer/text-tokenizer.ts';
import type { PlannedRow, SetPlan } from './plan.ts';

/** One feature set being written: what was computed, and what could not be. */
export class SetRun {
  readonly plan: SetPlan;
  readonly quarantined: { id: string; reason: string }[] = [];
  computed = 0;
  private readonly writer: FeatureSetWriter;

  constructor(plan: SetPlan, writer: FeatureSetWriter) {
    this.plan = plan;
    this.writer = writer;
  }

  /** Seals what was written so far. @throws UserError when the disk fails */
  flush(): void {
    this.writer.flush();
  }

  get folder(): string {
    return this.writer.folder;
  }

  quarantine({ utterance, input }: PlannedRow, reason: string): void {
    this.writer.quarantine(utterance.id, reason, input);
    this.quarantined.push({ id: utterance.id, reason });
  }

  /**
   * Writes one row, or quarantines it where its values cannot be stored.
   * @param tokens of the whole text, before the feature's finish
   * @returns whether it was written
   * @throws UserError when the disk fails
   */
  write(row: PlannedRow, { n, values }: EncodedSteps, tokens: EncodedText | undefined): boolean {
    if (n === 0) {
      this.quarantine(row, 'nothing is left of it without its special tokens');
      return false;
    }
    const { finish } = this.plan.model.features[this.plan.feature] as ModelFeature;
    const kept = tokens === undefined ? undefined : finishTokens(tokens, row.utterance.text.length, finish);
    try {
      this.writer.append({
        id: row.utterance.id,
        split: row.utterance.split,
        n,
        features: values,
        ...(kept === undefined ? {} : { tokenIds: kept.ids, tokenSpans: kept.spans }),
        input: row.input,
      });
    } catch (error) {
      if (!(error instanceof FeatureValueError)) throw error;
      this.quarantine(row, error.message);
      return false;
    }
    this.computed++;
    return true;
  }

  /** Finishes shards and index; what was written is safe afterwards. */
  close(): void {
    this.writer.close();
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
