import { randomBytes } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FeatureSpec, encodeWav, openFeatureSet, readManifest } from '@lsgmer/datasets';
import { searchFfmpeg } from '@lsgmer/extract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, WorkFolder } from './command-line.ts';

const { found: ffmpeg } = await searchFfmpeg();
if (ffmpeg === undefined) process.stderr.write('skipped in part: no ffmpeg\n');

const place = new WorkFolder();
const EXTRACT = [
  'features',
  'extract',
  '--dataset',
  'mix',
  '--preset',
  'tiny',
  '--device',
  'cpu',
  '--threads',
  '1',
];
const ROWS = 100;
/** Five in a hundred, each bad in a way of its own; one more is long, which is no fault. */
const BAD = [7, 28, 49, 70, 91] as const;
const LONG = 50;

const sound = (seconds: number, i: number): Float32Array =>
  Float32Array.from({ length: Math.round(16_000 * seconds) }, (_, t) => 0.2 * Math.sin(t / (5 + i / 7)));

beforeAll(async () => {
  mkdirSync(place.path('corpus'));
  const lines = ['audio,text,label,speaker'];
  for (let i = 0; i < ROWS; i++) {
    const video = i === BAD[3] && ffmpeg !== undefined;
    const name = `${nameOf(i)}.${video ? 'mp4' : 'wav'}`;
    const path = place.path('corpus', name);
    const wav = encodeWav(sound(i === LONG ? 300 : 0.2 + (i % 5) / 10, i), 16_000);
    if (i === BAD[0]) writeFileSync(path, randomBytes(5000));
    else if (i === BAD[1]) writeFileSync(path, wav.subarray(0, wav.length >> 1));
    else if (i === BAD[2]) writeFileSync(path, '');
    else if (video) makeVideo(path);
    else if (i === BAD[3]) writeFileSync(path, 'RIFF');
    else if (i !== BAD[4]) writeFileSync(path, wav);
    lines.push(`${name},this is number ${i},l${i % 3},s${i % 4}`);
  }
  writeFileSync(place.path('corpus', 'data.csv'), `${lines.join('\n')}\n`);
  const built = await place.run(
    'manifest',
    'build',
    '--dataset',
    'mix',
    '--root',
    place.path('corpus', 'data.csv'),
  );
  expect(built.code, built.err).toBe(3);
});
afterAll(() => place.remove());

const nameOf = (i: number): string => `u${String(i).padStart(3, '0')}`;

/** Pictures without a sound. */
function makeVideo(path: string): void {
  const args = ['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', 'testsrc=duration=1:size=64x64:rate=5', path];
  expect(spawnSync(ffmpeg?.path as string, args).status).toBe(0);
}

const wavlm = (choice = '') =>
  openFeatureSet({ stores: [place.path('store')], dataset: 'mix', feature: `random-tiny-wavlm${choice}` });

const specOf = (feature: string): FeatureSpec => {
  const folder = place.path('store', 'mix', feature);
  return JSON.parse(
    readFileSync(join(folder, readdirSync(folder)[0] ?? '', 'feature.json'), 'utf8'),
  ) as FeatureSpec;
};

const json = (
  ended: Ended,
): { sets: { feature: string; computed: number; quarantined: { id: string }[] }[] } =>
  JSON.parse(ended.out) as ReturnType<typeof json>;

