import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '@lsgmer/datasets';
import { findHead, isHeadFile } from '../src/head-choice.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-heads-'));
afterAll(() => rmSync(folder, { recursive: true }));

const WHOLE = `
  import { NAME } from './name.ts';
  const nothing = (): never[] => [];
  export default { name: NAME, options: [], parameters: nothing, inputs: nothing, forward: nothing, loss: nothing };
`;

describe('findHead', () => {
  it('takes names and paths', async () => {
    expect(['lsgmer', 'le-mer'].map(isHeadFile)).toEqual([false, false]);
    expect(['my.ts', './my', 'a/b.mjs', 'C:\\\\b.js'].map(isHeadFile)).toEqual([true, true, true, true]);
    expect((await findHead('le-mer')).name).toBe('le-mer');
    await expect(findHead('lsgme')).rejects.toThrow(/no head 'lsgme': there are lsgmer, le-mer, cross/);
    await expect(findHead('./nowhere.ts', folder)).rejects.toThrow(/no file .*nowhere\.ts/);
  });

  it('loads TypeScript with what it imports; the digest is that of the sources, wherever they lie', async () => {
    const load = async (name: string): Promise<string | undefined> => {
      writeFileSync(join(folder, 'name.ts'), `export const NAME: string = '${name}';`);
      writeFileSync(join(folder, 'whole.ts'), WHOLE);
      const head = await findHead('./whole.ts', folder);
      expect(head.name).toBe(name);
      expect(head.source).toMatch(/^[0-9a-f]{64}$/);
      return head.source;
    };
    const first = await load('mine');
    expect(await load('yours')).not.toBe(first);
    expect(await load('mine')).toBe(first);
  });

  it("takes an instance of a class, and words what its functions throw as its author's", async () => {
    const text = `class Mine {
      name = 'mine'; options = [];
      parameters() { return [this.name]; }
      inputs() { throw new RangeError('no\\nroom'); }
      forward() {}
      loss() {}
    }
    export default new Mine();`;
    writeFileSync(join(folder, 'mine.mjs'), text);
    const head = await findHead('./mine.mjs', folder);
    const dims = { text: 1, audio: 0, map: 0 };
    expect(head.parameters({}, dims, 2)).toEqual(['mine']);
    const refused = (): unknown => head.inputs({}, dims, 2, { rows: 1, text: 1, audio: 0, map: 0 });
    expect(refused).toThrow(UserError);
    expect(refused).toThrow(/mine\.mjs: inputs: no; lsgmer head check tells more$/);
  });

  it.each([
    ['{ key: "lr", type: "number", default: 1 }', /option lr is declared twice, or is one of the trainer's/],
    ['{ key: "a", type: ["x", "y"], default: "z" }', /default of a: "z" is not valid, expected one of x, y/],
    ['{ name: "a" }', /option 1 has no key/],
    ['{ key: "a", default: 1 }', /option a: its type is number, integer, boolean or a list of texts/],
    ['null', /option 1 has no key/],
  ])('refuses the option %s', async (option, message) => {
    writeFileSync(
      join(folder, 'option.mjs'),
      `const f = () => []; export default {name: "x", options: [${option}], parameters: f, inputs: f, forward: f, loss: f}`,
    );
    const refused = findHead('./option.mjs', folder);
    await expect(refused).rejects.toThrow(UserError);
    await expect(refused).rejects.toThrow(message);
  });

  it.each([
    ['export default {name: "x"', /bad\.mjs:1: Expected "}" but found end of file/],
    ['export default {name: "x"}', /head x has no parameters, inputs, forward, loss/],
    ['export default {name: "a b"}', /export default a head with a name of letters/],
    ['import x from "@lsgmer/extract"; export default x', /@lsgmer\/extract is not provided: there are/],
    ['throw new Error("broken on purpose")', /cannot be loaded: broken on purpose/],
    [
      'const f = () => []; export default {name: "lsgmer", options: [], parameters: f, inputs: f, forward: f, loss: f}',
      /the name lsgmer is taken/,
    ],
    [
      'const f = () => []; export default {name: "x", parameters: f, inputs: f, forward: f, loss: f}',
      /no list of options/,
    ],
  ])('refuses %s', async (text, message) => {
    writeFileSync(join(folder, 'bad.mjs'), text);
    const refused = findHead('./bad.mjs', folder);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.not.toThrow(/\n/);
  });
});
