import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { encodeWav } from '@lsgmer/datasets';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Ended, WorkFolder } from './command-line.ts';

/** Heads of one's own, and what a trained head is good for: eval, predict, export. */
const place = new WorkFolder();
const TASK = 'emotion';
const SMALL = ['--dataset', 'mine', '--fold', '1', '--set', 'epochs=2', '--set', 'd=16', '--threads', '1'];

/** A corpus of short tones: low ones under one label, high ones under the other. */
async function corpus(
  name: string,
  labels: readonly [string, string],
  speakers: readonly string[],
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
      rows.push(`${speaker}${i}.wav,${labels[i % 2]},"${speaker} said word ${i}",${speaker}`);
    }
  }
  writeFileSync(place.path(name, 'data.csv'), `${rows.join('\r\n')}\r\n`);
  done(await place.run('manifest', 'build', '--dataset', name, '--root', place.path(name)));
  done(await place.run('features', 'extract', '--dataset', name, '--preset', 'tiny', '--device', 'cpu'));
}

beforeAll(() => corpus('mine', ['calm', 'tense'], ['a', 'b', 'c']), 120_000);
afterAll(() => place.remove());

function done(ended: Ended): string {
  expect(ended.code, ended.err).toBe(0);
  return ended.out;
}

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
