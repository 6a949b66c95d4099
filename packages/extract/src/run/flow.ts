import pLimit, { type LimitFunction } from 'p-limit';

/**
 * Work that flows on from window to window: so many pieces are under way at a time, and whoever brings a window's pieces is
 * held back only until all of them have begun. No encoder then waits for the last batch of another one.
 */
export class Flow {
  private readonly limit: LimitFunction;
  private readonly underWay = new Set<Promise<void>>();
  private failure: { readonly error: unknown } | undefined;

  /** @param most pieces under way at a time */
  constructor(most: number) {
    this.limit = pLimit(most);
  }

  /**
   * Waits until all pieces have begun, in their order.
   * @throws the first failure of any piece so far; pieces that have not begun by then never do
   */
  async begin(pieces: readonly (() => Promise<unknown>)[]): Promise<void> {
    await Promise.all(pieces.map((piece) => this.add(piece)));
    this.check();
  }

  /** Waits until everything is done. @throws the first failure */
  async end(): Promise<void> {
    await Promise.all(this.underWay);
    this.check();
  }

  /** Settles when the piece begins, or never will. */
  private add(piece: () => Promise<unknown>): Promise<void> {
    return new Promise((begun, never) => {
      const done = this.limit(async () => {
        try {
          this.check();
          begun();
          await piece();
        } catch (error) {
          this.failure ??= { error };
          never(error);
        }
      }).finally(() => this.underWay.delete(done));
      this.underWay.add(done);
    });
  }

  private check(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }
}
