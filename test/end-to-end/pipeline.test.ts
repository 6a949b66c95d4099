import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeWav, generateDemo, silent } from '@lsgmer/datasets';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { done, WorkFolder } from './command-line.ts';

/** The demo corpus in small, the whole way: read, extracted (once interrupted), trained (once interrupted). */
const place = new WorkFolder();
const TRAIN = ['train', '--dataset', 'demo', '--recipe', 'demo', '--set', 'epochs=2', '--set', 'd=16'];

beforeAll(async () => {
  await generateDemo(place.path('corpus'), { utterances: 60, reporter: silent });
});
afterAll(() => place.remove());

function shards(): Map<string, number> {
  const files = readdirSync(place.path('store'), { recursive: true }) as string[];
  return new Map(
    files.filter((f) => f.endsWith('.arrow')).map((f) => [f, statSync(place.path('store', f)).mtimeMs]),
  );
}

interface Result {
  readonly synthetic: boolean;
  readonly select: string;
  readonly variants: readonly {
    readonly name: string;
    readonly seeds: readonly {
      readonly folds: readonly { readonly fold: string; readonly run: string; readonly skipped: boolean }[];
      readonly pooled: {
        readonly scores: object;
        readonly confusion: number[][];
        readonly evaluated: number;
        readonly expected: number;
      };
    }[];
  }[];
}

