import { describe, expect, it } from 'vitest';
import { Flow } from '../../src/run/flow.ts';

/** Pieces that end when they are told to. */
class Pieces {
  readonly begun: string[] = [];
  private readonly ends = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();

  of(...names: string[]): (() => Promise<void>)[] {
    return names.map((name) => () => {
      this.begun.push(name);
      return new Promise((resolve, reject) => this.ends.set(name, { resolve, reject }));
    });
  }

  finish(name: string): Promise<void> {
    this.ends.get(name)?.resolve();
    return settled();
  }

  fail(name: string): Promise<void> {
    this.ends.get(name)?.reject(new Error(`${name} failed`));
    return settled();
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('Flow', () => {
  it('goes on to the next window while the last pieces of one are under way', async () => {
    const pieces = new Pieces();
    const flow = new Flow(2);
    let next = false;
    const first = flow.begin(pieces.of('a', 'b', 'c')).then(() => (next = true));
    await settled();
    expect([pieces.begun, next]).toEqual([['a', 'b'], false]);
    await pieces.finish('b');
    expect([pieces.begun, next]).toEqual([['a', 'b', 'c'], true]);
    await first;
    const second = flow.begin(pieces.of('d'));
    await settled();
    expect(pieces.begun).toEqual(['a', 'b', 'c']);
    await pieces.finish('c');
    await second;
    let ended = false;
    const end = flow.end().then(() => (ended = true));
    await pieces.finish('a');
    expect(ended).toBe(false);
    await pieces.finish('d');
    await end;
    expect(pieces.begun).toEqual(['a', 'b', 'c', 'd']);
  });

  it('begins nothing after a failure, which whoever comes next hears of', async () => {
    const pieces = new Pieces();
    const flow = new Flow(2);
    const first = expect(flow.begin(pieces.of('a', 'b', 'c', 'd'))).rejects.toThrow('a failed');
    await settled();
    await pieces.fail('a');
    await first;
    await pieces.finish('b');
    expect(pieces.begun).toEqual(['a', 'b']);
    await expect(flow.begin(pieces.of('e'))).rejects.toThrow('a failed');
    await expect(flow.begin([])).rejects.toThrow('a failed');
    await expect(flow.end()).rejects.toThrow('a failed');
    expect(pieces.begun).toEqual(['a', 'b']);
  });

  it('a failure after the last piece has begun is heard of at the end', async () => {
    const pieces = new Pieces();
    const flow = new Flow(2);
    await flow.begin(pieces.of('a', 'b'));
    const end = expect(flow.end()).rejects.toThrow('b failed');
    await pieces.fail('b');
    await pieces.finish('a');
    await end;
  });
});
