/** What long work tells its caller. Library code never prints: the command line draws this. */
export interface Reporter {
  /** One line of information. */
  info(message: string): void;
  /** One line that the user should not miss. */
  warn(message: string): void;
  /** Work done so far; `unit` names what is counted, `note` is shown as it is. */
  progress(step: Progress): void;
}

export interface Progress {
  readonly task: string;
  readonly done: number;
  readonly total: number;
  readonly unit: string;
  readonly note?: string;
}

/** Swallows everything: for tests and for callers that do not care. */
export const silent: Reporter = { info() {}, warn() {}, progress() {} };
