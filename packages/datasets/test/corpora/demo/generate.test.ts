import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Interrupted } from '../../../src/base/errors.ts';
import { silent } from '../../../src/base/reporter.ts';
import { DEMO_UTTERANCES, generateDemo } from '../../../src/corpora/demo/generate.ts';
import { collectCorpus } from '../../../src/manifest/build.ts';
import { loadCard } from '../../../src/manifest/card.ts';
import { applyTask, findTask } from '../../../src/manifest/task.ts';
import { validateManifest } from '../../../src/manifest/validate.ts';
import { repositoryFile, temporaryFolder } from '../../support.ts';

const small = { utterances: 40, reporter: silent };
const card = loadCard(repositoryFile('manifests/demo.json'));

function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    files
      .filter((name) => statSync(join(folder, name)).isFile())
      .map((name) => [name, readFileSync(join(folder, name), 'hex')]),
  );
}

describe('generateDemo', () => {
  it('gives the same bytes for the same seed, and others for another', async () => {
    const root = temporaryFolder();
    const [one, two, three] = ['one', 'deep/two', 'three'].map((name) => join(root, name)) as [
      string,
      string,
      string,
    ];
    expect(await generateDemo(one, small)).toBe(true);
    expect(await generateDemo(two, small)).toBe(true);
    await generateDemo(three, { ...small, seed: 2 });
    expect(contents(two)).toEqual(contents(one));
    expect(Object.keys(contents(three)).sort()).not.toEqual(Object.keys(contents(one)).sort());
  });

  it('leaves a whole corpus alone, and makes a damaged, older or other one again', async () => {
    const root = join(temporaryFolder(), 'demo');
    await generateDemo(root, small);
    const whole = contents(root);
    const inode = statSync(root).ino;
    expect(await generateDemo(`${root}/`, small)).toBe(false);
    expect(statSync(root).ino).toBe(inode);
    const wav = Object.keys(whole).find((name) => name.endsWith('.wav')) as string;
    for (const damage of [
      () => writeFileSync(join(root, wav), 'x'),
      () => rmSync(join(root, wav)),
      () => writeFileSync(join(root, 'extra.txt'), ''),
      () =>
        writeFileSync(
          join(root, 'demo.json'),
          readFileSync(join(root, 'demo.json'), 'utf8').replace(/"version": \d+/, '"version": 0'),
        ),
    ]) {
      damage();
      expect(await generateDemo(root, small)).toBe(true);
      expect(contents(root)).toEqual(whole);
    }
    expect(await generateDemo(root, { ...small, seed: 'other' })).toBe(true);
    expect(contents(root)).not.toEqual(whole);
  });

  it('touches nothing that is not its own', async () => {
    const root = temporaryFolder();
    writeFileSync(join(root, 'thesis.txt'), 'x');
    await expect(generateDemo(root, small)).rejects.toThrow(
      'holds other files than the demo corpus: give an empty or new folder',
    );
    writeFileSync(join(root, 'demo.json'), '{"generator":"another"}');
    await expect(generateDemo(root, small)).rejects.toThrow('holds other files');
    expect(readdirSync(root).sort()).toEqual(['demo.json', 'thesis.txt']);
    await expect(generateDemo(join(root, 'thesis.txt'), small)).rejects.toThrow(
      'a part of the path is not a folder',
    );
    await expect(generateDemo(join(root, 'thesis.txt/demo'), small)).rejects.toThrow(
      'a part of the path is not a folder',
    );
  });

  it('leaves nothing half-made when it is stopped, and goes on from nothing', async () => {
    const parent = temporaryFolder();
    const root = join(parent, 'demo');
    const stop = new AbortController();
    const reporter = { ...silent, progress: () => stop.abort() };
    await expect(generateDemo(root, { ...small, reporter, signal: stop.signal })).rejects.toThrow(
      Interrupted,
    );
    expect(readdirSync(parent)).toEqual([]);
    expect(await generateDemo(root, small)).toBe(true);
  });

  it('removes what a killed run has left, and only that', async () => {
    const parent = temporaryFolder();
    const host = hostname().replaceAll(/[^A-Za-z0-9.]/g, '_');
    const left = `.tmp-${host}-999999999-1-0123abcd-demo`;
    const others = [`.tmp-elsewhere-1-1-0123abcd-demo`, `.tmp-${host}-999999999-1-0123abcd-other`];
    for (const name of [left, ...others]) mkdirSync(join(parent, name));
    await generateDemo(join(parent, 'demo'), small);
    expect(readdirSync(parent).sort()).toEqual([...others, 'demo'].sort());
  });
});

describe('the corpus as the card has it', () => {
  it('agrees with the card through the IEMOCAP adapter, sound included', async () => {
    const root = join(temporaryFolder(), 'demo');
    await generateDemo(root, { reporter: silent });
    const collected = await collectCorpus({
      dataset: 'demo',
      root,
      card,
      media: 'headers',
      store: null,
      reporter: silent,
    });
    const findings = validateManifest(collected);
    // known: the asides of its transcripts, one for each dialogue, and texts that scripted dialogues repeat
    expect(new Set(findings.map((one) => `${one.level} ${one.kind}`))).toEqual(
      new Set(['known line', 'known leak-text']),
    );
    expect(findings.filter((one) => one.kind === 'line')).toHaveLength(45);
    const view = applyTask(findTask(card), collected.utterances);
    expect(view.rows).toHaveLength(DEMO_UTTERANCES);
    expect(view.excluded).toEqual({ fru: 40, xxx: 50 });
    const seconds = collected.utterances.map((one) => one.media?.seconds ?? NaN);
    const mean = seconds.reduce((a, b) => a + b, 0) / seconds.length;
    expect(mean).toBeGreaterThan(2);
    expect(mean).toBeLessThan(2.5);
  });
});
