import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestJson } from '@lsgmer/datasets';
import type { Prediction } from '../../src/evaluate/predict.ts';
import { encodePredictions } from '../../src/record/predictions.ts';
import { NUMERICS_VERSION } from '../../src/record/run-id.ts';

/** What a run folder is written from; what is left out is the same for all. */
export interface RunFolderSpec {
  readonly variant?: string;
  readonly fold?: string;
  readonly seed?: number;
  readonly config?: { readonly [key: string]: string | number | boolean };
  readonly fingerprint?: string;
  readonly rows?: string;
  readonly numerics?: number;
  readonly utterances?: string;
  readonly protocol?: {
    readonly name: string;
    readonly speakerDependent: boolean;
    readonly where: string | null;
    readonly dev?: string;
  };
  readonly folds?: readonly string[];
  readonly classes?: readonly string[];
  readonly dataset?: string;
  readonly task?: string;
  /** Left out: the run is not finished. */
  readonly predictions?: readonly Prediction[] | undefined;
  /** Predictions of other rules, by rule. */
  readonly others?: { readonly [rule: string]: readonly Prediction[] };
  readonly missingTest?: readonly { readonly id: string; readonly reason: string }[];
  /** Default: predictions and missing ones together. */
  readonly expected?: number;
  /** Complete epochs of a run that is not finished; null: it only has its configuration. */
  readonly epoch?: number | null;
}

export const CLASSES = ['angry', 'happy', 'neutral', 'sad'];

/** Writes a run folder as the trainer leaves it, without weights. @returns its id */
export function writeRunFolder(runs: string, spec: RunFolderSpec = {}): string {
  const { fold = 'Ses01', seed = 1, classes = CLASSES, dataset = 'demo', task = '4class' } = spec;
  const identity = {
    dataset,
    task,
    classes,
    fold,
    seed,
    head: 'lsgmer',
    config: { epochs: 50, lr: 0.001, ...spec.config },
    features: {
      text: {
        feature: 'roberta-base',
        fingerprint: spec.fingerprint ?? 'a'.repeat(64),
        rows: spec.rows ?? 'b'.repeat(64),
      },
    },
    utterances: spec.utterances ?? digestJson(fold),
    engine: 'onnx',
    device: 'cpu',
    numerics: spec.numerics ?? NUMERICS_VERSION,
  };
  const id = digestJson(identity).slice(0, 12);
  const folder = join(runs, dataset, task, id);
  mkdirSync(folder, { recursive: true });
  const { predictions, missingTest = [] } = spec;
  const write = (name: string, value: unknown): void =>
    writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
  write('config.json', {
    run: id,
    variant: spec.variant ?? 'full',
    identity,
    coverage: {
      expected: spec.expected ?? (predictions?.length ?? 0) + missingTest.length,
      missingTest,
      missingTrain: [],
    },
    ...(spec.protocol === undefined ? {} : { protocol: spec.protocol }),
    ...(spec.folds === undefined ? {} : { folds: spec.folds }),
    environment: {},
  });
  if (predictions !== undefined) write('predictions.csv', encodePredictions(predictions, fold, classes));
  for (const [rule, list] of Object.entries(spec.others ?? {}))
    write(`predictions.${rule}.csv`, encodePredictions(list, fold, classes));
  const { epoch = predictions === undefined ? 12 : 50 } = spec;
  if (epoch !== null)
    write('state.json', { run: id, status: predictions === undefined ? 'running' : 'finished', epoch });
  return id;
}

/** Predictions from class indices; probability 1 for the predicted class. */
export function predictionsOf(
  ids: readonly string[],
  truth: readonly number[],
  guesses: readonly number[],
  classes = CLASSES.length,
): Prediction[] {
  return ids.map((id, i) => ({
    id,
    label: truth[i] as number,
    prediction: guesses[i] as number,
    probabilities: Array.from({ length: classes }, (_, k) => (k === guesses[i] ? 1 : 0)),
  }));
}
