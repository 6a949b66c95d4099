import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MediaCache, type Progress, type Utterance, sha256Hex } from '@lsgmer/datasets';
import { afterAll, describe, expect, it } from 'vitest';
import { refuseChangedMedia } from '../../src/run/changed-media.ts';
import { utterance } from './corpus.ts';

const folder = mkdtempSync(join(tmpdir(), 'lsgmer-changed-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Corpus {
  readonly root: string;
  readonly cacheFolder: string;
  readonly utterances: Utterance[];
}

let corpora = 0;

/** Recordings a.wav, b.wav, ..., as the manifest says, or with other bytes where they are listed. */
function corpus(names: readonly string[], changed: readonly string[] = []): Corpus {
  const root = join(folder, `corpus${corpora++}`);
  mkdirSync(join(root, 'cache'), { recursive: true });
  const utterances = names.map((name) => {
    const path = `${name}.wav`;
    writeFileSync(join(root, path), changed.includes(name) ? 'other' : name);
    const media = { path, sha256: sha256Hex(name), seconds: 1, sampleRate: 16_000, channels: 1 };
    return utterance(`toy/${name}`, { media });
  });
  return { root, cacheFolder: join(root, 'cache'), utterances };
}

/** As the building of a manifest leaves it. */
function remember({ root, cacheFolder, utterances }: Corpus): void {
  const cache = new MediaCache(join(cacheFolder, 'media-cache.json'), root);
  for (const { media } of utterances) {
    const { path = '', sha256 = null } = media ?? {};
    const facts = { sha256, seconds: 1, sampleRate: 16_000, channels: 1 };
    cache.keep(path, statSync(join(root, path), { bigint: true }), facts);
  }
  cache.save();
}

/** How many recordings were read, and what was said of them. */
async function check(place: Corpus, computed: readonly Utterance[]): Promise<[number, string]> {
  const steps: Progress[] = [];
  const reporter = { info() {}, warn() {}, progress: (step: Progress) => steps.push(step) };
  const said = await refuseChangedMedia({ ...place, dataset: 'toy', computed, reporter }).then(
    () => '',
    (error: Error) => error.message,
  );
  return [steps.length, said];
}

describe('refuseChangedMedia', () => {
  it('names every recording with other bytes that is to be computed, with both digests and what to do', async () => {
    const place = corpus(['a', 'b', 'c'], ['a', 'c']);
    const [read, said] = await check(place, place.utterances);
    const lines = said.split('\n');
    expect(read).toBe(3);
    expect(lines).toHaveLength(3);
    const [was, is] = [sha256Hex('a'), sha256Hex('other')].map((digest) => digest.slice(0, 12));
    expect(lines[0]).toBe(
      `a.wav (toy/a) has changed since the manifest was built: its sha256 was ${was}, and is ${is}`,
    );
    expect(lines[1]).toMatch(/^c\.wav \(toy\/c\) has changed/);
    expect(lines[2]).toContain(`lsgmer manifest build --dataset toy --root ${place.root}`);
  });

  it('shows ten of many', async () => {
    const names = Array.from({ length: 13 }, (_, i) => `u${i}`);
    const place = corpus(names, names);
    const [, said] = await check(place, place.utterances);
    expect(said.match(/has changed since/g)).toHaveLength(10);
    expect(said).toContain('... and 3 more');
  });

  it('reads nothing that is remembered as it is, and once what is not', async () => {
    const place = corpus(['a', 'b']);
    expect(await check(place, place.utterances)).toEqual([2, '']);
    expect(await check(place, place.utterances)).toEqual([0, '']);
    const built = corpus(['a', 'b']);
    remember(built);
    expect(await check(built, built.utterances)).toEqual([0, '']);
  });

  it('notices a file that was changed after it was remembered, though nothing is to be computed', async () => {
    const place = corpus(['a', 'b']);
    remember(place);
    writeFileSync(join(place.root, 'b.wav'), 'x');
    const [read, said] = await check(place, []);
    expect(read).toBe(1);
    expect(said).toMatch(/^b\.wav \(toy\/b\) has changed/);
    // and again, when that is remembered
    expect((await check(place, []))[1]).toMatch(/^b\.wav/);
  });

  it('takes a file that was only touched, one that is gone, and one that nobody hashed', async () => {
    const place = corpus(['a', 'b', 'c']);
    remember(place);
    utimesSync(join(place.root, 'a.wav'), 1, 1);
    rmSync(join(place.root, 'b.wav'));
    const [a, b, c] = place.utterances as [Utterance, Utterance, Utterance];
    const open = { ...c, media: c.media && { ...c.media, sha256: null } };
    writeFileSync(join(place.root, 'c.wav'), 'else');
    const utterances = [a, b, open];
    expect(await check({ ...place, utterances }, utterances)).toEqual([1, '']);
  });

  it('leaves alone what is neither computed nor remembered: another folder than the manifest was built from', async () => {
    const place = corpus(['a'], ['a']);
    expect(await check(place, [])).toEqual([0, '']);
  });
});
