import type { Session } from '@lsgmer/onnx';
import { describe, expect, it } from 'vitest';
import { SessionCache } from '../../src/engine/session-cache.ts';

/** What the cache needs of a session. */
function fake(log: string[], name: string): () => Promise<Session> {
  return async () => {
    log.push(`create ${name}`);
    return { release: async () => void log.push(`release ${name}`) } as unknown as Session;
  };
}

describe('SessionCache', () => {
  it('makes each session once, and releases the longest unused before it makes another', async () => {
    const log: string[] = [];
    const cache = new SessionCache(10);
    const a = await cache.get('a', 4, fake(log, 'a'));
    await cache.get('b', 4, fake(log, 'b'));
    expect(await cache.get('a', 4, fake(log, 'again'))).toBe(a);
    await cache.get('c', 5, fake(log, 'c'));
    expect(log).toEqual(['create a', 'create b', 'release b', 'create c']);
    await cache.get('d', 50, fake(log, 'd'));
    expect(log.slice(4)).toEqual(['release a', 'release c', 'create d']);
    await cache.clear();
    expect(log.slice(7)).toEqual(['release d']);
    expect(cache.keys).toEqual([]);
  });

  it('forgets a session that could not be made', async () => {
    const cache = new SessionCache(10);
    await expect(cache.get('a', 4, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(cache.keys).toEqual([]);
    const log: string[] = [];
    await cache.get('a', 4, fake(log, 'a'));
    expect(log).toEqual(['create a']);
  });
});
