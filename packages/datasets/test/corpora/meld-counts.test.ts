import { expect, it } from 'vitest';
import { silent } from '../../src/base/reporter.ts';
import { collectCorpus } from '../../src/manifest/build.ts';
import { loadCard } from '../../src/manifest/card.ts';
import { formatManifest } from '../../src/manifest/manifest-file.ts';
import { applyTask, findTask } from '../../src/manifest/task.ts';
import { validateManifest } from '../../src/manifest/validate.ts';
import { repositoryFile, sharedData } from '../support.ts';

const card = loadCard(repositoryFile('manifests/meld.json'));
const EMOTIONS = ['neutral', 'joy', 'surprise', 'anger', 'sadness', 'disgust', 'fear'];

it('counts the real annotations as published', async ({ skip }) => {
  const root = sharedData('meld');
  if (root === undefined) {
    skip('no shared data');
    return;
  }
  const collect = () =>
    collectCorpus({ dataset: 'meld', root, card, media: 'none', store: null, reporter: silent });
  const collected = await collect();
  const { utterances } = collected;
  expect(utterances).toHaveLength(13708);

  const emotions = applyTask(findTask(card), utterances);
  const table = (view: typeof emotions) =>
    Object.fromEntries(
      ['train', 'dev', 'test'].map((split) => [
        split,
        view.classes.map(
          (_, c) => view.rows.filter((r) => r.utterance.split === split && r.label === c).length,
        ),
      ]),
    );
  expect(emotions.classes).toEqual(EMOTIONS);
  expect(table(emotions)).toEqual({
    train: [4710, 1743, 1205, 1109, 683, 271, 268],
    dev: [470, 163, 150, 153, 111, 22, 40],
    test: [1256, 402, 281, 345, 208, 68, 50],
  });
  expect([emotions.excluded, emotions.filtered]).toEqual([{}, 0]);
  const sentiments = applyTask(findTask(card, 'sentiment3'), utterances);
  expect(sentiments.classes).toEqual(['neutral', 'positive', 'negative']);
  expect(table(sentiments)).toEqual({
    train: [4710, 2334, 2945],
    dev: [470, 233, 406],
    test: [1256, 521, 833],
  });

  const leads = new Set(['Chandler', 'Joey', 'Monica', 'Phoebe', 'Rachel', 'Ross']);
  const spoken = (split: string) =>
    utterances.filter((row) => row.split === split && leads.has(row.speaker ?? '')).length;
  expect(['train', 'dev', 'test'].map(spoken)).toEqual([8306, 953, 2156]);
  const dialogues = (split: string) =>
    new Set(utterances.filter((row) => row.split === split).map((row) => row.dialogue)).size;
  expect(['train', 'dev', 'test'].map(dialogues)).toEqual([1038, 114, 280]);

  // nothing of it is unknown to the card but that there are no clips
  const findings = validateManifest(collected);
  expect(findings.filter((one) => one.level === 'error')).toEqual([]);
  const kinds = new Set(findings.filter((one) => one.level === 'warning').map((one) => one.kind));
  expect([...kinds]).toEqual(['layout']);
  const known = (kind: string) => findings.filter((one) => one.kind === kind && one.level === 'known').length;
  expect([known('duplicate-number'), known('gap'), known('times')]).toEqual([57, 77, 4]);
  expect(formatManifest((await collect()).utterances)).toBe(formatManifest(utterances));
});

it('does not agree with the card when a row is gone or of another label', async ({ skip }) => {
  const root = sharedData('meld');
  if (root === undefined) {
    skip('no shared data');
    return;
  }
  const { utterances } = await collectCorpus({
    dataset: 'meld',
    root,
    card,
    media: 'none',
    store: null,
    reporter: silent,
  });
  const changed = utterances
    .filter((row) => row.id !== 'meld/test/dia0_utt0')
    .map((row) => (row.id === 'meld/dev/dia0_utt0' ? { ...row, rawLabel: 'fear' } : row));
  const found = validateManifest({ card, utterances: changed }).filter((one) => one.kind === 'count');
  const lines = found.map((one) => `${one.level} ${one.expected}, found ${one.found}`);
  expect(lines).toContain('error 2610 of split test, found 2609');
  expect(lines).toContain('error 40 of task emotion7: split dev, class fear, found 41');
  expect(lines).toContain('error 13708 task sentiment3: utterances, found 13707');
});
