import { mkdirSync, readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silent, type Progress } from '../../src/base/reporter.ts';
import { buildManifest, collectCorpus } from '../../src/manifest/build.ts';
import { Card, loadCard } from '../../src/manifest/card.ts';
import { describeFinding } from '../../src/manifest/finding.ts';
import { putTree } from '../corpora/iemocap-tree.ts';
import { putFiles, repositoryFile, temporaryFolder, wavBytes } from '../support.ts';

const card = loadCard(repositoryFile('manifests/demo.json'));
const names = [
  'Ses02M_script01_1_F000',
  'Ses02M_script01_1_M000',
  'Ses01F_impro01_M000',
  'Ses01F_impro01_F000',
];

/** A tree of four utterances whose recordings are there. */
function smallTree(): string {
  const root = temporaryFolder();
  putTree(
    root,
    names.map((name, i) => ({ name, label: i === 0 ? 'ang' : 'neu', text: `Text ${i}.` })),
  );
  for (const [i, name] of names.entries()) {
    const dialogue = name.replace(/_[FM]\d+$/, '');
    putFiles(root, { [`Session${name[4]}/sentences/wav/${dialogue}/${name}.wav`]: wavBytes(2, i) });
  }
  return root;
}
const options = (root: string, store: string) => ({
  dataset: 'demo',
  root,
  card,
  store,
  tool: '0.1.0',
  reporter: silent,
});

describe('buildManifest', () => {
  it('builds the same bytes a second time, from another place, and with other options elsewhere', async () => {
    const root = smallTree();
    const [one, two] = [temporaryFolder(), temporaryFolder()];
    const first = await buildManifest(options(root, one));
    const again = await buildManifest(options(root, one));
    expect(first.problems).toEqual([]);
    expect([first.unchangedMedia, again.unchangedMedia]).toEqual([0, 4]);
    const moved = join(temporaryFolder(), 'moved');
    renameSync(root, moved);
    const other = await buildManifest(options(moved, two));
    const bytes = (store: string) =>
      [first.manifest.info.manifest.file, 'manifest.json'].map((file) =>
        readFileSync(join(store, 'demo', file), 'utf8'),
      );
    expect(bytes(two)).toEqual(bytes(one));
    expect(other.manifest.info).toEqual(first.manifest.info);
    expect(first.manifest.info.options).toEqual({
      media: 'hash',
      textNormalisation: 1,
      textTags: 'keep',
    });
    expect(bytes(one).join('')).not.toContain(realpathSync(moved));
    expect(
      first.utterances.map((row) => [row.id, row.speaker, row.tags['style'], row.media?.seconds]),
    ).toEqual([
      ['demo/Ses01F_impro01_F000', '1F', 'improvised', 2],
      ['demo/Ses01F_impro01_M000', '1M', 'improvised', 2],
      ['demo/Ses02M_script01_1_F000', '2F', 'scripted', 2],
      ['demo/Ses02M_script01_1_M000', '2M', 'scripted', 2],
    ]);
  });

  it('replaces texts and drops tags as it is told, and records both', async () => {
    const root = smallTree();
    putFiles(root, { 'asr.csv': 'id,text\nSes01F_impro01_F000,so [LAUGHTER] what\n' });
    const built = await buildManifest({
      ...options(root, temporaryFolder()),
      textFrom: join(root, 'asr.csv'),
      textTags: 'drop',
    });
    const source = built.utterances[0]?.textSource;
    expect(source).toMatch(/^asr\.csv sha256:[0-9a-f]{12}$/);
    expect(built.manifest.info.options).toMatchObject({ textTags: 'drop', textFrom: source });
    expect(built.utterances.map((row) => [row.text, row.rawText, row.textSource])).toEqual([
      ['so what', 'Text 3.', source],
      ['Text 2.', 'Text 2.', 'corpus'],
      ['Text 0.', 'Text 0.', 'corpus'],
      ['Text 1.', 'Text 1.', 'corpus'],
    ]);
    expect(built.problems.map((one) => [one.level, one.kind])).toEqual([['warning', 'text-source']]);
  });

  it('keeps rows without their media and reports them, sorted', async () => {
    const root = smallTree();
    writeFileSync(join(root, 'Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M000.wav'), wavBytes(0));
    renameSync(
      join(root, 'Session2/sentences/wav/Ses02M_script01_1'),
      join(root, 'Session2/sentences/elsewhere'),
    );
    const built = await buildManifest(options(root, temporaryFolder()));
    expect(built.utterances.map((row) => row.tags['media'] ?? 'fine')).toEqual([
      'fine',
      'empty',
      'missing',
      'missing',
    ]);
    expect(built.problems.map((one) => describeFinding(one).split(':')[0])).toEqual([
      'Session2/sentences/wav/Ses02M_script01_1/Ses02M_script01_1_F000.wav demo/Ses02M_script01_1_F000',
      'Session2/sentences/wav/Ses02M_script01_1/Ses02M_script01_1_M000.wav demo/Ses02M_script01_1_M000',
      'Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_M000.wav demo/Ses01F_impro01_M000',
    ]);
  });
});

describe('collectCorpus', () => {
  it('places a segment beyond its recording at the line that states its times', async () => {
    const root = temporaryFolder();
    putFiles(root, {
      'a.wav': wavBytes(2),
      't.csv': 'file,label,text,speaker,start,end\na.wav,x,one two,s,0,1\na.wav,y,three four,t,1,9\n',
    });
    const table = { start: 'start', end: 'end' };
    const collected = await collectCorpus({
      dataset: 'mine',
      root,
      card: null,
      store: null,
      reporter: silent,
      table,
    });
    const found = collected.problems.filter((one) => one.kind === 'segment').map(describeFinding);
    expect(found).toEqual([
      't.csv:3 mine/a-0001000-0009000: segment: expected a segment within the 2 s of the recording, found 1 to 9 s',
    ]);
  });

  it('reads without a store, and reports progress', async () => {
    const steps: Progress[] = [];
    const reporter = { ...silent, progress: (step: Progress) => steps.push(step) };
    const { utterances } = await collectCorpus({
      ...options(smallTree(), ''),
      store: null,
      media: 'headers',
      reporter,
    });
    expect(utterances.every((row) => row.media?.sha256 === null && row.media.seconds === 2)).toBe(true);
    expect(steps.at(-1)).toEqual({ task: 'media', done: 4, total: 4, unit: 'files' });
  });

  it('refuses the card of another dataset, the layout of another corpus, and a missing root', async () => {
    const root = smallTree();
    const ask = (changes: object) => collectCorpus({ ...options(root, ''), store: null, ...changes });
    await expect(ask({ dataset: 'iemocap' })).rejects.toThrow('the card is of dataset demo, not of iemocap');
    const meld = Card.parse({ ...card, adapter: 'meld' });
    await expect(ask({ card: meld })).rejects.toThrow(
      'no train_sent_emo.csv, dev_sent_emo.csv or test_sent_emo.csv in',
    );
    await expect(ask({ root: join(root, 'gone') })).rejects.toThrow('cannot read ROOT of demo');
    mkdirSync(join(root, 'bare'));
    await expect(ask({ root: join(root, 'bare'), card: null })).rejects.toThrow('no table in');
  });
});
