import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { encodeWav } from '@lsgmer/datasets';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { done, WorkFolder } from './command-line.ts';

/** Heads of one's own, and what a trained head is good for: eval, predict, export. */
const place = new WorkFolder();
const TASK = 'emotion';
const SMALL = ['--dataset', 'mine', '--fold', '1', '--set', 'epochs=2', '--set', 'd=16', '--threads', '1'];

/** A corpus of short tones: low ones under one label, high ones under the other. */
async function corpus(
  name: string,
  labels: readonly [string, string],
  speakers: readonly string[],
  words = 'said word',
): Promise<void> {
  const rows = ['file,label,text,speaker'];
  mkdirSync(place.path(name));
  for (const speaker of speakers) {
    for (let i = 0; i < 6; i++) {
      const samples = Float32Array.from(
        { length: 7000 + 700 * i + 10 * speakers.indexOf(speaker) },
        (_, t) => 0.3 * Math.sin(t * (i % 2 === 0 ? 0.05 : 0.2)),
      );
      writeFileSync(place.path(name, `${speaker}${i}.wav`), encodeWav(samples, 16_000));
      rows.push(`${speaker}${i}.wav,${labels[i % 2]},"${speaker} ${words} ${i}",${speaker}`);
    }
  }
  writeFileSync(place.path(name, 'data.csv'), `${rows.join('\r\n')}\r\n`);
  done(await place.run('manifest', 'build', '--dataset', name, '--root', place.path(name)));
  done(await place.run('features', 'extract', '--dataset', name, '--preset', 'tiny', '--device', 'cpu'));
}

beforeAll(() => corpus('mine', ['calm', 'tense'], ['a', 'b', 'c']), 120_000);
afterAll(() => place.remove());

interface Result {
  readonly variants: readonly {
    readonly seeds: readonly {
      readonly folds: readonly { readonly run: string; readonly skipped: boolean }[];
    }[];
  }[];
}

async function train(...args: string[]): Promise<{ readonly run: string; readonly skipped: boolean }> {
  const result = JSON.parse(done(await place.run('train', ...SMALL, '--json', ...args))) as Result;
  return result.variants[0]?.seeds[0]?.folds[0] as { run: string; skipped: boolean };
}

describe('a head of one’s own', () => {
  const documented = (): string =>
    /```ts\n([\s\S]*?)```/.exec(readFileSync('docs/adding-a-head.md', 'utf8'))?.[1] as string;

  it('as docs/adding-a-head.md has it passes the check, and trains; a changed one is another run', async () => {
    writeFileSync(place.path('my-head.ts'), documented());
    const checked = JSON.parse(done(await place.run('head', 'check', './my-head.ts', '--json'))) as {
      checks: { ok: boolean }[];
    };
    expect(checked.checks).toHaveLength(13);
    expect(checked.checks.every((one) => one.ok)).toBe(true);
    const first = await train('--head', './my-head.ts', '--set', 'fusion=sum');
    expect(await train('--head', place.path('my-head.ts'), '--set', 'fusion=sum')).toEqual({
      ...first,
      skipped: true,
    });
    writeFileSync(place.path('my-head.ts'), documented().replace('tf.add(a, t)', 'tf.sub(a, t)'));
    expect((await train('--head', './my-head.ts', '--set', 'fusion=sum')).run).not.toBe(first.run);
  });

  it('that leaks padding fails the check with exit code 3', async () => {
    const masked = 'tf.add(scores, tf.reshape(keys.scores, [rows, 1, steps]))';
    writeFileSync(place.path('leaks.ts'), documented().replace(masked, 'scores'));
    const { code, out } = await place.run('head', 'check', './leaks.ts');
    expect(code).toBe(3);
    expect(out).toMatch(/padding, onnx +FAILED +logits differ by/);
  });

  it('trains op by op on tfjs to nearly the same numbers', async () => {
    const args = ['--head', 'concat', '--set', 'text.encoder=linear', '--set', 'batch.size=64'];
    const [onnx, tfjs] = [await train(...args), await train(...args, '--engine', 'tfjs')];
    expect(tfjs.run).not.toBe(onnx.run);
    const losses = (run: string): number[] =>
      readFileSync(place.path('runs', 'mine', TASK, run, 'metrics.jsonl'), 'utf8')
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { loss: number }).loss);
    losses(tfjs.run).forEach((loss, i) => expect(loss).toBeCloseTo(losses(onnx.run)[i] as number, 4));
  });
});

