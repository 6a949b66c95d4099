import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { classMap } from '../src/class-map.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-map-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (text: string): string => {
  const path = join(folder, 'map.json');
  writeFileSync(path, text);
  return path;
};
const OURS = ['angry', 'happy', 'sad'];

describe('classMap', () => {
  it('takes classes of one name for one another, and what the map says', () => {
    expect(classMap(['sad', 'fear', 'angry'], OURS, undefined)).toEqual([2, null, 0]);
    const map = file('{"joy": "happy", "sad": null, "fear": "sad"}');
    expect(classMap(['joy', 'sad', 'fear', 'angry'], OURS, map)).toEqual([1, null, 2, 0]);
  });

  it('refuses what neither side knows, all at once, and a map of nothing', () => {
    const map = file('{"fury": "angry", "joy": "glad"}');
    expect(() => classMap(['joy'], OURS, map)).toThrow(
      /no class fury; it has joy[\s\S]*no class glad; it has angry, happy, sad/,
    );
    expect(() => classMap(['still', 'wild'], OURS, undefined)).toThrow(
      /no class of the corpus \(still, wild\) is one of the head's \(angry, happy, sad\)/,
    );
    expect(() => classMap(['joy'], OURS, file('["joy"]'))).toThrow(/expected JSON of the form/);
    expect(() => classMap(['joy'], OURS, join(folder, 'none.json'))).toThrow(/no file/);
  });
});
