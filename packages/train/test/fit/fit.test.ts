import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Interrupted, type Reporter, silent, UserError } from '@lsgmer/datasets';
import { runExperiment } from '../../src/experiment/experiment.ts';
import { planExperiment } from '../../src/experiment/plan.ts';
import type { ExperimentRequest } from '../../src/experiment/request.ts';
import { mean } from '../../src/evaluate/metrics.ts';
import { scorePredictions } from '../../src/evaluate/summary.ts';
import { decodeSafetensors } from '../../src/fit/safetensors.ts';
import { decodePredictions } from '../../src/record/predictions.ts';
import { type EpochRecord, type PartScores, parseEpochs, parseState } from '../../src/record/run-state.ts';
import {
  classes,
  devFolds,
  rows,
  tinyRequest,
  tinySources,
  TinyFactory,
} from '../support/tiny-experiment.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lsgmer-fit-'));
});
afterEach(() => rmSync(root, { recursive: true }));

/** Milliseconds that pass by themselves: a minute a call, so that every epoch is saved. */
function ticking(step = 60_000): () => number {
  let at = 0;
  return () => (at += step);
}

async function run(
  request: ExperimentRequest,
  signal?: AbortSignal,
  reporter: Reporter = silent,
  now = ticking(),
) {
  return runExperiment(planExperiment(request), { reporter, signal, now });
}

/** Files of the only run below a folder, timings left out. */
function filesOf(runs: string): { [name: string]: Buffer } {
  const [id] = readdirSync(join(runs, 'demo', '3class'));
  const folder = join(runs, 'demo', '3class', id as string);
  const names = readdirSync(folder).filter((name) => name !== 'timing.jsonl');
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name))]));
}

function parametersOf(runs: string): Float32Array[] {
  const { tensors } = decodeSafetensors(filesOf(runs)['head.safetensors'] as Buffer);
  return Object.values(tensors).map((tensor) => tensor.values);
}

