import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silent } from '../../src/base/reporter.ts';
import { buildManifest } from '../../src/manifest/build.ts';
import { loadCard } from '../../src/manifest/card.ts';
import { applyTask, findTask } from '../../src/manifest/task.ts';
import { validateCorpus } from '../../src/manifest/validate.ts';
import { putFiles, repositoryFile, temporaryFolder, wavBytes } from '../support.ts';

it('builds a corpus with the card of docs/datasets.md: labels merged, one left out, a broken clip known', async () => {
  const page = readFileSync(repositoryFile('docs/datasets.md'), 'utf8');
  const file = join(temporaryFolder(), 'mycorpus.json');
  writeFileSync(file, /```json\n([\s\S]*?)```/.exec(page)?.[1] as string);
  const card = loadCard(file);
  const labels = ['angry', 'irritated', 'happy', 'neutral', 'other'];
  const rows = Array.from({ length: 20 }, (_, i) => ({
    name: `wav/clip${String(i).padStart(3, '0')}.wav`,
    label: labels[i % 5] as string,
  }));
  const root = temporaryFolder();
  putFiles(root, {
    't.csv': `file,label,text,speaker\n${rows.map(({ name, label }, i) => `${name},${label},words ${i},s${i % 4}\n`).join('')}`,
    ...Object.fromEntries(rows.map(({ name }, i) => [name, wavBytes(1 + i / 100)])),
    'wav/clip017.wav': 'no sound',
  });
  const of = {
    dataset: 'mycorpus',
    root,
    store: temporaryFolder(),
    tool: 'test',
    reporter: silent,
    media: 'hash' as const,
  };
  const built = await buildManifest({ ...of, card });
  const view = applyTask(findTask(card), built.utterances);
  expect(view.rows.map(({ label }) => label).filter((label) => label === 0)).toHaveLength(8);
  expect(view.excluded).toEqual({ other: 4 });
  const broken = validateCorpus(built).findings.filter(({ file: name }) => name === 'wav/clip017.wav');
  expect(broken.map(({ kind, level }) => `${level} ${kind}`)).toEqual(['known media-undecodable']);
  expect(validateCorpus(built).findings.filter(({ level }) => level === 'error')).toEqual([]);
});
