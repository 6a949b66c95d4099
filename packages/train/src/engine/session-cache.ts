import type { Session } from '@lsgmer/onnx';

interface Entry {
  readonly session: Promise<Session>;
  readonly cost: number;
}

/**
 * Live sessions by key, the longest unused released first when their costs pass a limit: each keeps the memory of
 * its largest run. One session may exceed the limit alone.
 */
export class SessionCache {
  private readonly limit: number;
  /** In order of use: a Map keeps the order in which keys were set. */
  private readonly entries = new Map<string, Entry>();

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Keys of the live sessions, longest unused first. */
  get keys(): string[] {
    return [...this.entries.keys()];
  }

  /** The session of that key, made when there is none; others are released first, so that memory never adds up. */
  async get(key: string, cost: number, create: () => Promise<Session>): Promise<Session> {
    const known = this.entries.get(key);
    if (known !== undefined) {
      this.entries.delete(key);
      this.entries.set(key, known);
      return known.session;
    }
    await this.shrinkTo(this.limit - cost);
    const session = create();
    this.entries.set(key, { session, cost });
    try {
      return await session;
    } catch (error) {
      this.entries.delete(key);
      throw error;
    }
  }

  async clear(): Promise<void> {
    await this.shrinkTo(-1);
  }

  private async shrinkTo(limit: number): Promise<void> {
    let total = 0;
    for (const { cost } of this.entries.values()) total += cost;
    for (const [key, { session, cost }] of this.entries) {
      if (total <= limit) return;
      this.entries.delete(key);
      total -= cost;
      await (await session).release();
    }
  }
}
