import type { Reporter } from '@lsgmer/datasets';
import type { EpochRecord } from '../record/run-state.ts';

/** Epochs in a row after which one predicted class is no accident. */
const EPOCHS = 3;
/** Share of the training rows that one class gets. */
const SHARE = 0.99;

/** Warns once when a run has come to predict one class for everything. */
export class CollapseWatch {
  private readonly title: string;
  private readonly classes: readonly string[];
  private readonly reporter: Reporter;
  private since: { readonly label: number; readonly epoch: number } | undefined;
  private warned = false;

  /** @param before epochs of a run that goes on */
  constructor(
    title: string,
    classes: readonly string[],
    reporter: Reporter,
    before: readonly EpochRecord[] = [],
  ) {
    this.title = title;
    this.classes = classes;
    this.reporter = reporter;
    for (const record of before) this.follow(record);
  }

  seen(record: EpochRecord): void {
    this.follow(record);
    if (this.since === undefined || this.warned || record.epoch - this.since.epoch + 1 < EPOCHS) return;
    this.warned = true;
    this.reporter.warn(
      `${this.title}: since epoch ${this.since.epoch} nearly everything is predicted as ` +
        `${this.classes[this.since.label]}: lower lr, or set class.weights or sampling=balanced; lsgmer train --check tells more`,
    );
  }

  private follow({ epoch, predicted, utterances }: EpochRecord): void {
    const label = predicted.findIndex((count) => count >= SHARE * utterances);
    if (label === -1) this.since = undefined;
    else if (this.since?.label !== label) this.since = { label, epoch };
  }
}
