import type { CommonOptions } from './context.ts';

/** The options of `lsgmer train`, as yargs gives them. */
export interface TrainOptions extends CommonOptions {
  dataset?: string | undefined;
  task?: string | undefined;
  recipe?: string | undefined;
  features?: string | undefined;
  head?: string | undefined;
  set?: string[] | undefined;
  grid?: string[] | undefined;
  random?: number | undefined;
  fold: string;
  protocol?: string | undefined;
  dev?: string | undefined;
  where?: string | undefined;
  seeds?: string | undefined;
  ablation?: string | undefined;
  missing?: 'error' | 'mask' | 'wrong' | 'drop' | undefined;
  select?: 'last' | 'dev' | 'oracle-test' | undefined;
  refit?: boolean | undefined;
  only?: string | undefined;
  jobs?: number | undefined;
  tensorboard?: string | undefined;
  /** Started by another process to share its runs: prints no result, ends with it. */
  worker?: boolean | undefined;
  engine?: 'onnx' | 'tfjs' | undefined;
  device: 'auto' | 'cpu' | 'cuda' | 'webgpu';
  threads?: number | undefined;
  analysis?: boolean | undefined;
  /** Says each epoch in a line. */
  epochs?: boolean | undefined;
  /** A minute's look at whether training does what it should. */
  check?: boolean | undefined;
  options: boolean;
  'print-config': boolean;
  'dry-run': boolean;
  json: boolean;
}