describe('fit', () => {
  it('learns what the features tell', async () => {
    const result = await run(tinyRequest(join(root, 'a'), { set: { epochs: 25 } }));
    const lines = (filesOf(join(root, 'a'))['metrics.jsonl'] as Buffer).toString().trim().split('\n');
    const losses = lines.map((line) => (JSON.parse(line) as { loss: number }).loss);
    expect(losses).toHaveLength(25);
    expect(losses.at(-1)).toBeLessThan(0.85 * (losses[0] as number));
    expect(result.variants[0]?.seeds[0]?.pooled.scores.ua).toBeGreaterThan(0.55);
  });

  it('records per epoch the sums over its utterances', async () => {
    await run(tinyRequest(root, { set: { epochs: 2 } }));
    const lines = (filesOf(root)['metrics.jsonl'] as Buffer).toString().trim().split('\n');
    const first = JSON.parse(lines[0] as string) as { [key: string]: number };
    expect(first).toMatchObject({ epoch: 1, utterances: 60, updates: 8 });
    expect(first['loss']).toBeCloseTo((first['ce'] as number) + 0.1 * (first['apc'] as number), 10);
    expect(first['labelMovement']).toBeGreaterThan(0);
    expect(first['labelCosines']).toHaveLength(3);
    expect(first['gradientNorm']).toBeGreaterThan(0);
    expect(first['lr']).toBe(0.02);
    expect(first).toMatchObject({ gate: null, dev: null });
    const predicted = first['predicted'] as unknown as number[];
    expect(predicted.reduce((a, b) => a + b, 0)).toBe(60);
  });

  it('gives equal bits for equal seeds, with a fresh engine or a used one, and others for others', async () => {
    await run(tinyRequest(join(root, 'a')));
    await run(tinyRequest(join(root, 'b')));
    expect(filesOf(join(root, 'b'))).toEqual(filesOf(join(root, 'a')));
    // seed 9 runs first in the same engine
    await run(tinyRequest(join(root, 'c'), { seeds: [9, 1] }));
    const [one] = readdirSync(join(root, 'a', 'demo', '3class'));
    const again = readFileSync(join(root, 'c', 'demo', '3class', one as string, 'head.safetensors'));
    expect(again).toEqual(filesOf(join(root, 'a'))['head.safetensors']);
    await run(tinyRequest(join(root, 'd'), { seeds: [2] }));
    expect(filesOf(join(root, 'd'))['head.safetensors']).not.toEqual(
      filesOf(join(root, 'a'))['head.safetensors'],
    );
  });

  it('accumulates micro-batches to the same updates, dropout included', async () => {
    const set = { 'classifier.dropout': 0.3 };
    const whole = new TinyFactory();
    const parts = new TinyFactory();
    await run(tinyRequest(join(root, 'a'), { set, engine: whole }));
    await run(tinyRequest(join(root, 'b'), { set: { ...set, 'batch.frames': 150 }, engine: parts }));
    expect(parts.calls).toBeGreaterThan(2 * whole.calls);
    const expected = parametersOf(join(root, 'a'));
    parametersOf(join(root, 'b')).forEach((values, i) =>
      values.forEach((x, k) => expect(Math.abs(x - (expected[i]?.[k] as number))).toBeLessThan(2e-6)),
    );
  });

  it.each([1, 4, 8, 9, 17, 24])(
    'stopped in the update of micro-batch %d and resumed, ends with the same bits',
    async (stop) => {
      const set = { 'classifier.dropout': 0.3, 'batch.frames': 300 };
      const folds = devFolds.slice(0, 1);
      await run(tinyRequest(join(root, 'a'), { set, folds }));
      const controller = new AbortController();
      const engine = new TinyFactory((call) => {
        if (call >= stop) controller.abort();
      });
      const stopped = run(tinyRequest(join(root, 'b'), { set, folds, engine }), controller.signal);
      await expect(stopped).rejects.toThrow(Interrupted);
      expect(
        Object.keys(filesOf(join(root, 'b'))).filter((name) => name.startsWith('checkpoint')),
      ).toHaveLength(1);
      const rest = new TinyFactory();
      await run(tinyRequest(join(root, 'b'), { set, folds, engine: rest }));
      expect(rest.calls).toBeGreaterThan(0);
      expect(filesOf(join(root, 'b'))).toEqual(filesOf(join(root, 'a')));
    },
  );

  it('killed in the middle of an epoch, goes on from the last whole one to the same bits', async () => {
    await run(tinyRequest(join(root, 'a')));
    const engine = new TinyFactory((call) => {
      if (call === 13) throw new Error('killed');
    });
    await expect(run(tinyRequest(join(root, 'b'), { engine }))).rejects.toThrow('killed');
    expect(engine.engines[0]?.disposed).toBe(true);
    const rest = new TinyFactory();
    await run(tinyRequest(join(root, 'b'), { engine: rest }));
    expect(rest.calls).toBe(16);
    expect(filesOf(join(root, 'b'))).toEqual(filesOf(join(root, 'a')));
  });

  it('does not save again within seconds, and still goes on to the same bits', async () => {
    await run(tinyRequest(join(root, 'a')));
    const engine = new TinyFactory((call) => {
      if (call === 13) throw new Error('killed');
    });
    const stopped = run(tinyRequest(join(root, 'b'), { engine }), undefined, silent, ticking(1));
    await expect(stopped).rejects.toThrow('killed');
    expect(Object.keys(filesOf(join(root, 'b')))).toEqual(['config.json']);
    const rest = new TinyFactory();
    await run(tinyRequest(join(root, 'b'), { engine: rest }));
    expect(rest.calls).toBe(24);
    expect(filesOf(join(root, 'b'))).toEqual(filesOf(join(root, 'a')));
  });

  it('leaves head and predictions of every selection rule, each of the epoch that the records say', async () => {
    const set = { epochs: 12, lr: 0.2 };
    await run(tinyRequest(join(root, 'a'), { set, folds: devFolds.slice(0, 1) }));
    const files = filesOf(join(root, 'a'));
    const text = (name: string): string => (files[name] as Buffer).toString();
    const epochs = parseEpochs(text('metrics.jsonl'), 'metrics.jsonl');
    const { chosen } = parseState(text('state.json'), 'state.json');
    const best = (scores: (number | undefined)[]): number =>
      1 + scores.indexOf(Math.max(...(scores as number[])));
    expect(chosen.last).toEqual({ epoch: 12, score: null });
    expect(chosen.dev?.epoch).toBe(best(epochs.map((one) => one.dev?.ua)));
    expect(chosen['oracle-test']?.epoch).toBe(best(epochs.map((one) => one.test?.ua)));
    expect(new Set(Object.values(chosen).map((one) => one?.epoch)).size).toBe(3); // else this test shows little
    for (const rule of ['last', 'dev', 'oracle-test'] as const) {
      const at = chosen[rule]?.epoch as number;
      const file = rule === 'last' ? '' : `.${rule}`;
      const found = decodePredictions(text(`predictions${file}.csv`), classes, 'predictions');
      const { wa, ua, wf1, mf1, confusion } = scorePredictions(found, 3);
      const { ce, ...scores } = (epochs[at - 1] as EpochRecord).test as PartScores;
      expect({ wa, ua, wf1, mf1, confusion }, rule).toEqual(scores);
      expect(ce).toBeGreaterThan(0);
      // the head is that of a run which ends there
      await run(tinyRequest(join(root, rule), { set: { ...set, epochs: at }, folds: devFolds.slice(0, 1) }));
      const own = decodeSafetensors(files[`head${file}.safetensors`] as Buffer);
      const last = decodeSafetensors(filesOf(join(root, rule))['head.safetensors'] as Buffer);
      expect(own.tensors, rule).toEqual(last.tensors);
      expect(own.metadata).toMatchObject({ rule, epoch: String(at) });
    }
  });

  it('without a dev part there is nothing of its rule', async () => {
    await run(tinyRequest(root));
    expect(Object.keys(filesOf(root)).filter((name) => name.includes('dev'))).toEqual([]);
  });

  it('keeps the loss of every utterance by epoch, whose means are the recorded ones', async () => {
    await run(tinyRequest(root, { folds: devFolds.slice(0, 1), set: { epochs: 2 } }));
    const files = filesOf(root);
    const epochs = parseEpochs((files['metrics.jsonl'] as Buffer).toString(), 'metrics.jsonl');
    const table = tableFromIPC(files['losses.arrow'] as Buffer);
    const found = table.toArray().map((row) => {
      const { part, losses } = row.toJSON() as { part: string; losses: Iterable<number> };
      return { part, losses: [...losses] };
    });
    expect(found.map((one) => one.part).filter((part) => part === 'dev')).toHaveLength(12);
    for (const [i, record] of epochs.entries()) {
      for (const [part, ce] of [
        ['train', record.ce],
        ['dev', record.dev?.ce],
        ['test', record.test?.ce],
      ] as const) {
        const own = found.filter((one) => one.part === part).map((one) => one.losses[i] as number);
        expect(mean(own), `${part} ${i}`).toBeCloseTo(ce as number, 3);
      }
    }
  });

  it('stops on a loss that is not finite, with the batch and its largest feature value', async () => {
    const sources = tinySources();
    const bad = rows[4]?.id as string;
    sources.audio.rows.get(bad)?.fill(0x7bff, 5, 6); // 65504
    sources.text.rows.get(bad)?.fill(0x7e00, 1, 2); // NaN
    const request = tinyRequest(root, { sources });
    await expect(run(request)).rejects.toThrow(
      /^full Ses01 seed 1: the loss is not finite in epoch 1, update \d of 8; largest feature value \|x\| = NaN in text of demo\/u004; batch: .*demo\/u004.*; verify the features/,
    );
    await expect(run(request)).rejects.toThrow(UserError);
  });

  it('stops before a state with parameters that are not finite is saved', async () => {
    await expect(run(tinyRequest(root, { set: { lr: 1e38 } }))).rejects.toThrow(
      /not finite|the training diverged; lower lr/,
    );
  });

  it("reports each epoch without the test part's scores", async () => {
    const notes: string[] = [];
    const reporter = {
      ...silent,
      progress: (step: { done: number; total: number; note?: string }) =>
        void notes.push(`${step.done}/${step.total} ${step.note}`),
    };
    await run(tinyRequest(root, { set: { epochs: 2 } }), undefined, reporter);
    expect(notes).toEqual([
      expect.stringMatching(/^1\/2 loss \d\.\d{4}, train WA \d+\.\d$/),
      expect.stringMatching(/^2\/2 loss \d\.\d{4}, train WA \d+\.\d$/),
    ]);
  });
});