describe('a corpus, the whole way', () => {
  it('becomes a manifest', async () => {
    const built = await place.run(
      'manifest',
      'build',
      '--dataset',
      'demo',
      '--root',
      place.path('corpus'),
      '--subset',
      '--json',
    );
    const { utterances, labels } = JSON.parse(done(built)) as {
      utterances: number;
      labels: Record<string, number>;
    };
    expect(utterances).toBeGreaterThan(60);
    expect(Object.values(labels).reduce((a, b) => a + b, 0)).toBeGreaterThanOrEqual(60);
    const again = await place.run('manifest', 'build', '--dataset', 'demo', '--subset', '--json');
    expect(JSON.parse(done(again))).toMatchObject({
      manifest: (JSON.parse(built.out) as { manifest: string }).manifest,
      unchangedMedia: utterances,
    });
  });

  it('is validated: what the card says and what is there', async () => {
    const out = done(await place.run('manifest', 'validate', '--dataset', 'demo', '--subset', '--json'));
    const { findings } = JSON.parse(out) as { findings: { level: string }[] };
    expect(findings.filter((f) => f.level === 'error')).toEqual([]);
  });

  it('is extracted, and an interruption loses nothing that was finished', async () => {
    const args = ['features', 'extract', '--dataset', 'demo', '--preset', 'tiny', '--device', 'cpu'];
    const stopped = await place.stop('SIGINT', /random-tiny-wavlm.*rows/, ...args);
    expect(stopped.code, stopped.err).toBe(130);
    expect(stopped.err).toMatch(/the same command/);
    expect(stopped.err).not.toMatch(/\n\s+at /);
    const kept = shards();
    expect(kept.size).toBeGreaterThan(0);
    done(await place.run(...args));
    const after = shards();
    for (const [file, time] of kept) expect(after.get(file), file).toBe(time);
    const again = JSON.parse(done(await place.run(...args, '--json'))) as { sets: { computed: number }[] };
    expect(again.sets.map((set) => set.computed)).toEqual([0, 0, 0]);
    const status = JSON.parse(done(await place.run('features', 'status', '--dataset', 'demo', '--json'))) as {
      coverage: { missing: string[] };
      problems: string[];
    }[];
    expect(status).toHaveLength(3);
    for (const set of status) expect([set.coverage.missing, set.problems]).toEqual([[], []]);
  });

  it('is trained over five folds, and an interrupted training ends as an undisturbed one, bit for bit', async () => {
    const undisturbed = JSON.parse(done(await place.run(...TRAIN, '--json', '--runs', 'runs-a'))) as Result;
    const stopped = await place.stop('SIGTERM', /text Ses03.*epoch/, ...TRAIN, '--runs', 'runs-b');
    expect(stopped.code, stopped.err).toBe(75);
    const resumed = JSON.parse(done(await place.run(...TRAIN, '--json', '--runs', 'runs-b'))) as Result;
    expect(undisturbed.synthetic).toBe(true);
    expect(undisturbed.select).toBe('last');
    expect(undisturbed.variants.map((v) => v.name)).toEqual(['full', 'text', 'audio', 'no-lsma-joo']);
    const withoutSkips = (result: Result): unknown =>
      JSON.parse(JSON.stringify(result, (key, value: unknown) => (key === 'skipped' ? undefined : value)));
    expect(withoutSkips(resumed)).toEqual(withoutSkips(undisturbed));
    const resumedFolds = resumed.variants.flatMap(({ seeds }) => seeds.flatMap(({ folds }) => folds));
    expect(resumedFolds.filter((fold) => fold.skipped).length).toBeGreaterThan(3);
    expect(resumedFolds.filter((fold) => !fold.skipped).length).toBeGreaterThan(0);
    for (const variant of undisturbed.variants) {
      for (const { folds, pooled } of variant.seeds) {
        expect(folds.map((f) => f.fold)).toEqual(['Ses01', 'Ses02', 'Ses03', 'Ses04', 'Ses05']);
        expect(pooled.evaluated).toBe(pooled.expected);
        expect(pooled.confusion.flat().reduce((a, b) => a + b, 0)).toBe(60);
        for (const { run } of folds) {
          const file = join('demo', '4class', run, 'head.safetensors');
          expect(
            readFileSync(place.path('runs-b', file)).equals(readFileSync(place.path('runs-a', file))),
            file,
          ).toBe(true);
        }
      }
    }
  });

  it('shows its result as a table, with the rule and the coverage', async () => {
    const out = done(await place.run(...TRAIN, '--runs', 'runs-a'));
    expect(out).toMatch(/SYNTHETIC/);
    expect(out).toMatch(/epoch taken: last/);
    expect(out).toMatch(/mean over folds ± sd/);
    expect(out).toMatch(/pooled .* 60 of 60/);
    expect(out).toMatch(/confusion.*angry.*happy.*sad.*neutral/);
  });

  it('shares its runs between processes and machines, with the same bits', async () => {
    const args = [...TRAIN, '--fold', '1'];
    const alone = JSON.parse(
      done(await place.run(...args, '--json', '--runs', 'runs-c', '--jobs', '1')),
    ) as Result;
    const together = await place.run(...args, '--json', '--runs', 'runs-d', '--jobs', '2');
    const withoutSkips = (result: Result): unknown =>
      JSON.parse(JSON.stringify(result, (key, value: unknown) => (key === 'skipped' ? undefined : value)));
    expect(withoutSkips(JSON.parse(done(together)) as Result)).toEqual(withoutSkips(alone));
    expect(together.err).toMatch(/\[2\] .*epoch 1\/2/);
    for (const { seeds } of alone.variants) {
      for (const { run } of seeds[0]?.folds ?? []) {
        const file = join('demo', '4class', run, 'head.safetensors');
        const [one, two] = ['runs-c', 'runs-d'].map((runs) => readFileSync(place.path(runs, file)));
        expect(one?.equals(two as Buffer), file).toBe(true);
      }
    }
    // machines without a common folder: each its share, and a table once all are together
    const count = alone.variants.length;
    const first = await place.run(...args, '--runs', 'runs-e', '--only', '1/2');
    expect(done(first)).toMatch(
      new RegExp(
        `^share 1 of 2: ${Math.ceil(count / 2)} runs are finished; ${Math.floor(count / 2)} of other`,
      ),
    );
    expect(done(await place.run(...args, '--runs', 'runs-e', '--only', '2/2'))).toMatch(/pooled/);
  });

  it('searches on dev, fold by fold, and says how many it tried; refits', async () => {
    const args = [...TRAIN, '--fold', '1', '--grid', 'lr=0.001,0.01', '--runs', 'runs-f'];
    expect((await place.run(...args)).err).toMatch(
      /a sweep is chosen on dev, and fold Ses01 has no dev part: carve/,
    );
    const dev = ['--dev', 'session', '--select', 'dev'];
    const out = done(await place.run(...args, ...dev, '--refit'));
    expect(out).toMatch(/configurations tried: 2; chosen on dev, fold by fold:\n {2}Ses01: lr=0.0\d+ \(dev/);
    expect(out).toMatch(/trained again on train and dev/);
    expect(out).toMatch(/epoch taken: dev/);
    expect((await place.run(...args, ...dev, '--only', '1/2')).err).toMatch(
      /--only cuts one list of runs; --grid/,
    );
    expect((await place.run(...TRAIN, '--random', '3')).err).toMatch(
      /--random needs what to draw from: --grid/,
    );
  });

  it('is reported: page, tables, figures, explorer; in a folder of its own', async () => {
    const args = ['report', '--dataset', 'demo', '--runs', 'runs-a'];
    const made = JSON.parse(done(await place.run(...args, '--json'))) as Record<string, string | number>;
    expect(made).toMatchObject({
      figures: 9,
      tables: 10,
      utterances: 60,
      folder: place.path('reports', 'demo', '4class'),
    });
    const page = readFileSync(made['page'] as string, 'utf8');
    expect(page.length).toBeLessThan(5e6);
    expect(page).toMatch(/SYNTHETIC data/);
    expect(page).toMatch(/RANDOM encoders \(random-tiny-alexnet, random-tiny-roberta, random-tiny-wavlm\)/);
    expect(page).toMatch(/60 of 60/);
    expect(readFileSync(place.path('reports', 'demo', '4class', 'data', 'index.js'), 'utf8')).toMatch(
      /^lsgmerChunk\("index",/,
    );
    expect((await place.run(...args, '--out', 'store')).err).toMatch(
      /store holds \d+ other files and no report/,
    );
    const none = await place.run('report', '--dataset', 'demo', '--runs', 'runs-none');
    expect([none.code, none.err]).toEqual([
      2,
      expect.stringMatching(/no run of demo, task 4class, .*: train first/),
    ]);
  });

  it('refuses settings that do not exist, all at once, with the nearest name', async () => {
    const { code, err } = await place.run(
      'train',
      '--dataset',
      'demo',
      '--recipe',
      'demo',
      '--set',
      'epoch=3',
      '--set',
      'd=none',
    );
    expect(code).toBe(2);
    expect(err).toMatch(/epoch.*epochs/);
    expect(err).toMatch(/\bd\b/);
    expect(err.trim().split('\n')).toHaveLength(2);
    expect(
      (await place.run('train', '--dataset', 'demo', '--recipe', 'demo', '--fold', 'Ses09')).err,
    ).toMatch(/no fold 'Ses09'.*Ses01, Ses02/);
    expect((await place.run('train', '--dataset', 'demo', '--ablation', 'no-such')).err).toMatch(/no-ma/);
  });
});

describe('a table of recordings', () => {
  it('is read, a recording without samples is quarantined, and the test utterance it leaves is asked about', async () => {
    const own = new WorkFolder();
    try {
      const rows = ['file,label,text,speaker'];
      for (const speaker of ['a', 'b', 'c']) {
        for (let i = 0; i < 6; i++) {
          const samples = Float32Array.from(
            { length: i === 5 && speaker === 'c' ? 0 : 8000 + 400 * i },
            (_, t) => 0.3 * Math.sin(t * (i % 2 === 0 ? 0.05 : 0.2)),
          );
          writeFileSync(own.path(`${speaker}${i}.wav`), encodeWav(samples, 16_000));
          rows.push(`${speaker}${i}.wav,${i % 2 === 0 ? 'calm' : 'tense'},"word ${i}, said",${speaker}`);
        }
      }
      writeFileSync(own.path('data.csv'), `${rows.join('\r\n')}\r\n`);
      const built = await own.run('manifest', 'build', '--dataset', 'mine', '--root', own.folder);
      expect(built.code, built.err).toBe(3);
      expect(built.out).toMatch(/mine: 18 utterances, 3 speakers/);
      expect(built.out).toMatch(/mine\/c5/);
      const extracted = await own.run('features', 'extract', '--preset', 'tiny', '--device', 'cpu');
      expect(extracted.code, extracted.err).toBe(3);
      expect(extracted.out).toMatch(/mine\/c5: /);
      const train = ['train', '--set', 'epochs=1', '--set', 'd=16', '--set', 'heads=2'];
      const asked = await own.run(...train);
      expect(asked.code).toBe(2);
      expect(asked.err).toMatch(/mine\/c5/);
      const wrong = await own.run(...train, '--missing', 'wrong');
      expect(wrong.code, wrong.err).toBe(0);
      expect(wrong.out).toMatch(/spk-a/);
      expect(wrong.out).toMatch(/18 of 18/);
      const drop = await own.run(...train, '--missing', 'drop');
      expect(drop.out).toMatch(/17 of 18/);
      expect(drop.out).toMatch(/NOT COMPARABLE/);

      // another recording under the same name: what was encoded is not what is there
      writeFileSync(
        own.path('a0.wav'),
        encodeWav(
          Float32Array.from({ length: 9000 }, (_, t) => 0.2 * Math.sin(t * 0.11)),
          16_000,
        ),
      );
      await own.run('manifest', 'build', '--dataset', 'mine', '--media', 'hash');
      const stale = await own.run(...train, '--missing', 'drop');
      expect(stale.out).toMatch(/16 of 18/);
      expect((await own.run(...train)).err).toMatch(/mine\/a0.*changed since it was extracted/);
      const status = JSON.parse((await own.run('features', 'status', '--json')).out) as {
        feature: string;
        stale: number;
      }[];
      expect(Object.fromEntries(status.map((set) => [set.feature, set.stale]))).toEqual({
        'random-tiny-alexnet': 1,
        'random-tiny-roberta': 0,
        'random-tiny-wavlm': 1,
      });
      const again = JSON.parse(
        (await own.run('features', 'extract', '--preset', 'tiny', '--device', 'cpu', '--json')).out,
      ) as { sets: { computed: number }[] };
      expect(again.sets.map((set) => set.computed).sort((a, b) => a - b)).toEqual([0, 1, 1]);
      expect((await own.run(...train, '--missing', 'drop')).out).toMatch(/17 of 18/);
    } finally {
      own.remove();
    }
  });
});
