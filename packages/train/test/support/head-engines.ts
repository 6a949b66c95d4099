import { EagerEngine } from '../../src/engine/eager-engine.ts';
import { OnnxEngine } from '../../src/engine/onnx-engine.ts';
import type { Engine, Head, HeadConfig } from '../../src/head/contract.ts';
import { lsgmer } from '../../src/head/lsgmer.ts';
import { useCpu } from './cpu-backend.ts';
import { about, goldenDims, goldenParameters, type GoldenCase } from './head-golden.ts';

await useCpu();

/** The two ways in which a head runs: op by op on tfjs, and traced into one graph per shape. */
export const ENGINES: {
  readonly [name: string]: (head: Head, config: HeadConfig) => Promise<Engine>;
} = {
  eager: (head, config) => Promise.resolve(new EagerEngine(head, config, goldenDims, about.classes)),
  traced: (head, config) =>
    OnnxEngine.create(head, config, goldenDims, about.classes, { device: 'cpu', threads: 1 }),
};

/** Does something with an engine that holds the case's parameters. */
export async function withEngine<T>(
  name: string,
  entry: GoldenCase,
  use: (engine: Engine) => Promise<T>,
  head: Head = lsgmer,
): Promise<T> {
  const engine = await (ENGINES[name] as (typeof ENGINES)[string])(head, entry.config);
  try {
    engine.parameters.set(goldenParameters(entry));
    return await use(engine);
  } finally {
    await engine.dispose();
  }
}
