import { linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { silent } from '../../src/base/reporter.ts';
import { collectCorpus } from '../../src/manifest/build.ts';
import { loadCard } from '../../src/manifest/card.ts';
import { applyTask, findTask } from '../../src/manifest/task.ts';
import { validateManifest } from '../../src/manifest/validate.ts';
import { repositoryFile, temporaryFolder, wavBytes } from '../support.ts';
import { putTree, turnsOfCard } from './iemocap-tree.ts';

const card = loadCard(repositoryFile('manifests/iemocap.json'));

/** neu, ang, sad, hap, exc; improvised, scripted: as published. */
const TABLE: Readonly<Record<string, readonly number[]>> = {
  Ses01: [384, 229, 194, 135, 143, 521, 564],
  Ses02: [362, 137, 197, 117, 210, 530, 493],
  Ses03: [320, 240, 305, 135, 151, 627, 524],
  Ses04: [258, 327, 143, 65, 238, 534, 497],
  Ses05: [384, 170, 245, 143, 299, 731, 510],
};
const SPEAKERS: readonly (readonly [string, number])[] = [
  ...Object.entries({ '1F': 528, '1M': 557, '2F': 481, '2M': 542, '3F': 522, '3M': 629 }),
  ...Object.entries({ '4F': 528, '4M': 503, '5F': 590, '5M': 651 }),
];

it('gives the published table from a tree with recordings, for every task', async () => {
  const root = temporaryFolder();
  const turns = turnsOfCard(card);
  putTree(root, turns);
  const wav = join(root, 'silence.wav');
  writeFileSync(wav, wavBytes(2));
  const folders = new Set<string>();
  for (const { name } of turns) {
    const file = join(root, `Session${name[4]}/sentences/wav`, name.replace(/_[FM]\w+$/, ''), `${name}.wav`);
    if (!folders.has(dirname(file))) mkdirSync(dirname(file), { recursive: true });
    folders.add(dirname(file));
    linkSync(wav, file);
  }
  const collected = await collectCorpus({
    dataset: 'iemocap',
    root,
    card,
    media: 'headers',
    store: null,
    reporter: silent,
  });
  const { utterances } = collected;
  expect(utterances).toHaveLength(10039);
  expect(folders.size).toBe(151);
  expect(utterances.every((row) => row.media?.seconds === 2 && row.media.channels === 1)).toBe(true);
  expect(validateManifest(collected).filter((one) => one.level === 'error')).toEqual([]);

  const rows = applyTask(findTask(card), utterances).rows.map((row) => row.utterance);
  expect(rows).toHaveLength(5531);
  for (const [session, numbers] of Object.entries(TABLE)) {
    const here = rows.filter((row) => row.session === session);
    const labels = ['neu', 'ang', 'sad', 'hap', 'exc'].map(
      (label) => here.filter((row) => row.rawLabel === label).length,
    );
    const styles = ['improvised', 'scripted'].map(
      (style) => here.filter((row) => row.tags['style'] === style).length,
    );
    expect([...labels, ...styles], session).toEqual(numbers);
  }
  for (const [speaker, count] of SPEAKERS) {
    expect(rows.filter((row) => row.speaker === speaker).length, speaker).toBe(count);
  }
  const sizes = ['4class', '4class-noexc', '4class-improvised', '6class'].map(
    (name) => applyTask(findTask(card, name), utterances).rows.length,
  );
  expect(sizes).toEqual([5531, 4490, 2943, 7380]);
});
