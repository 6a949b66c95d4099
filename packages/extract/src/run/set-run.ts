import type { Utterance } from '@lsgmer/datasets';
import { finishTokens } from '../features/finish.ts';
import type { EncodedSteps } from '../features/form.ts';
import type { ModelFeature } from '../models/model-features.ts';
import type { EncodedText } from '../tokenizer/text-tokenizer.ts';
import type { FeatureSink } from './feature-sink.ts';
import type { PlannedRow, SetPlan } from './plan.ts';

/** One feature set being written: what was computed, and what could not be. */
export class SetRun {
  readonly plan: SetPlan;
  readonly quarantined: { id: string; reason: string }[] = [];
  computed = 0;
  /** Bytes of the feature values that were computed, as they are stored. */
  bytes = 0;
  audioSeconds = 0;
  private readonly sink: FeatureSink;

  private readonly secondsOf: (utterance: Utterance) => number;

  /** @param secondsOf seconds of sound that an utterance adds to what was computed; 0 for text */
  constructor(plan: SetPlan, sink: FeatureSink, secondsOf: (utterance: Utterance) => number = () => 0) {
    this.plan = plan;
    this.sink = sink;
    this.secondsOf = secondsOf;
  }

  /** Seals what was written so far. @throws UserError when the disk fails */
  flush(): Promise<void> {
    return this.sink.flush();
  }

  get folder(): string {
    return this.sink.folder;
  }

  async quarantine({ utterance, input }: PlannedRow, reason: string): Promise<void> {
    this.quarantined.push({ id: utterance.id, reason });
    await this.sink.quarantine(utterance.id, reason, input);
  }

  /**
   * Writes one row, or quarantines it where its values cannot be stored.
   * @param tokens of the whole text, before the feature's finish
   * @returns whether it was written
   * @throws UserError when the disk fails
   */
  async write(
    row: PlannedRow,
    { n, values }: EncodedSteps,
    tokens: EncodedText | undefined,
  ): Promise<boolean> {
    if (n === 0) {
      await this.quarantine(row, 'nothing is left of it without its special tokens');
      return false;
    }
    const { finish } = this.plan.model.features[this.plan.feature] as ModelFeature;
    const kept = tokens === undefined ? undefined : finishTokens(tokens, row.utterance.text.length, finish);
    const bytes = values.length * (this.plan.spec.dtype === 'float16' ? 2 : 4);
    const refused = await this.sink.append({
      id: row.utterance.id,
      split: row.utterance.split,
      n,
      features: values,
      ...(kept === undefined ? {} : { tokenIds: kept.ids, tokenSpans: kept.spans }),
      input: row.input,
    });
    if (refused !== null) {
      await this.quarantine(row, refused);
      return false;
    }
    this.computed++;
    this.audioSeconds += this.secondsOf(row.utterance);
    this.bytes += bytes;
    return true;
  }

  /** Finishes shards and index; what was written is safe afterwards. */
  close(): Promise<void> {
    return this.sink.close();
  }
}
