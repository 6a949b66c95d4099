import { type Fold, Rng } from '@lsgmer/datasets';
import type { FeatureSources } from '../../src/batches/source.ts';
import { configure } from '../../src/config/configuration.ts';
import type { EngineFactory, ExperimentRequest } from '../../src/experiment/request.ts';
import type { HostBatch, OptionValue, StepResult } from '../../src/head/contract.ts';
import { MemorySource, utterances } from './memory-source.ts';
import { TinyEngine, tinyHead } from './tiny-head.ts';

export const classes = ['angry', 'happy', 'sad'];
export const rows = utterances(90, 3);
const ids = rows.map((row) => row.id);

/** Three folds: utterances 0, 3, 6.. of every nine are tested in the first, and so on; all classes in each. */
export const folds: Fold[] = [0, 1, 2].map((k) => {
  const inTest = (i: number): boolean => Math.floor(i / 3) % 3 === k;
  return {
    id: `Ses0${k + 1}`,
    train: ids.filter((_, i) => !inTest(i)),
    dev: [],
    test: ids.filter((_, i) => inTest(i)),
  };
});

/** The same folds with every fifth training utterance in a dev part. */
export const devFolds: Fold[] = folds.map((fold) => ({
  ...fold,
  train: fold.train.filter((_, i) => i % 5 > 0),
  dev: fold.train.filter((_, i) => i % 5 === 0),
}));

/** Features whose first values depend on the class, a little: text tells class 0, audio class 1. */
export function tinySources(): { text: MemorySource; audio: MemorySource } {
  const text = new MemorySource('words', 4, ids, [2, 12]);
  const audio = new MemorySource('frames', 5, ids, [10, 120], 0.0125, 0.02);
  const rng = Rng.for('signal');
  for (const { id, label } of rows) {
    for (const [source, told] of [
      [text, 0],
      [audio, 1],
    ] as const) {
      const values = source.rows.get(id) as Uint16Array;
      const sign = (label === told) === rng.uniform() < 0.85 ? 0 : 0x8000;
      for (let i = 0; i < values.length; i += source.dim) values[i] = ((values[i] as number) & 0x7fff) | sign;
    }
  }
  return { text, audio };
}

/** Makes tiny engines, and remembers them. `onGradients` sees every batch before it runs. */
export class TinyFactory implements EngineFactory {
  readonly name = 'tiny';
  readonly device = 'cpu';
  readonly engines: TinyEngine[] = [];
  calls = 0;

  private readonly onGradients: (call: number, batch: HostBatch) => void;

  constructor(onGradients: (call: number, batch: HostBatch) => void = () => {}) {
    this.onGradients = onGradients;
  }

  async create(...[, config, dims, classes]: Parameters<EngineFactory['create']>): Promise<TinyEngine> {
    const engine = new TinyEngine(config, dims, classes);
    const gradients = engine.gradients.bind(engine);
    engine.gradients = async (batch: HostBatch): Promise<StepResult> => {
      this.onGradients(++this.calls, batch);
      return gradients(batch);
    };
    this.engines.push(engine);
    return engine;
  }
}

export function tinyRequest(
  runs: string,
  options: {
    readonly set?: { readonly [key: string]: OptionValue };
    readonly variants?: { readonly [name: string]: { readonly [key: string]: OptionValue } };
    readonly engine?: EngineFactory;
    readonly sources?: FeatureSources;
  } & Partial<Pick<ExperimentRequest, 'folds' | 'seeds' | 'missing' | 'rows' | 'select'>> = {},
): ExperimentRequest {
  const base = { epochs: 3, 'batch.size': 8, 'batch.shapes': 3, lr: 0.02, ...options.set };
  const variants = options.variants ?? { full: {} };
  return {
    dataset: 'demo',
    synthetic: true,
    task: '3class',
    classes,
    metric: 'ua',
    rows: options.rows ?? rows,
    folds: options.folds ?? folds.slice(0, 1),
    seeds: options.seeds ?? [1],
    head: tinyHead,
    variants: Object.entries(variants).map(([name, set]) => ({
      name,
      configuration: configure(tinyHead, [
        { from: 'test', set: base },
        { from: `variant ${name}`, set },
      ]),
    })),
    sources: options.sources ?? tinySources(),
    missing: options.missing ?? 'error',
    select: options.select ?? 'last',
    engine: options.engine ?? new TinyFactory(),
    runs,
    environment: { node: 'test' },
  };
}
