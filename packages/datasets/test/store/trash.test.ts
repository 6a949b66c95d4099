import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesBelow, emptyTrash, moveToTrash, oldTrash } from '../../src/store/trash.ts';
import { filesBelow, temporaryStore } from './sample.ts';

const now = new Date('2026-03-20T23:59:00Z');

describe('the trash', () => {
  it('keeps the path of what is thrown away, and never overwrites', () => {
    const store = temporaryStore();
    const path = join(store, 'd', 'f', 'x');
    mkdirSync(join(store, 'd', 'f'), { recursive: true });
    for (const text of ['one', 'two']) {
      writeFileSync(path, text);
      moveToTrash(store, 'd', path, now);
    }
    expect(filesBelow(store)).toEqual(['d/trash/2026-03-20/f/x', 'd/trash/2026-03-20/f/x.2']);
    expect(moveToTrash(store, 'd', path, now)).toBeNull();
    expect(() => moveToTrash(store, 'd', store, now)).toThrow('does not lie in');
    expect(bytesBelow(store)).toBe(6);
  });

  it('is old after fourteen whole days', () => {
    const store = temporaryStore();
    for (const day of ['2026-03-05', '2026-03-06', '2026-03-20', 'notes']) {
      mkdirSync(join(store, 'd', 'trash', day), { recursive: true });
      writeFileSync(join(store, 'd', 'trash', day, 'x'), 'abc');
    }
    const old = oldTrash(store, 'd', now);
    expect(old).toEqual([{ day: '2026-03-05', path: join(store, 'd', 'trash', '2026-03-05'), bytes: 3 }]);
    for (const { path } of old) emptyTrash(path);
    expect(existsSync(join(store, 'd', 'trash', '2026-03-05'))).toBe(false);
  });
});