describe('features extract', () => {
  it('predicts, and writes nothing', async () => {
    const { code, out } = await place.run(...EXTRACT, '--dry-run');
    expect(code).toBe(0);
    expect(out).toMatch(/random-tiny-wavlm +[0-9a-f]{12} +100 +0 +0 +[\d.]+ [kM]B/);
    expect(out).toMatch(/about .* s and [\d.]+ [kM]B \(from a few utterances/);
    expect(readdirSync(place.path('store', 'mix'))).not.toContain('random-tiny-wavlm');
  });

  it('goes on past five bad clips in a hundred, lists each with its reason, and ends with 3', async () => {
    const { code, out } = await place.run(...EXTRACT);
    expect(code).toBe(3);
    expect(out).toMatch(/random-tiny-roberta +\S+ +100 +0 +0/);
    expect(out).toMatch(/random-tiny-wavlm +\S+ +95 +0 +5/);
    for (const i of BAD) expect(out).toMatch(new RegExp(`random-tiny-wavlm: mix/${nameOf(i)}: \\S`));
    expect(out).toMatch(/\d+ rows in .* audio s\/s\), .* written/);
    // five minutes, of which the first 35 s are taken
    expect(wavlm().length('mix/u050')).toBe(1749);
  });

  it('ends with 0 where the card knows all that is bad', async () => {
    const { card } = readManifest([place.path('store')], 'mix');
    const quarantined = wavlm().quarantined();
    expect(quarantined.size).toBe(5);
    const defects = ['media-missing', 'media-empty', 'media-truncated', 'media-undecodable', 'too-long'].map(
      (kind) => ({
        kind,
        ids: ['mix/*'],
        count: 5,
        policy: 'keep',
        source: 'https://example.org',
        note: 'broken here on purpose',
      }),
    );
    writeFileSync(place.path('card.json'), JSON.stringify({ ...card, defects }));
    const built = await place.run(
      'manifest',
      'build',
      '--dataset',
      'mix',
      '--card',
      place.path('card.json'),
      '--root',
      place.path('corpus', 'data.csv'),
    );
    expect(built.code, built.err + built.out).toBe(0);
    const again = await place.run(...EXTRACT);
    expect(again.code, again.out).toBe(0);
    expect(again.out).toMatch(/random-tiny-wavlm +\S+ +0 +95 +5/);
    expect(again.out).toContain('(known to the card)');
  });

  it('shares the work: parts are disjoint, and together as much as one run', async () => {
    const computed: number[] = [];
    for (const part of ['2/3', '1/3', '3/3']) {
      const ended = await place.run(
        ...EXTRACT,
        '--part',
        part,
        '--store-dtype',
        'float32',
        '--json',
        '--quiet',
      );
      computed.push(json(ended).sets[1]?.computed ?? 0);
    }
    expect(computed.reduce((sum, one) => sum + one, 0)).toBe(95);
    expect(Math.min(...computed)).toBeGreaterThan(0);
    const wide = readdirSync(place.path('store', 'mix', 'random-tiny-wavlm')).map((name) =>
      readdirSync(place.path('store', 'mix', 'random-tiny-wavlm', name, 'index')).sort(),
    );
    expect(wide).toContainEqual(['share-1-of-3.json', 'share-2-of-3.json', 'share-3-of-3.json']);
  });

  it('int8: compared with float32 before the first row, which is written down', async () => {
    const { code, err } = await place.run(...EXTRACT, '--dtype', 'int8');
    expect(code, err).toBe(0);
    expect(err).toMatch(/random-tiny-wavlm\.int8 against float32: cosine 0\.999\d+ on average/);
    const { computation, provenance } = specOf('random-tiny-wavlm.int8');
    expect(computation['computed']).toMatch(/^int8-\d/);
    expect(provenance['fidelity']).toMatchObject({
      against: 'float32',
      utterances: expect.any(Number) as unknown,
    });
  });

  it('stops on SIGTERM with 75, keeps what is finished, and goes on to the same rows', async () => {
    const long = [...EXTRACT, '--long', 'chunk', '--max-seconds', '2', '--overlap-seconds', '0.5'];
    const stopped = await place.stop('SIGTERM', /random-tiny-wavlm.*rows/, ...long);
    expect(stopped.code, stopped.err).toBe(75);
    expect(stopped.err).toContain('the same command goes on');
    const done = await place.run(...long);
    expect(done.code, done.err).toBe(0);
    const set = wavlm(`@${/random-tiny-wavlm +([0-9a-f]{12})/.exec(done.out)?.[1] ?? ''}`);
    // all of the 300 s: as many frames as the whole has
    expect(set.length('mix/u050')).toBe(Math.floor((300 * 16_000 - 400) / 320) + 1);
    expect(set.ids()).toHaveLength(95);
  });

  it('says in one line what cannot be meant', async () => {
    for (const [args, message] of [
      [['--part', '4/3'], 'part 4/3: shares are numbered from 1 to 3'],
      [['--dtype', 'int4'], '--dtype int4: expected fp32 or fp16 or int8'],
      [['--dtype', 'int8', '--device', 'cuda'], 'int8 runs on the CPU only'],
      [['--max-seconds', '0'], '--max-seconds 0: expected 1 to 600'],
      [
        ['--long', 'chunk', '--overlap-seconds', '30'],
        '--overlap-seconds 30: expected 0 to half of --max-seconds',
      ],
    ] as const) {
      const ended = await place.run('features', 'extract', '--dataset', 'mix', '--preset', 'tiny', ...args);
      expect(ended.code, ended.err).toBe(2);
      expect(ended.err).toContain(message);
    }
  });
});