describe('a trained head', () => {
  let run = '';
  beforeAll(async () => {
    run = (await train('--set', 'modality.dropout=0.3')).run;
  }, 60_000);
  const runFile = (name: string): string => place.path('runs', 'mine', TASK, run, name);
  const lines = (): string[] => readFileSync(runFile('predictions.csv'), 'utf8').trim().split('\n').slice(1);

  it('says of its own test part what it said, to the last digit; and what it makes of missing modalities', async () => {
    const out = await place.run('eval', run, '--json', '--missing-grid', '--predictions', 'again.csv');
    const result = JSON.parse(done(out)) as {
      repeated: number;
      evaluated: number;
      grid: { condition: string; withoutText: number; withoutAudio: number; scores: { wa: number } }[];
      scores: { wa: number };
    };
    expect([result.repeated, result.evaluated]).toEqual([6, 6]);
    expect(readFileSync(place.path('again.csv'), 'utf8')).toBe(
      readFileSync(runFile('predictions.csv'), 'utf8'),
    );
    expect(result.grid.map((row) => row.condition).slice(0, 4)).toEqual([
      'whole',
      'no text',
      'no audio',
      '10 % missing',
    ]);
    expect(result.grid).toHaveLength(12);
    expect(result.grid[0]?.scores.wa).toBe(result.scores.wa);
    expect(result.grid[1]).toMatchObject({ withoutText: 6, withoutAudio: 0 });
  });

  it('is refused on a corpus from other encoders in one line; where they are the same, it is scored', async () => {
    await corpus('other', ['still', 'wild'], ['d', 'e', 'f'], 'never spoke so wholly otherwise');
    writeFileSync(place.path('map.json'), '{"still": "calm", "wild": null}');
    // toy tokenizers come from each corpus's own texts
    const other = await place.run('eval', run, '--dataset', 'other', '--map', 'map.json');
    expect(other.code).toBe(2);
    expect(other.err).toMatch(/random-tiny-roberta@.* another encoder .*tokenizer/);

    // sound alone comes from the same encoders
    const audio = await train('--head', 'audio-only');
    const scored = JSON.parse(
      done(await place.run('eval', audio.run, '--dataset', 'other', '--map', 'map.json', '--json')),
    ) as { evaluated: number; removed: object };
    expect(scored).toMatchObject({ evaluated: 9, removed: { wild: 9 } });
  });

  it('says of a file and its text what it said of them as part of the corpus', async () => {
    const [id = '', , , prediction, calm] = (lines()[0] as string).split(',');
    const name = id.slice('mine/'.length);
    const text = `${name[0]} said word ${name[1]}`;
    const audio = ['--audio', place.path('mine', `${name}.wav`)];
    const out = await place.run('predict', run, ...audio, '--text', text, '--json', '--device', 'cpu');
    const { rows, seconds } = JSON.parse(done(out)) as {
      rows: { label: string; probabilities: { calm: number } }[];
      seconds: { encoders: number };
    };
    expect(rows[0]?.label).toBe(prediction);
    expect(rows[0]?.probabilities.calm).toBeCloseTo(Number(calm), 4);
    expect(seconds.encoders).toBeGreaterThan(0);
  });

  it('refuses what cannot be predicted: one line; in a table the rest is done', async () => {
    const { code, err } = await place.run(
      'predict',
      run,
      '--audio',
      'map.json',
      '--text',
      'hello',
      '--quiet',
    );
    expect(code).toBe(2);
    expect(err).toMatch(/map\.json: .*(Invalid data|no audio)/);
    expect(err.trim().split('\n')).toHaveLength(1);
    writeFileSync(
      place.path('calls.csv'),
      `id,file,text\none,mine/a0.wav,hello\ntwo,mine/none.wav,hello\nthree,mine/a1.wav,\n`,
    );
    const table = await place.run('predict', run, '--table', 'calls.csv', '--json', '--device', 'cpu');
    expect(table.code).toBe(3);
    const result = JSON.parse(table.out) as {
      rows: { name: string }[];
      failed: { name: string; reason: string }[];
    };
    expect(result.rows.map((row) => row.name)).toEqual(['one']);
    expect(result.failed.map((row) => row.name)).toEqual(['two', 'three']);
  });

  it('is exported with a card that says what it takes', async () => {
    const out = done(await place.run('export', run, '--out', 'emotion.onnx'));
    expect(Number(/within ([\d.e-]+) of/.exec(out)?.[1])).toBeLessThan(1e-5);
    const card = JSON.parse(readFileSync(place.path('emotion.json'), 'utf8')) as {
      model: string;
      classes: string[];
      inputs: { name: string }[];
      features: { text: { fingerprint: string }; map: { stepSeconds: number } };
    };
    expect(card).toMatchObject({ model: 'emotion.onnx', classes: ['calm', 'tense'] });
    expect(card.features.text.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(card.features.map.stepSeconds).toBe(0.25);
  });
});
