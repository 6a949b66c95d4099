import type { Reporter } from '@lsgmer/datasets';

/** Progress over several sets: rows, and what their encoders' time goes into (seconds of sound, tokens of text). */
export class RunProgress {
  private done = 0;
  private quarantined = 0;
  private worked = 0;
  private readonly reporter: Reporter;
  private readonly task: string;
  private readonly total: number;
  private readonly work: { readonly total: number; readonly unit: string };

  /** @param work of all rows together */
  constructor(
    reporter: Reporter,
    task: string,
    total: number,
    work: { readonly total: number; readonly unit: string },
  ) {
    this.reporter = reporter;
    this.task = task;
    this.total = total;
    this.work = work;
  }

  /** @param work of these rows, as in the total */
  add(rows: number, work: number, quarantined = 0): void {
    this.done += rows;
    this.worked += work;
    this.quarantined += quarantined;
    this.reporter.progress({
      task: this.task,
      done: this.done,
      total: this.total,
      unit: 'rows',
      work: { done: this.worked, total: this.work.total, unit: this.work.unit },
      ...(this.quarantined === 0 ? {} : { note: `${this.quarantined} quarantined` }),
    });
  }
}
