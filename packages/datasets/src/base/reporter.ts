/** What long work tells its caller. Library code never prints: the command line draws this. */
export interface Reporter {
  /** One line of information. */
  info(message: string): void;
  /** One line that the user should not miss. */
  warn(message: string): void;
  /**
   * Work done so far; `unit` names what is counted, `note` is shown as it is. Where units differ in what they cost, `work` is
   * what the time goes into, and tells how much of it is left.
   */
  progress(step: Progress): void;
}

export interface Progress {
  readonly task: string;
  readonly done: number;
  readonly total: number;
  readonly unit: string;
  readonly note?: string;
  readonly work?: { readonly done: number; readonly total: number; readonly unit: string };
}

/** Swallows everything: for tests and for callers that do not care. */
export const silent: Reporter = { info() {}, warn() {}, progress() {} };
